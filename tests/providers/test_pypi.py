"""PyPI. Samples are made in the shape of PEP 691 and 700; recordings lie in the shared folder."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from monitor.model import Partial, Release, Request, State, Unread
from providers.pypi import provider, read_files, read_updates
from tests.formats.answers import answer

URL = "https://up.example/simple/argset/"


def file(name="argset-0.1.0.tar.gz", **said):
    return {
        "filename": name,
        "url": f"https://files.example/{name}",
        "hashes": {"md5": "0", "sha256": "ab" * 32},
        "size": 5219,
        "yanked": False,
        "upload-time": "2021-06-05T00:15:37.534150Z",
    } | said


def page(*files, **said):
    body = {"meta": {"api-version": "1.4"}, "name": "argset", "files": list(files)}
    return body | {"versions": ["0.1.0"]} | said


def read(body, project="argset"):
    return list(read_files(answer(body, URL, project)))


def test_a_release_has_all_its_files_with_digest_size_and_date():
    wheel = file("argset-0.1.0-py3-none-any.whl", **{"upload-time": "2021-06-05T00:15:36Z"})
    (release,) = read(page(file(), wheel))

    assert (release.project, release.version, release.state) == ("argset", "0.1.0", State.LISTED)
    assert release.published == datetime(2021, 6, 5, 0, 15, 36, tzinfo=UTC)
    assert [(f.kind, f.size, f.digest) for f in release.files] == [
        ("source", 5219, "sha256:" + "ab" * 32),
        ("binary", 5219, "sha256:" + "ab" * 32),
    ]


@pytest.mark.parametrize(
    ("flags", "state", "reason"),
    [
        ([False, False], State.LISTED, None),
        ([True, False], State.LISTED, None),
        ([True, True], State.YANKED, None),
        (["breaks", True], State.YANKED, "breaks"),
        ([True, ""], State.YANKED, None),
    ],
)
def test_a_release_is_yanked_when_all_its_files_are(flags, state, reason):
    wheels = [
        file(f"argset-0.1.0-{i}-py3-none-any.whl", yanked=flag) for i, flag in enumerate(flags)
    ]
    (release,) = read(page(*wheels))

    assert (release.state, release.reason) == (state, reason)
    assert [f.yanked for f in release.files] == [flag is not False for flag in flags]


def test_what_a_mirror_does_not_say_was_not_said():
    (release,) = read(
        {
            "meta": {},
            "name": "argset",
            "files": [
                {"filename": "argset-1.0.zip", "url": "../../x/argset-1.0.zip", "hashes": {}}
            ],
        }
    )

    assert (release.version, release.published) == ("1.0", None)
    assert release.files[0].url == "https://up.example/x/argset-1.0.zip"
    assert (release.files[0].digest, release.files[0].size) == (None, None)


def test_the_published_spelling_of_a_version_is_kept():
    (release,) = read(page(file("argset-1.0rc1-py3-none-any.whl"), versions=["1.0.0-RC1"]))

    assert (release.version, len(release.files)) == ("1.0.0-RC1", 1)


def test_a_quarantined_project_withdraws_nothing():
    found = read(
        page(**{"project-status": {"status": "quarantined", "reason": "malware"}, "versions": []})
    )

    assert found == [Partial("malware")]


def test_the_versions_of_a_quarantined_project_are_quarantined():
    _, release = read(page(**{"project-status": {"status": "quarantined"}}))

    assert release.state is State.QUARANTINED


def test_B01_a_project_without_files_has_no_versions():
    assert read(page(versions=[])) == []


def test_A34_the_page_of_another_project_is_refused():
    with pytest.raises(ValueError, match="not of"):
        read(page(file()), "other")
    assert read(page(name="Arg.Set", versions=[]), "arg-set") == []


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (page(file(url=None)), "files[0].url"),
        (page(file(hashes=[])), "files[0].hashes"),
        (page(file(yanked=None)), "files[0].yanked"),
        (page(files=None), "files"),
        (page(versions=[1.10]), "versions[0]"),
        ({"meta": {}, "files": []}, "name"),
    ],
)
def test_B04_what_is_missing_or_of_another_kind_is_named_by_its_path(body, path):
    with pytest.raises(ValueError) as error:
        read(body)

    assert path in str(error.value)


@pytest.mark.parametrize(
    "body",
    [
        '{"meta": {}, "name": "argset", "name": "other", "files": []}',
        '{"meta": {}, "n\\u0061me": "argset", "name": "other", "files": []}',
        '{"name": "argset", "files": [{"filename": "argset-1.tar.gz", "url": "a", "url": "b",'
        ' "hashes": {}}]}',
        '{"name": "argset", "files": [{"filename": "argset-1.tar.gz", "url": "a",'
        ' "hashes": {"sha256": "a", "sha256": "b"}}]}',
    ],
)
def test_B11_a_key_that_is_given_twice_is_refused(body):
    with pytest.raises(ValueError, match="duplicate"):
        read(body)


@pytest.mark.parametrize("version", ["1.\uff10", "1.0\u200b", "1.0\x1b[31m", "1.0\n", ""])
def test_B08_a_version_that_only_looks_like_one_is_a_dead_letter(version):
    (found,) = read(page(versions=[version]))

    assert isinstance(found, Unread)
    assert found.raw.isascii()
    assert found.raw.isprintable()


def test_a_file_of_no_version_is_a_dead_letter():
    release, stray = read(page(file(), file("other-9.zip")))

    assert (release.version, type(stray)) == ("0.1.0", Unread)


def test_a_file_that_lies_on_no_web_server_is_left_out():
    (release,) = read(
        page(file(url="file:///etc/passwd"), file("argset-0.1.0.zip", url="https://u:p@x/"))
    )

    assert release.files == ()


def test_the_address_of_a_mirror_replaces_the_public_one():
    mirror = provider(url="https://pypi.example/")

    assert mirror.versions is not None
    assert mirror.versions.of("argset").url == "https://pypi.example/simple/argset/"
    assert mirror.versions.of("../x").url == "https://pypi.example/simple/..%2Fx/"


def test_D01_the_recorded_feed_has_its_window(shared):
    releases = list(read_updates(answer((shared / "data/pypi/updates.xml").read_bytes())))

    assert len(releases) == 100
    assert releases[0] == Release(
        "GeoMeshPy",
        "0.0.11",
        published=datetime(2022, 3, 22, 16, 54, 42, tzinfo=UTC),
        page=releases[0].page,
    )
    assert min(release.published for release in releases) == datetime(
        2022, 3, 22, 16, 24, 6, tzinfo=UTC
    )


def test_the_recorded_page_has_two_releases_with_all_their_files(shared):
    body = (shared / "data/pypi/numpy-simple.json").read_bytes()
    found = read(body, "numpy")

    assert [(release.version, len(release.files)) for release in found] == [
        ("1.5.0", 2),
        ("1.5.1", 6),
    ]
    assert all(f.digest and f.size and f.published for release in found for f in release.files)


# ── what a release says of itself ─────────────────────────────────────────────────────

PROOF = "https://up.example/integrity/argset/0.1.0/argset-0.1.0.tar.gz/provenance"
WHEEL = "argset-0.1.0-py3-none-any.whl"


def traits(*files):
    asked = provider(url="https://up.example").traits
    (release,) = read(page(*files))
    return asked, release


def said(asked, body, address, accept=None):
    found = answer(body, address)
    found.request = Request(address, accept)
    return [(trait.name.value, trait.value) for trait in asked.read(found)]


@pytest.mark.parametrize(
    ("proofs", "value"),
    [
        ([PROOF, PROOF], "attested"),
        ([PROOF, None], "partly"),
        ([None, None], "none"),
    ],
)
def test_E06_its_page_says_which_files_are_attested(proofs, value):
    asked, release = traits(file(provenance=proofs[0]), file(WHEEL, provenance=proofs[1]))

    assert [t.value for t in asked.seen(release) if t.name == "provenance"] == [value]


def test_E06_a_mirror_that_knows_no_attestations_has_not_said_that_there_are_none():
    asked, release = traits(file(), file(WHEEL))

    assert [f.provenance for f in release.files] == [None, None]
    assert [t.name for t in asked.seen(release)] == ["install_hook"]


@pytest.mark.parametrize(("names", "hook"), [([], "yes"), ([WHEEL], "no")])
def test_E22_a_release_without_a_wheel_runs_code_where_it_is_installed(names, hook):
    asked, release = traits(file(), *map(file, names))

    assert ("install_hook", hook) in [(t.name, t.value) for t in asked.seen(release)]


def test_E07_one_attested_file_of_each_kind_is_asked_who_attests_it():
    more = [file(f"argset-0.1.0-cp3{n}-none-any.whl", provenance=f"{PROOF}?{n}") for n in range(9)]
    asked, release = traits(file(provenance=PROOF), *more)

    first, *proofs = asked.of(release)
    assert first.url == "https://up.example/pypi/argset/0.1.0/json"
    assert sorted(one.url for one in proofs) == [PROOF, f"{PROOF}?0"]
    bundle = {"publisher": {"kind": "GitHub", "repository": "a/b", "workflow": "w.yml"}}
    body = {"version": 1, "attestation_bundles": [bundle | {"attestations": []}]}
    assert said(asked, body, PROOF, proofs[0].accept) == [
        ("identity", "GitHub repository=a/b workflow=w.yml")
    ]


@pytest.mark.parametrize(
    ("info", "found"),
    [
        ({"license_expression": "MIT", "license": "other"}, [("licence", "MIT")]),
        ({"classifiers": ["License :: OSI Approved :: MIT License"], "license": "x"},
         [("licence", "MIT License")]),
        ({"license": "BSD"}, [("licence", "BSD")]),
        ({"license": "Copyright " + "x" * 200}, []),
        ({}, []),
        ({"project_urls": {"Homepage": "https://a.example", "source-code": "https://b.example"}},
         [("source", "https://b.example")]),
    ],
)  # fmt: skip
def test_E10_E11_its_document_says_licence_and_source(info, found):
    asked, _ = traits(file())

    assert said(asked, {"info": info}, "https://up.example/pypi/argset/0.1.0/json") == found


def test_E09_its_document_says_who_may_publish():
    asked, _ = traits(file())
    roles = [{"role": "Owner", "user": "bob"}, {"role": "Maintainer", "user": "ann"}]
    body = {"info": {}, "ownership": {"roles": roles, "organization": "argorg"}}

    assert said(asked, body, "https://up.example/x") == [("owners", "@argorg ann bob")]


def test_E10_E11_the_recorded_document_says_licence_and_source(shared):
    body = json.loads((shared / "data/pypi/flask.json").read_text())
    asked, _ = traits(file())

    assert said(asked, body, "https://up.example/x") == [
        ("licence", "BSD-3-Clause"),
        ("source", "https://github.com/pallets/flask/"),
    ]
