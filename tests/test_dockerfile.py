"""Recipes: their names, their text, and what upstream cannot do to them (fault group F)."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import artefacts
from monitor.artefacts import Target
from monitor.dockerfile import (
    FIRST_LINE,
    LOCAL_BASE,
    PATTERNS,
    Recipe,
    Template,
    UnfitRelease,
    check_base,
    lint,
    recipe_digest,
    render,
)
from monitor.errors import SettingsError
from monitor.instructions import instructions
from monitor.model import File
from monitor.outputs.build_queue import load_template
from monitor.recipe_names import (
    LIMIT,
    image_reference,
    is_recipe_name,
    parse_recipe_name,
    recipe_name,
)

ROOT = Path(__file__).resolve().parent.parent
AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SHA = "sha256:" + "ab" * 32
PYPI = load_template("pypi")
GENERIC = load_template("generic")
HOSTILE = [
    "1\nRUN id", "1\rRUN id", "1\r\nRUN id", "1\u2028RUN id", "$HOME", "${HOME}", "a\\", '"', "'",
    "`id`", "$(touch x)", "<<EOF", "{{7*7}}", "{% raw %}", "{#", "a b", "\ta", "#", "-r", "--index",
    "", "\0", "..", "/etc/passwd", "a;b", "a&&b", "a|b", "*", "?", "~root", "%s", "a\x1b[2J", "é",
]  # fmt: skip
anything = st.text(st.characters(codec=None, categories=None), max_size=40)
near_misses = st.text(st.sampled_from("aA0z._-+/%~0:2f{$ \n"), max_size=12)
texts = anything | near_misses
REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")  # OCI distribution spec, "name"


def recipe(**changes: object) -> Recipe:
    file = File("https://files.example/requests-2.18.4-py2.py3-none-any.whl", SHA)
    made = Recipe("pkg:pypi/requests@2.18.4", "requests", "2.18.4", file, AT)
    return replace(made, **changes)


# ── names ─────────────────────────────────────────────────────────────────────────────


def test_names_of_pypi_stay_as_the_seed_has_them():
    assert recipe_name("pypi", "requests", "2.18.4") == "requests__2.18.4"
    assert recipe_name("pypi", "zope-interface", "5.0a1") == "zope-interface__5.0a1"


def test_names_of_other_ecosystems_carry_their_type_in_front():
    assert recipe_name("cargo", "serde", "1.0.1") == "cargo__serde__1.0.1"
    assert recipe_name("github", "psf/requests", "v2.32.3") == "github__psf--2frequests__v2.32.3"
    assert recipe_name("pypi", "cargo", "1") != recipe_name("cargo", "1", "")


@given(texts, texts, texts)
def test_F01_any_name_is_one_safe_segment_and_reads_back(kind, project, version):
    name = recipe_name(kind, project, version)
    assert REPOSITORY.fullmatch(name)
    assert len(name) <= LIMIT
    assert is_recipe_name(name)
    if "---" not in name or name.endswith("0---0"):
        assert parse_recipe_name(name) == (kind, project, version)


@given(st.tuples(texts, texts, texts), st.tuples(texts, texts, texts))
def test_F02_different_releases_have_different_names(one, other):
    assert (recipe_name(*one) == recipe_name(*other)) == (one == other)


@given(
    st.text(st.sampled_from("._-0a+2b"), max_size=8), st.text(st.sampled_from("._-0a+"), max_size=8)
)
def test_F02_runs_of_separators_and_escapes_read_back(project, version):
    name = recipe_name("pypi", project, version)
    assert parse_recipe_name(name) == ("pypi", project, version)


def test_F02_underscores_cannot_move_the_border_between_name_and_version():
    assert recipe_name("pypi", "a__b", "1") != recipe_name("pypi", "a", "b__1")
    assert recipe_name("pypi", "a_", "1") != recipe_name("pypi", "a", "_1")


def test_F03_names_are_lower_case_ascii_so_that_no_file_system_merges_them():
    upper, lower = recipe_name("generic", "Foo", "1"), recipe_name("generic", "foo", "1")
    assert upper != lower
    assert upper == upper.lower()
    composed, decomposed = (recipe_name("generic", text, "1") for text in ("\u00e9", "e\u0301"))
    assert composed != decomposed
    assert composed.isascii()


def test_F04_long_names_are_cut_and_end_in_a_digest():
    name = recipe_name("pypi", "a" * 400, "1")
    assert len(name.encode()) <= LIMIT
    assert name != recipe_name("pypi", "a" * 400, "2")
    with pytest.raises(ValueError, match="shortened"):
        parse_recipe_name(name)


def test_F05_sixty_nasty_names_are_listed_and_deleted_by_a_shell_loop(tmp_path):
    nasty = [*HOSTILE, "-rf", "con", "NUL", "a.", "a ", "%2e%2e", "a[b]", "a{b,c}", "!x", "^a", "~"]
    nasty += [f"{left}{right}" for left in "-.~*" for right in "-.?]"]
    names = {recipe_name("pypi", text, "1.0") for text in nasty}
    for name in names:
        (tmp_path / name).write_text("x")
    (tmp_path / "keep me").write_text("not ours")
    loop = "for name in *__*; do echo $name; rm $name; done"  # unquoted on purpose
    done = subprocess.run(
        ["sh", "-c", loop], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) == names
    assert not done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["keep me"]


@pytest.mark.parametrize(
    "name", ["", "requests", "A__1", "../x__1", "a__b__c__d", "a__--zz", "a__--61"]
)
def test_only_names_of_ours_are_read_back(name):
    with pytest.raises(ValueError):
        parse_recipe_name(name)


def test_an_image_reference_is_the_name_in_a_repository_of_this_machine():
    assert (
        image_reference("requests__2.18.4") == "localhost/release-monitor/requests__2.18.4:latest"
    )
    with pytest.raises(ValueError):
        image_reference("evil.example/image")


# ── text ──────────────────────────────────────────────────────────────────────────────


def test_a_recipe_pins_its_artefact_by_address_and_digest():
    text = render(PYPI, recipe(), base="auto")
    run = next(step for step in instructions(text) if step.keyword == "RUN")
    assert run.arguments[-1] == (
        "requests @ https://files.example/requests-2.18.4-py2.py3-none-any.whl#sha256=" + "ab" * 32
    )
    assert "ARG PIP_UPLOADED_PRIOR_TO=2026-03-01T12:00:00Z" in text.splitlines()
    assert 'release-monitor.pinned="yes"' in text


def test_the_same_release_gives_the_same_text_and_digest():
    texts = {render(PYPI, recipe(), base="auto") for _ in range(3)}
    assert len(texts) == 1
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", recipe_digest(texts.pop()))


def test_an_unpinned_artefact_says_so_in_a_label():
    text = render(PYPI, recipe(artefact=File("https://files.example/a-1.tar.gz")), base="auto")
    assert 'release-monitor.pinned="no"' in text
    assert "#sha256" not in text


def test_the_generic_recipe_hands_address_and_digest_to_a_fixed_program():
    file = File("https://ftp.example/gnu/hello-2.12.tar.gz", SHA)
    made = Recipe("pkg:generic/hello@2.12", "hello", "2.12", file, AT)
    run = next(s for s in instructions(render(GENERIC, made, base="auto")) if s.keyword == "RUN")
    assert run.arguments[:2] == ["python3", "-c"]
    assert run.arguments[2] == (ROOT / "pipeline/templates/unpack.py").read_text()
    assert run.arguments[3:] == [file.url, "hello-2.12.tar.gz", SHA, "/src"]


@pytest.mark.parametrize("template", [PYPI, GENERIC], ids=["pypi", "generic"])
def test_F10_the_templates_that_come_with_us_are_sound(template):
    assert lint(template) == []


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("field", ["project", "version", "purl"])
def test_F07_values_that_could_add_a_line_or_an_option_are_refused(field, value):
    with pytest.raises(UnfitRelease):
        render(PYPI, recipe(**{field: value}), base="auto")


@pytest.mark.parametrize(
    "value", [v for v in HOSTILE if v not in {"*", "?", "~root", "..", "--index"}]
)
def test_F07_addresses_and_digests_are_held_to_a_pattern_too(value):
    for file in (
        File(value, SHA),
        File(f"https://files.example/a-1.whl#{value}", f"sha256:{value}"),
        File(f"https://{value}/a-1.whl", SHA),
        File(f"https://user:secret@files.example/{value}a-1.whl", SHA),
    ):
        with pytest.raises(UnfitRelease) as refused:
            render(PYPI, recipe(artefact=file), base="auto")
        assert "\n" not in str(refused.value)


@given(texts, texts, texts, texts)
def test_F09_no_value_changes_the_instructions_or_the_programs(project, version, path, digest):
    file = File(f"https://files.example/{path}", digest or None)
    ours = instructions(render(PYPI, recipe(), base="auto"))
    try:
        text = render(PYPI, recipe(project=project, version=version, artefact=file), base="auto")
    except UnfitRelease:
        return
    theirs = instructions(text)
    assert [step.keyword for step in theirs] == [step.keyword for step in ours]
    run = theirs[[s.keyword for s in ours].index("RUN")].arguments
    assert run[:-1] == [
        "python3",
        "-m",
        "pip",
        "install",
        "--no-input",
        "--no-cache-dir",
        "--no-compile",
    ]
    assert run[-1].startswith(f"{project} @ https://files.example/")


@given(
    st.from_regex(PATTERNS["version"], fullmatch=True),
    st.from_regex(PATTERNS["url"], fullmatch=True),
)
def test_F09_every_value_that_is_let_in_leaves_the_recipe_whole(version, url):
    made = Recipe("pkg:generic/a@1", "a", version, File(url, SHA, name="a.tar.gz"), AT)
    text = render(GENERIC, made, base="auto")
    run = next(step for step in instructions(text) if step.keyword == "RUN")
    assert run.arguments[3] == url.partition("#")[0]
    assert f'org.opencontainers.image.version="{version}"' in text


def test_F08_no_upstream_text_becomes_a_parser_directive():
    text = render(PYPI, recipe(project="syntax"), base="auto")
    directives = re.findall(r"^#\s*(?:syntax|escape|check)\s*=", text, re.MULTILINE)
    assert text.splitlines()[0] == FIRST_LINE
    assert directives == []


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("RUN pip install {{ name }}=={{ version }}", "JSON form"),
        ('RUN ["sh", "-c", "pip install {{ name }}"]', "inside a program"),
        ('RUN ["python3", "-c", "print({{ name }})"]', "inside a program"),
        ('RUN ["{{ name }}"]', "inside a program"),
        ("# for {{ name }}", "comment"),
        ("ENV VERSION={{ version }}", "no upstream value"),
        ("LABEL version={{ version }}", "no upstream value"),
        ("COPY {{ filename }} /", "no upstream value"),
        ("FROM {{ name }}", "no upstream value"),
        ("ARG V={{ version }}\nRUN pip install a==$V", "$V"),
        ("RUN <<EOF\nid\nEOF", "here-documents"),
        ("RUN [{{ unknown|json }}]", "undefined"),
        ("RUN {% if %}", "Expected"),
    ],
)
def test_F10_a_template_that_splices_values_is_refused(line, complaint):
    found = lint(Template("mine", f"{FIRST_LINE}\nFROM {{{{ base }}}}\n{line}\n"))
    assert any(complaint in text for text in found), found


def test_F10_a_template_whose_first_line_is_not_ours_is_refused():
    assert "line 1" in lint(Template("mine", "# syntax=evil/image\nFROM {{ base }}\n"))[0]


@pytest.mark.parametrize(
    "base", ["python:3.13-slim", "localhost/x\nRUN id", "$X", "", "evil@sha256:12", "LOCALHOST/x"]
)
def test_F11_a_base_image_that_can_move_is_the_operators_mistake(base):
    with pytest.raises(SettingsError):
        check_base(base)


def test_F11_the_base_image_comes_from_the_settings_alone():
    pinned = "docker.io/library/python:3.13-slim@sha256:" + "0" * 64
    assert check_base(pinned) == pinned
    assert check_base("auto") == LOCAL_BASE
    for base in ("auto", pinned):
        sources = [
            s.rest for s in instructions(render(PYPI, recipe(), base=base)) if s.keyword == "FROM"
        ]
        assert sources == [check_base(base)]


def test_F12_upstream_text_is_never_a_template():
    odd = Template(
        "odd", f"{FIRST_LINE}\nFROM {{{{ base }}}}\nCMD [{{{{ url|json }}}}, {{{{ url|json }}}}]\n"
    )
    with pytest.raises(UnfitRelease):
        render(odd, recipe(version="{{7*7}}"), base="auto")
    escape = Template("escape", f"{FIRST_LINE}\nFROM {{{{ ''.__class__.__mro__ }}}}\n")
    with pytest.raises(SettingsError, match="unsafe"):
        render(escape, recipe(), base="auto")


def test_F13_no_shell_is_started_anywhere():
    found = []
    for folder in ("monitor", "providers", "spiders", "pipeline"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if not isinstance(node, ast.Call):
                    continue
                name = ast.unparse(node.func)
                shell = any(
                    k.arg == "shell" and ast.unparse(k.value) != "False" for k in node.keywords
                )
                argument = node.args[0] if node.args else None
                words = isinstance(argument, ast.JoinedStr | ast.Constant) and "subprocess" in name
                if (
                    shell
                    or words
                    or name in {"os.system", "os.popen"}
                    or "subprocess_shell" in name
                ):
                    found.append(f"{path}:{node.lineno}: {name}")
    assert found == []


# ── artefacts ─────────────────────────────────────────────────────────────────────────

TARGET = Target((3, 11), "x86_64", (2, 36))


def choose(*names: str, **settings: object) -> str:
    files = [File(f"https://files.example/{name}", SHA) for name in names]
    chosen = artefacts.choose("pkg:pypi/x@1", files, target=TARGET, **settings)
    return chosen.url.rpartition("/")[2]


def test_a_wheel_that_fits_is_taken_before_the_source_archive():
    assert choose("x-1.tar.gz", "x-1-py3-none-any.whl") == "x-1-py3-none-any.whl"
    assert choose("x-1.tar.gz", "x-1-py3-none-any.whl", prefer=("sdist", "wheel")) == "x-1.tar.gz"


def test_of_many_wheels_the_one_for_the_base_image_is_taken():
    ours = "x-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
    others = [
        "x-1-cp312-cp312-manylinux_2_17_x86_64.whl",
        "x-1-cp311-cp311-macosx_11_0_arm64.whl",
        "x-1-cp311-cp311-musllinux_1_2_x86_64.whl",
        "x-1-cp311-cp311-manylinux_2_17_aarch64.whl",
        "x-1-cp39-abi3-manylinux2014_x86_64.whl",
    ]
    assert choose(*others, ours) == ours
    assert choose(*others) == others[-1]
    assert choose(*others[:-1], "x-1.zip") == "x-1.zip"


def test_yanked_files_and_foreign_files_are_no_choice():
    with pytest.raises(UnfitRelease, match="yanked"):
        artefacts.choose(
            "pkg:pypi/x@1", [File("https://f.example/x", SHA, yanked=True)], target=TARGET
        )
    with pytest.raises(UnfitRelease, match=r"no wheel or sdist for Python 3\.11"):
        choose("x-1.exe", "x-1.egg", "not a wheel.whl")


def test_a_file_without_a_strong_digest_needs_somebodys_word():
    files = [File("https://f.example/x-1.tar.gz", "md5:" + "0" * 32)]
    with pytest.raises(UnfitRelease, match="digest"):
        artefacts.choose("pkg:pypi/x@1", files, target=TARGET)
    assert artefacts.choose("pkg:pypi/x@1", files, target=TARGET, unpinned=True) is files[0]


def test_other_ecosystems_take_a_source_archive_with_a_digest_first():
    files = [
        File("https://f.example/x-1.tar.xz"),
        File("https://f.example/x-1.tar.xz.sig", SHA, kind="signature"),
        File("https://f.example/x-1.tar.gz", SHA),
    ]
    assert artefacts.choose("pkg:generic/x@1", files, target=TARGET) is files[2]
    assert artefacts.choose("pkg:generic/x@1", files[:2], target=TARGET, unpinned=True) is files[0]


def test_values_survive_as_json_so_that_a_builder_reads_what_we_wrote():
    text = render(PYPI, recipe(), base="auto")
    for step in instructions(text):
        if step.rest.startswith("["):
            assert step.arguments == json.loads(step.rest)
