"""What a change in what releases say of themselves means: with literals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.formats.attestations import attested, identity
from monitor.model import About, Kind
from monitor.traits import Before, compare, same_address, same_licence


def told(name, before, value, uploaders=()):
    changes = compare("2.0", {name: value}, {name: Before("1.0", before)}, uploaders)
    return [
        (change.kind, change.reason, change.payload().get("alarm", False)) for change in changes
    ]


@pytest.mark.parametrize(
    ("name", "before", "value", "kind", "reason"),
    [
        (About.PROVENANCE, "attested", "none", Kind.PROVENANCE_LOST,
         "2.0 is not attested, 1.0 was"),
        (About.PROVENANCE, "attested", "partly", Kind.PROVENANCE_LOST,
         "2.0 is attested in part only, 1.0 was"),
        (About.PROVENANCE, "partly", "none", Kind.PROVENANCE_LOST,
         "2.0 is not attested, 1.0 was in part"),
        (About.IDENTITY, "GitHub a/b", "GitHub c/b", Kind.IDENTITY_CHANGED,
         "2.0 is attested by GitHub c/b, 1.0 by GitHub a/b"),
    ],
)  # fmt: skip
def test_E06_E07_less_or_another_attestation_is_an_alarm(name, before, value, kind, reason):
    assert told(name, before, value) == [(kind, reason, True)]


@pytest.mark.parametrize(
    ("name", "before", "value", "kind", "reason"),
    [
        (About.OWNERS, "ann bob", "ann eve", Kind.MAINTAINER_CHANGED,
         "the maintainers changed since 1.0: with eve, without bob"),
        (About.UPLOADER, "ann", "eve", Kind.MAINTAINER_CHANGED,
         "2.0 was published by eve, who published none before; 1.0 by ann"),
        (About.LICENCE, "MIT", "BUSL-1.1", Kind.LICENCE_CHANGED,
         "2.0 is under BUSL-1.1, 1.0 was under MIT"),
        (About.SOURCE, "https://a.example/x", "https://b.example/x", Kind.SOURCE_MOVED,
         "2.0 names https://b.example/x as its source, 1.0 named https://a.example/x"),
        (About.INSTALL_HOOK, "no", "yes", Kind.CHANGED,
         "installing 2.0 runs code of its own, installing 1.0 did not"),
    ],
)  # fmt: skip
def test_E09_E10_E11_E22_other_changes_are_told_with_both_values(name, before, value, kind, reason):
    assert told(name, before, value) == [(kind, reason, False)]


@pytest.mark.parametrize(
    ("name", "before", "value"),
    [
        (About.PROVENANCE, "none", "attested"),
        (About.PROVENANCE, "partly", "attested"),
        (About.PROVENANCE, "none", "partly"),
        (About.PROVENANCE, "attested", "a word of the future"),
        (About.OWNERS, "ann bob", "bob ann"),
        (About.INSTALL_HOOK, "yes", "no"),
        (About.INSTALL_HOOK, "yes", "yes"),
    ],
)
def test_what_is_no_worse_is_not_told(name, before, value):
    assert told(name, before, value) == []


def test_E09_whoever_published_an_earlier_release_is_not_new():
    assert told(About.UPLOADER, "ann", "bob", ["ann", "bob"]) == []
    assert told(About.UPLOADER, "ann", "eve", ["ann", "bob"])


@given(st.sampled_from(About), st.text(min_size=1), st.booleans())
def test_what_is_not_said_and_what_is_said_again_changes_nothing(name, value, before):
    known = {name: Before("1.0", value)}

    assert list(compare("2.0", {}, known)) == []
    assert list(compare("2.0", {name: value}, {})) == []
    assert list(compare("2.0", {name: value}, known)) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("MIT", "MIT License"),
        ("BSD License", "BSD-3-Clause"),
        ("Apache Software License", "Apache-2.0"),
        ("Apache 2.0", "Apache-2.0"),
        ("GNU General Public License v3 (GPLv3)", "GPL-3.0-only"),
        ("MIT/Apache-2.0", "MIT OR Apache-2.0"),
        ("apache-2.0 or mit", "Apache-2.0 OR MIT"),
    ],
)
def test_E10_a_licence_in_other_words_is_the_same(one, other):
    assert same_licence(one, other)
    assert same_licence(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("MIT", "BUSL-1.1"),
        ("MIT", "MIT AND Apache-2.0"),
        ("GPL-2.0-only", "GPL-2.0-or-later"),
        ("MIT License", "Proprietary"),
        ("GPLv2", "GPL-3.0-only"),
        ("BSD License", "Elastic-2.0"),
    ],
)
def test_E10_another_licence_is_another_one(one, other):
    assert not same_licence(one, other)
    assert not same_licence(other, one)


@given(st.text(), st.text())
def test_any_text_can_be_compared_and_the_order_does_not_matter(one, other):
    assert same_licence(one, one)
    assert same_licence(one, other) is same_licence(other, one)
    assert same_address(one, one)
    assert same_address(one, other) is same_address(other, one)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("https://github.com/pallets/flask/", True),
        ("http://www.github.com/Pallets/flask.git", True),
        ("https://github.com/pallets/flask/tree/main/src", True),
        ("https://gitlab.com/pallets/flask", False),
        ("https://github.com/pallets/flask2", False),
    ],
)
def test_E11_a_repository_may_be_written_in_several_ways(other, same):
    assert same_address("https://github.com/pallets/flask", other) is same


def test_an_identity_is_whose_it_is_and_not_which_run_of_theirs():
    first = {"kind": "GitHub", "repository": "a/b", "workflow": "w.yml", "environment": "pypi"}
    again = first | {"environment": None, "claims": {"sha": "1"}}

    assert identity(first) == identity(again) == "GitHub repository=a/b workflow=w.yml"
    assert identity({"provider": "github", "repository": "a/b", "run_id": "7", "sha": "0"}) == (
        "github repository=a/b"
    )


@pytest.mark.parametrize(
    ("files", "value"),
    [([], None), ([True], "attested"), ([True, False], "partly"), ([False, False], "none")],
)
def test_a_release_is_attested_when_all_its_files_are(files, value):
    assert attested(files) == value
