"""`monitor nudge`: what people and their receivers of webhooks say."""

from __future__ import annotations

import json

from tests.cli.conftest import Cli


def test_D15_a_known_project_is_asked_at_the_next_poll(cli: Cli, registry):
    registry.publish("pypi", "aurora", "1.0")
    assert cli("watch", "pypi/aurora").code == 0
    cli("poll", "pypi")
    said = cli("nudge", "pypi/aurora", "--json")
    assert said.code == 0
    assert list(json.loads(said.out)) == ["pkg:pypi/aurora"]
    assert "pkg:pypi/aurora is asked" in cli("nudge", "pypi/aurora").out


def test_D15_what_is_not_known_is_a_wrong_question_and_stays_unknown(cli: Cli):
    said = cli("nudge", "pypi/nobody-knows-it", "pkg:pypi/x\x1b[31m")

    assert said.code == 2
    assert "\x1b" not in said.err
    assert "nobody-knows-it" not in cli("export-db").out
