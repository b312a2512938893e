"""Settings: what is wrong is told with file, line, key and remedy; what is right is documented."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import providers
from monitor.errors import SettingsError
from monitor.rules import Epoch, Rules
from monitor.settings import (
    Build,
    Builds,
    Config,
    NetworkSettings,
    Package,
    Settings,
    Source,
    check,
    load,
    shipped,
)
from monitor.settings.lines import lines_of, nearest
from monitor.settings.pages import (
    EXAMPLES,
    TABLES,
    effective,
    packages_text,
    sentences,
    settings_page,
    shipped_text,
    written,
)
from monitor.settings.reading import SECTIONS, hints_of, parse
from monitor.settings.units import Duration, duration, duration_text, size, size_text

ROOT = Path(__file__).resolve().parent.parent
HOME = {"HOME": "/home/me"}


def read(text="", environ=None, **files):
    """Settings of a monitor.toml and other files, which must be right."""
    texts = {"monitor.toml": text} | {
        name.replace("__", "/") + ".toml": t for name, t in files.items()
    }
    settings, problems = parse(texts, environ or {})
    assert problems == []
    return settings


def wrong(text="", environ=None, **files):
    """All that is wrong, as text."""
    texts = {"monitor.toml": text} | {
        name.replace("__", "/") + ".toml": t for name, t in files.items()
    }
    return [str(problem) for problem in parse(texts, environ or {})[1]]


def folder_of(path, **files):
    for name, text in files.items():
        file = path / (name.replace("__", "/") + ".toml")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return Config(path, HOME)


# What is right


def test_nothing_has_to_be_set():
    assert read() == Settings()


def test_durations_and_sizes_are_written_with_their_units():
    network = read('[network]\ndeadline = "1h 30m"\nmax_body = "2 GiB"\nretry_wait = 2').network
    assert (network.deadline, network.max_body, network.retry_wait) == (5400, 2 * 2**30, 2)


def test_a_source_is_a_file_and_is_called_like_it():
    text = 'provider = "pypi"\npoll = "2m"\n[settings]\nurl = "https://mirror.example"\n'
    sources = read(sources__mirror=text).sources
    assert sources == {
        "mirror": Source(
            provider="pypi", name="mirror", poll=120, settings={"url": "https://mirror.example"}
        )
    }


def test_a_package_has_one_upstream_or_several():
    text = """
        [[package]]
        upstream = "pkg:pypi/requests"
        packaged = "2.31.0"
        [[package]]
        name = "django"
        upstream = ["pkg:pypi/django", "github/django/django"]
        pin = "4.2"
        skip = ["4.2.12"]
        [package.rules]
        skip = ["4.2.1"]
        prereleases = "forbid"
    """
    first, second = read(packages=text).packages
    assert (first.called, first.upstreams) == ("requests", ("pkg:pypi/requests",))
    assert (second.called, len(second.upstreams)) == ("django", 2)
    assert second.judged == Rules(skip=("4.2.1", "4.2.12"), pin="4.2", prereleases="forbid")


def test_builds_are_a_list_of_rules():
    text = '[[build]]\nmatch = "pkg:pypi/*"\nminimum_age = "12h"\nmark = "manual"\n'
    assert read(builds=text).builds == Builds(
        build=(Build(match="pkg:pypi/*", minimum_age=43200, mark="manual"),)
    )


def test_hosts_and_credentials_are_tables_of_tables():
    network = read(
        '[network.hosts."forge.example:8443"]\npace = 0.5\n'
        '[network.credentials.forge]\norigin = "https://forge.example:8443"\n'
    ).network
    assert network.of_host("forge.example", 8443).pace == 0.5
    assert network.of_host("forge.example", 8443).deadline == network.deadline
    assert network.of_host("forge.example", 443).pace == network.pace
    assert network.credentials["forge"].origin == "https://forge.example:8443"


@pytest.mark.parametrize(
    ("variable", "value", "key", "found"),
    [
        ("MONITOR_NETWORK__GATEWAY", "http://127.0.0.1:9/", "gateway", "http://127.0.0.1:9/"),
        ("MONITOR_NETWORK__USER_AGENT", "7", "user_agent", "7"),
        ("MONITOR_NETWORK__PACE", "0.5", "pace", 0.5),
        ("MONITOR_NETWORK__DEADLINE", "2m", "deadline", 120.0),
        ("MONITOR_NETWORK__DEADLINE", "2", "deadline", 2.0),
        ("MONITOR_NETWORK__MAX_BODY", "1 MiB", "max_body", 2**20),
        ("MONITOR_NETWORK__ALLOW_PRIVATE", "a:1,b:2", "allow_private", ("a:1", "b:2")),
        ("MONITOR_NETWORK__ALLOW_PRIVATE", '["a:1"]', "allow_private", ("a:1",)),
        ("MONITOR_NETWORK__PORTS", "{ http = [81] }", "ports", {"http": (81,)}),
    ],
)
def test_an_environment_variable_goes_before_the_file(variable, value, key, found):
    settings = read('[network]\npace = 9\nuser_agent = "x"', {variable: value})
    assert getattr(settings.network, key) == found
    assert settings.origins[f"network.{key}"] == variable


def test_other_variables_of_ours_are_no_settings():
    assert read(environ={"MONITOR_SHARED": "x", "MONITOR_CONFIG": "y"}) == Settings()


# What is wrong


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[network]\n\npaces = 3", ":3: network.paces: unknown setting (did you mean 'pace'?)"),
        ("[netwrk]\n", "monitor.toml:1: netwrk: unknown table (did you mean 'network'?)"),
        ("pace = 3", "monitor.toml:1: pace: stands in no table (write it below [network])"),
        ("pacing = 3", "pacing: stands in no table (known tables: daemon, feed,"),
        (
            "[network]\ncontact = mailto:a@b.example",
            "monitor.toml:2: not TOML: Invalid value (text",
        ),
        ("[network]\ncontact = 'me'", '"me" is no address at which you can be reached'),
        ("[network]\npace = 'x'", ':2: network.pace: must be a number of at least 0, not "x"'),
        ("[network]\nretries = true", "retries: must be a whole number of at least 0, not true"),
        ("[network]\nretries = -1", "retries: must be a whole number of at least 0, not -1"),
        ("[feed]\npage_size = 0", "feed.page_size: must be a whole number from 1 to 10000, not 0"),
        ("[feed]\nenabled = 1", "feed.enabled: must be true or false, not 1"),
        ("[network]\nallow_private = 'a:1'", 'allow_private: must be a list, each text, not "a:1"'),
        ("[network]\ndeadline = '3 fortnights'", "'3 fortnights' is not a duration; write it as"),
        ("[network]\ndeadline = -3", 'deadline: must be a duration such as "10m" or "3d", not -3'),
        ("[network]\nmax_body = '3 m'", "'3 m' is not a size"),
        ("[log]\nlevel = 'warn'", "(did you mean 'warning'?)"),
        ("network = 3", "monitor.toml:1: network: must be a table, not 3"),
        ("[network\n", "monitor.toml:1: not TOML"),
        ("[network]\npace = 1\npace = 2", "monitor.toml:3: not TOML"),
        (
            "[network.hosts.'a.example']\nx = 1",
            "monitor.toml:2: network.hosts.a.example.x: unknown",
        ),
        ("[network.ports]\nhttp = [0]", "network.ports: must be"),
        ("[network]\ngateway = 'ftp://x'", "is not an http or https address"),
        ("[network]\nrecord = 'a'\nreplay = 'b'", "cannot be recorded while they are replayed"),
        ("[network]\nallow_private = ['10.0.0.1']", "names no host and port"),
        ("[schedule]\nmin_interval = '8d'", "is longer than schedule.max_interval"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_would_be_right(text, told):
    [problem] = wrong(text)
    assert told in problem


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"sources__a": "poll = 3"}, "'provider' is missing (such as provider = \"pypi\""),
        (
            {"sources__a": "provider = 'x'\n[settings]\nurl = 'www.a.example/'"},
            'a.toml:3: settings.url: "www.a.example/" is no address (write the whole of it',
        ),
        ({"sources__a": "provider = 'x'\nurl = 'y'"}, "stands under [settings]: url = …"),
        ({"sources__a": "provider = 'x'\nfollow = 'al'"}, "sources/a.toml:2: follow: must be"),
        ({"sources__A b": "provider = 'x'"}, "cannot name a source"),
        (
            {"packages": "[[package]]\nname = 'a'\n"},
            "packages.toml:1: package[0]: 'upstream' is missing",
        ),
        ({"packages": "[[package]]\nupstream = 'requests'\n"}, "names no project"),
        (
            {"packages": "[[package]]\nupstream = []\n"},
            "packages.toml:2: package[0].upstream: names no",
        ),
        (
            {"packages": "[[package]]\nupstream = 'a/b'\npin = '=>'\n"},
            "packages.toml:3: package[0].pin:",
        ),
        (
            {"packages": "[[package]]\nupstream = 'a/b'\n[[package]]\nupstream = 'c/b'"},
            "'b' is already",
        ),
        (
            {"packages": "[[package]]\nupstream = 'a/b'\n[package.rules]\nexclude = ['(']"},
            "packages.toml:4: package[0].rules.exclude: '(' is no RE2 pattern",
        ),
        (
            {"builds": "[[build]]\nmatch = 'requests'"},
            'builds.toml:2: build[0].match: "requests" can',
        ),
        (
            {"builds": "[[build]]\nmatch = 'pkg:pypi/*'\nminimum_ages = 3"},
            "did you mean 'minimum_age'",
        ),
    ],
)
def test_a_mistake_in_another_file_is_told_the_same_way(files, told):
    [problem] = wrong(**files)
    assert told in problem


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file():
    found = wrong("[network]\nb = 1\na = 1\n[feed]\nkeep = 'x'\n", sources__x="")
    assert [p.split(": ")[0] for p in found] == [
        "monitor.toml:2",
        "monitor.toml:3",
        "monitor.toml:5",
        "sources/x.toml",
    ]


def test_two_sources_of_one_name_are_a_mistake():
    one, two = 'provider = "git"', 'provider = "git"\nname = "one"'
    assert "another source is called 'one'" in wrong(sources__one=one, sources__two=two)[0]


def test_a_mistake_in_a_variable_names_the_variable():
    [problem] = wrong(environ={"MONITOR_NETWORK__GATEWAYS": "x"})
    assert problem.startswith("MONITOR_NETWORK__GATEWAYS: network.gateways: unknown setting")
    [problem] = wrong(environ={"MONITOR_NETWORK__PACE": "quick"})
    assert problem.startswith("MONITOR_NETWORK__PACE: network.pace: must be a number")
    [problem] = wrong(environ={"MONITOR_NETWRK__PACE": "1"})
    assert "did you mean 'network'" in problem


def test_G08_a_token_in_an_address_is_refused_and_not_repeated():
    url = "https://me:hunter2@mirror.example/"
    for found in (
        wrong(sources__a=f'provider = "git"\n[settings]\nurl = "{url}"'),
        wrong(f'[network]\ngateway = "{url}"'),
        wrong(f'[feed]\nbase_url = "{url}"'),
        wrong(f'[network.credentials.a]\norigin = "{url}"'),
    ):
        assert len(found) == 1
        assert "network.credentials" in found[0]
        assert "hunter2" not in found[0]


def test_G11_a_credential_that_is_bound_to_no_server_is_refused():
    [problem] = wrong("[network.credentials.github]\n")
    assert problem.startswith("monitor.toml:1: network.credentials.github: ")
    assert "bound to no server" in problem


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        (0o600, None),
        (0o400, None),
        (0o644, "others may read"),
        (0o640, "others may read"),
        (None, "cannot be read"),
    ],
)
def test_G12_a_secret_that_others_may_read_is_refused(tmp_path, mode, told):
    config = folder_of(
        tmp_path, monitor='[network.credentials.forge]\norigin = "https://forge.example"\n'
    )
    (tmp_path / "credentials").mkdir()
    if mode is not None:
        (tmp_path / "credentials" / "forge").write_text("s3cret")
        (tmp_path / "credentials" / "forge").chmod(mode)
    found = check(config)
    assert len(found) == (told is not None)
    assert not told or told in str(found[0])


def test_G09_what_holds_is_shown_without_secrets():
    settings = read(
        '[notify]\nurls = ["mailto://me:hunter2@mail.example"]',
        sources__a='provider = "git"\n[settings]\ntoken = "hunter2"\nurl = "https://a.example"',
    )
    text = effective(settings)
    assert "hunter2" not in text
    assert "mailto://…" in text
    assert "https://a.example" in text


@given(text=st.text(max_size=60))
def test_no_text_makes_the_reader_itself_stumble(text):
    parse({"monitor.toml": text, "sources/a.toml": text, "packages.toml": text}, {})


TOML = st.recursive(
    st.booleans() | st.integers(-9, 9) | st.floats() | st.text(max_size=5),
    lambda below: (
        st.lists(below, max_size=2) | st.dictionaries(st.text(max_size=3), below, max_size=2)
    ),
    max_leaves=4,
)


@given(section=st.sampled_from(SECTIONS), data=st.data())
def test_a_value_of_the_wrong_kind_is_a_problem_not_a_trace(section, data):
    kind = hints_of(Settings)[section]
    key = data.draw(st.sampled_from(kind.__struct_fields__))
    value = data.draw(TOML)
    text = f"[{section}]\n{key} = {written(object, value)}"
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    settings, problems = parse({"monitor.toml": text}, {})
    assert problems or getattr(settings, section) is not None
    assert all("monitor.toml:2" in p.where for p in problems)


# Where things lie


def test_the_folder_that_is_asked_for_goes_first(tmp_path):
    environ = HOME | {"MONITOR_CONFIG": str(ROOT)}
    assert Config.find(str(tmp_path), environ).folder == tmp_path
    assert Config.find(None, environ).folder == ROOT
    with pytest.raises(SettingsError, match="no such folder"):
        Config.find(str(tmp_path / "nothing"), environ)


def test_under_systemd_its_folders_are_taken(tmp_path):
    folder_of(tmp_path / "etc", monitor="")
    environ = {
        "HOME": "/nowhere",
        "CONFIGURATION_DIRECTORY": str(tmp_path / "etc"),
        "STATE_DIRECTORY": "/var/lib/monitor",
        "CREDENTIALS_DIRECTORY": "/run/credentials/monitor",
    }
    settings = load(Config.find(environ=environ))
    assert settings.folder == str(tmp_path / "etc")
    assert str(settings.state.database) == "/var/lib/monitor/monitor.db"
    assert settings.network.credentials_folder == "/run/credentials/monitor"


def test_a_person_has_folders_by_the_xdg_specification(tmp_path):
    folder_of(tmp_path / ".config" / "release-monitor", packages="")
    settings = load(Config.find(environ={"HOME": str(tmp_path)}))
    assert settings.folder == str(tmp_path / ".config" / "release-monitor")
    assert settings.state.dir == str(tmp_path / ".local/state/release-monitor")
    assert settings.feed.dir == f"{settings.state.dir}/feed"
    moved = {"HOME": str(tmp_path), "XDG_STATE_HOME": "/s", "XDG_CONFIG_HOME": "relative"}
    assert load(Config.find(environ=moved)).state.dir == "/s/release-monitor"


def test_a_machine_without_settings_has_the_shipped_ones(tmp_path):
    if any(Path("/etc/release-monitor").glob("*")):
        pytest.skip("this machine has settings of its own")
    assert Config.find(environ={"HOME": str(tmp_path)}).folder == shipped() == ROOT / "config"


def test_relative_folders_belong_to_the_file_that_names_them(tmp_path):
    text = (
        '[state]\ndir = "state"\n[queue]\ndir = "q"\n[network]\nreplay = "answers"\nca_file = "~/a"'
    )
    settings = load(folder_of(tmp_path, monitor=text))
    assert settings.state.dir == str(tmp_path / "state")
    assert settings.queue.dir == str(tmp_path / "state" / "q")
    assert settings.network.replay == str(tmp_path / "answers")
    assert settings.network.ca_file == str(Path("~/a").expanduser())


def test_a_file_that_nothing_reads_is_a_mistake(tmp_path):
    [problem] = check(folder_of(tmp_path, package=""))
    assert "did you mean 'packages.toml'?" in str(problem)


def test_a_file_that_is_not_text_is_a_mistake(tmp_path):
    (tmp_path / "monitor.toml").write_bytes(b"[network]\n\xff")
    [problem] = check(Config(tmp_path, HOME))
    assert "not UTF-8 at byte 10" in str(problem)


def test_H18_loading_wrong_settings_raises_and_names_the_place(tmp_path):
    config = folder_of(tmp_path, monitor="[network]\npace = 'x'")
    with pytest.raises(SettingsError) as caught:
        load(config)
    assert caught.value.where == f"{tmp_path}/monitor.toml:2: network.pace"


# Lines


def test_lines_are_found_in_every_spelling():
    text = '''
a = 1
[b]
"c d" = 2
e.f = 3
g = """
h = 1
"""
i = 4
[[j]]
k = 5
[j.l]
m = 6
[[j]]
k = 7
[ n . "o.p" ]  # q
r = [
  1,
]
'''
    expected = {
        ("a",): 2,
        ("b",): 3,
        ("b", "c d"): 4,
        ("b", "e", "f"): 5,
        ("b", "i"): 9,
        ("j", 0): 10,
        ("j", 0, "k"): 11,
        ("j", 0, "l", "m"): 13,
        ("j", 1, "k"): 15,
        ("n", "o.p", "r"): 17,
        ("b", "h"): 3,
        ("nothing",): None,
    }
    assert {path: nearest(lines_of(text), path) for path in expected} == expected


# Units


@given(st.integers(0, 10**9) | st.floats(0, 10**6).map(lambda x: round(x, 3)))
def test_a_duration_that_is_written_is_read_back(seconds):
    assert duration(duration_text(seconds)) == pytest.approx(seconds)


@given(st.integers(0, 10**13))
def test_a_size_that_is_written_is_read_back(count):
    assert size(size_text(count)) == count


@pytest.mark.parametrize("text", ["", "3", "d", "3 x", "-3d", "1e3s", "3d!", "٣d", "inf s"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="is not a duration"):
        duration(text)


# What is documented, and what is shipped


def test_every_setting_says_what_it_is_for():
    kinds = {hints_of(Settings)[name] for name in SECTIONS} | {Source, Package, Build, Builds}
    for kind in kinds:
        assert set(sentences(kind)) >= set(kind.__struct_fields__), kind
        assert all(said.endswith((".", "`")) for said in sentences(kind).values())


def test_the_page_and_the_shipped_file_are_written_from_the_code():
    remedy = "run `python -m monitor.settings docs|config` and commit the result"
    assert (ROOT / "docs" / "settings.md").read_text() == settings_page(), remedy
    assert (ROOT / "config" / "monitor.toml").read_text() == shipped_text(), remedy


def test_each_default_that_is_shown_is_the_default_of_the_code():
    text = re.sub(r"^#(\w+ = )", r"\1", shipped_text(), flags=re.MULTILINE)
    settings, problems = parse({"monitor.toml": text}, {})
    assert problems == []
    assert msgspec.structs.replace(settings, origins={}) == Settings()


def test_every_setting_is_shown_and_every_example_is_taken():
    text = re.sub(r"^# ?(\w+ = |\[)", r"\1", shipped_text(), flags=re.MULTILINE)
    text = re.sub(r"^record = .*\n", "", text, flags=re.MULTILINE)  # not beside replay
    table = tomllib.loads(text)
    assert parse({"monitor.toml": text}, {})[1] == []
    for name in SECTIONS:
        keys = set(hints_of(Settings)[name].__struct_fields__)
        assert keys - {"record"} == set(table[name]), name
    assert {key.partition(".")[0] for key in [*EXAMPLES, *TABLES]} <= set(SECTIONS)


def test_the_shipped_folder_is_right():
    assert check(Config(ROOT / "config", HOME)) == []
    settings = load(Config(ROOT / "config", HOME))
    assert msgspec.structs.replace(settings.network, credentials_folder=None) == NetworkSettings()
    assert settings.builds.build[0] == Build(match="pkg:pypi/*")


@pytest.mark.parametrize("name", ["builds.toml", "packages.toml"])
def test_the_examples_in_the_shipped_files_are_taken(name):
    text = (ROOT / "config" / name).read_text()
    text = re.sub(r"^# ?(\w+ = |\[)", r"\1", text, flags=re.MULTILINE)
    settings, problems = parse({name: text}, {})
    assert problems == []
    assert settings.builds.high_water == Builds().high_water
    assert settings.builds.settle == Builds().settle
    for build in settings.builds.build[-1:] if name == "builds.toml" else ():
        assert build == Build(match="pkg:pypi/*")
    assert len(settings.packages) == (2 if name == "packages.toml" else 0)


def test_what_holds_is_shown_with_where_it_was_set(tmp_path):
    config = folder_of(
        tmp_path, monitor='[network]\npace = 1\n[network.hosts."a.example"]\npace = 2'
    )
    text = effective(load(config))
    assert re.search(rf"^pace = 1.0 +# {tmp_path}/monitor.toml:2$", text, re.MULTILINE)
    assert re.search(
        rf'^\[network.hosts."a.example"\]\npace = 2.0 +# {tmp_path}/monitor.toml:4$',
        text,
        re.MULTILINE,
    )
    assert re.search(r'^deadline = "5m" +# default$', text, re.MULTILINE)
    assert tomllib.loads(text)["network"]["hosts"]["a.example"]["pace"] == 2
    again = {k: v for k, v in tomllib.loads(text).items() if k in SECTIONS}
    assert msgspec.convert(
        {k: v for k, v in again["schedule"].items() if k == "jitter"}, dict[str, float]
    ) == {"jitter": 0.1}


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
UPSTREAMS = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8).map(
    "pypi/{}".format
)
RULES = st.builds(
    Rules,
    prefix=st.none() | NAMES,
    skip=st.lists(NAMES, max_size=2).map(tuple),
    odd_minors=st.none() | st.booleans(),
    min_age=st.none() | st.integers(0, 10**6).map(float),
    epochs=st.just(()) | st.just((Epoch(number=1, since="2016-08-01"),)),
)
PACKAGES = st.builds(
    Package,
    upstream=UPSTREAMS | st.lists(UPSTREAMS, min_size=1, max_size=2).map(tuple),
    name=NAMES,
    packaged=st.none() | NAMES,
    skip=st.lists(NAMES, max_size=2).map(tuple),
    pin=st.none() | st.just("4.2"),
    rules=RULES,
)


@given(st.lists(PACKAGES, max_size=3, unique_by=lambda package: package.name))
def test_packages_that_are_written_are_read_back(packages):
    settings, problems = parse({"packages.toml": packages_text(packages)}, {})
    assert problems == []
    assert settings.packages == tuple(packages)


def test_values_are_written_in_the_unit_people_use():
    assert written(Duration, 300.0) == '"5m"'
    assert written(dict[str, tuple[int, ...]], {"a.b": (1, 2)}) == '{ "a.b" = [1, 2] }'


SOURCES = sorted((ROOT / "config" / "sources").glob("*.toml"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
@pytest.mark.parametrize("examples", [False, True], ids=["as it is", "with its examples"])
def test_each_shipped_source_fits_its_provider(path, examples):
    text = path.read_text()
    if examples:
        text = re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE)
    settings, problems = parse({f"sources/{path.name}": text}, {})
    assert problems == []
    source = settings.sources[path.stem]
    assert providers.load(source.provider, **source.settings)


def test_a_shipped_source_says_what_it_is():
    for path in SOURCES:
        assert path.read_text().startswith("# "), path
