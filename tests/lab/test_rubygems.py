"""The lab's RubyGems speaks as its guide says."""

from __future__ import annotations

import base64
import hashlib

from tests.lab.client import get
from tests.lab.registry import Registry


def lines(registry: Registry) -> list[str]:
    return get(f"{registry.rubygems_url}/versions").text.splitlines()[2:]


def test_the_list_grows_by_a_line_with_the_digest_of_the_page(registry: Registry) -> None:
    registry.publish("rubygems", "foo", "1.0", at="2024-05-01T10:00:00Z")
    registry.publish("rubygems", "foo", "1.1", platform="java")
    page = get(f"{registry.rubygems_url}/info/foo")
    digest = hashlib.md5(page.content, usedforsecurity=False).hexdigest()

    assert lines(registry)[1] == f"foo 1.1-java {digest}"
    assert page.text.startswith("---\n1.0 |checksum:")
    assert ",created_at:2024-05-01T10:00:00Z\n" in page.text
    gem = get(f"{registry.rubygems_url}/gems/foo-1.0.gem")
    assert hashlib.sha256(gem.content).hexdigest() in page.text


def test_a_yank_is_appended_and_gone_when_the_list_is_written_anew(registry: Registry) -> None:
    for version in ("1.0", "1.1"):
        registry.publish("rubygems", "foo", version)
    registry.publish("rubygems", "bar", "1.0")
    registry.yank("rubygems", "foo", "1.0")
    assert [line.rpartition(" ")[0] for line in lines(registry)] == [
        "foo 1.0", "foo 1.1", "bar 1.0", "foo -1.0",
    ]  # fmt: skip
    registry.rewrite()

    assert [line.rpartition(" ")[0] for line in lines(registry)] == ["bar 1.0", "foo 1.1"]


def test_the_end_of_the_list_can_be_asked_for(registry: Registry) -> None:
    registry.publish("rubygems", "foo", "1.0")
    url = f"{registry.rubygems_url}/versions"
    whole = get(url).content
    part = get(url, range=f"bytes={len(whole) - 1}-")
    none = get(url, range=f"bytes={len(whole)}-")

    size = len(whole)
    assert (part.status_code, part.content) == (206, b"\n")
    assert part.headers["content-range"] == f"bytes {size - 1}-{size - 1}/{size}"
    digest = base64.b64encode(hashlib.sha256(whole).digest()).decode()
    assert part.headers["repr-digest"] == f"sha-256=:{digest}:"
    assert none.status_code == 416
