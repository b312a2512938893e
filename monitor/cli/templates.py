"""What `monitor new` writes: a provider that works, for an upstream that does not exist."""

from __future__ import annotations

from string import Template

_MODULE = Template('''\
"""$title, in a sentence.

Versions  <url>/projects/<project>.json   all releases of one project

Documented in https://$host/api. Say here what is odd about it.

Settings
  url  address of the server
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from monitor.formats.text import checked
from monitor.model import Finding, Release, Reply
from monitor.protocols import Ask, Provider

PURL = "generic"
URLS = (r"https?://$pattern/projects/(?P<project>[A-Za-z0-9._-]+)(?:/.*)?",)


def provider(url: str = "https://$host") -> Provider:
    return Provider(
        name="$name",
        ordering="generic",
        purl=PURL,
        versions=Ask(f"{url.rstrip('/')}/projects/{{project}}.json", read_releases),
        fresh=timedelta(hours=2),
        urls=URLS,
    )


def read_releases(reply: Reply) -> Iterator[Finding]:
    """Every release of one project.

    Bytes in, findings out: no network and no clock. The wrong shape raises, and
    the walk names the address.
    """
    for entry in reply.json()["releases"]:
        yield checked(
            Release(
                reply.request.project or "",
                entry["version"],
                published=datetime.fromisoformat(entry["published"]),
            )
        )
''')

_TEST = Template('''\
"""$title."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import BytesIO

import pytest

from monitor.model import Release, Reply, Request
from $package import provider, read_releases


def saying(body):
    """A reply with this JSON, to a question for the project "example"."""
    asked = Request("https://$host/x", project="example")
    return Reply(asked, BytesIO(json.dumps(body).encode()))


def test_each_entry_is_a_release_with_its_date():
    entry = {"version": "1.2", "published": "2026-01-02T03:04:05+00:00"}

    assert list(read_releases(saying({"releases": [entry]}))) == [
        Release("example", "1.2", published=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    ]


@pytest.mark.parametrize("body", [[], None, {}, {"releases": None}, {"releases": [{}]}])
def test_an_answer_of_another_shape_is_not_read(body):
    with pytest.raises((KeyError, TypeError)):
        list(read_releases(saying(body)))


def test_a_mirror_is_asked_in_its_place():
    mirror = provider(url="https://mirror.example/")

    assert mirror.versions.of("example").url == "https://mirror.example/projects/example.json"
''')


def module_text(name: str) -> str:
    """The module of a provider of that name."""
    return _MODULE.substitute(_values(name))


def test_text(name: str, package: str) -> str:
    """The test of the module that is imported as `package`."""
    return _TEST.substitute(_values(name), package=package)


test_text.__test__ = False  # type: ignore[attr-defined]


def _values(name: str) -> dict[str, str]:
    host = f"{name.replace('_', '-')}.example"
    return {
        "name": name,
        "title": name.capitalize().replace("_", " "),
        "host": host,
        "pattern": host.replace(".", r"\.").replace("-", "[-]")
        if "-" in host
        else host.replace(".", r"\."),
    }
