"""The settings of a project: what they refuse, and with which words."""

from __future__ import annotations

import msgspec
import pytest

from monitor.errors import SettingsError
from monitor.judge import Candidate, judge
from monitor.rules import Epoch, Rules, pattern, terms
from tests.judge.builders import judged


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"include": ("ok", "(")}, "include[1]"),
        ({"exclude": ("(?=x)",)}, "exclude[0]"),
        ({"exclude": ("x" * 1001,)}, "exclude[0]"),
        ({"tag": "v"}, "tag"),
        ({"tag": "{version}-{version}"}, "tag"),
        ({"tag": "{name}-{version}"}, "tag"),
        ({"streams": "minors"}, "streams"),
        ({"streams": "(?:x)"}, "streams"),
        ({"transform": ("upper",)}, "transform"),
        ({"prereleases": "never"}, "prereleases"),
        ({"unstable_from": 1}, "unstable_from"),
        ({"pin": ">= "}, "pin"),
        ({"pin": "~1.0"}, "pin"),
        ({"pin": ""}, "pin"),
    ],
)
def test_a_wrong_setting_is_refused_where_it_stands(settings, key):
    with pytest.raises(SettingsError) as caught:
        Rules(**settings)

    assert caught.value.where == key
    assert caught.value.remedy


@pytest.mark.parametrize(
    "epoch", [{}, {"since": "2016-8-1"}, {"since": "20160801"}, {"since": "soon"}, {"match": "("}]
)
def test_an_epoch_that_can_fit_nothing_is_refused(epoch):
    with pytest.raises(SettingsError):
        Epoch(number=1, **epoch)


def test_an_unknown_setting_is_refused():
    with pytest.raises(msgspec.ValidationError, match="regex"):
        msgspec.convert({"regex": "x"}, Rules)


def test_settings_come_from_a_file():
    rules = msgspec.toml.decode(
        """
        scheme = "semver"
        exclude = ["-nightly"]
        transform = ["underscores"]
        epochs = [{ number = 1, since = "2016-08-01" }]
        """,
        type=Rules,
    )

    assert rules.epochs == (Epoch(number=1, since="2016-08-01"),)
    assert rules.transform == ("underscores",)


def test_a_project_says_only_what_differs_from_its_source():
    source = Rules(scheme="gnome", odd_minors=True, skip=("1.0",))

    assert Rules(scheme="generic").over(source) == Rules(
        scheme="generic", odd_minors=True, skip=("1.0",)
    )
    assert Rules().over(source) == source
    assert Rules(odd_minors=False).over(source).odd_minors is False


def test_f19_a_hostile_pattern_on_hostile_text_takes_linear_time():
    # A backtracking engine would need 2^200 steps for this.
    hostile = "a" * 200 + "b"

    assert pattern("(a+)+$", "include").search(hostile) is None
    [verdict] = judged(hostile + "1.0", include=("(a+)+$",))
    assert verdict.rule == "include"


def test_f12_upstream_text_is_never_part_of_a_pattern():
    verdicts = judge(
        [Candidate("1.0", tag="aXb-1.0"), Candidate("2.0", tag="a.b-2.0")],
        scheme="generic",
        rules=Rules(tag="{project}-{version}"),
        project="a.b",
    )

    assert [verdict.release for verdict in verdicts] == [False, True]


def test_the_rules_scheme_stands_in_for_the_providers():
    assert judged("1.10", "1.9", scheme="generic")[0].key != judged("1.10", scheme="cpan")[0].key
    assert judged("1.10", scheme="semver")[0].rule == "unreadable"
    [verdict] = judge([Candidate("1.10")], scheme="semver", rules=Rules(scheme="generic"))
    assert verdict.stable


def test_a_pin_is_a_series_or_bounds():
    assert terms("4.2") == (("", "4.2"),)
    assert terms("4.*") == (("", "4"),)
    assert terms(">=4.2, <5") == ((">=", "4.2"), ("<", "5"))
