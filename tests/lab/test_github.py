"""The lab's GitHub: paging, validators and what they cost, limits, moved tags and repositories."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import httpx2
import pytest

from tests.lab.answers import LabError
from tests.lab.client import get
from tests.lab.registry import Registry, ago

ATOM = "{http://www.w3.org/2005/Atom}"
TOKEN = "Bearer lab-token"


def pages(url: str, **headers: str) -> list[httpx2.Response]:
    found = [get(url, **headers)]
    while "next" in found[-1].links:
        found.append(get(found[-1].links["next"]["url"], **headers))
    return found


@pytest.mark.parametrize("what", ["releases", "tags"])
def test_pages_follow_each_other_until_all_was_shown(registry: Registry, what: str) -> None:
    for number in range(25):
        registry.publish("github", "o/r", f"v{number:02d}", at=ago(days=30 - number))
    found = pages(f"{registry.github_api_url}/repos/o/r/{what}?per_page=10")
    assert [len(page.json()) for page in found] == [10, 10, 5]
    key = "tag_name" if what == "releases" else "name"
    names = [row[key] for page in found for row in page.json()]
    assert names == [f"v{number:02d}" for number in reversed(range(25))]
    assert "/repositories/" in found[0].links["next"]["url"]
    assert found[0].links["last"]["url"].endswith("page=3")
    assert {"prev", "first"} <= found[1].links.keys()


def test_a_page_holds_thirty_unless_asked_and_never_more_than_a_hundred(
    registry: Registry,
) -> None:
    for number in range(120):
        registry.publish("github", "o/r", f"v{number}", release=False)
    url = f"{registry.github_api_url}/repos/o/r/tags"
    assert len(get(url).json()) == 30
    assert len(get(f"{url}?per_page=500").json()) == 100
    assert len(get(f"{url}?per_page=0&page=x").json()) == 1


def test_unchanged_answers_are_free_with_a_token_only(registry: Registry) -> None:
    registry.publish("github", "o/r", "v1")
    url = f"{registry.github_api_url}/repos/o/r/releases"
    for headers, cost in (({}, 1), ({"authorization": TOKEN}, 0)):
        first = get(url, **headers)
        again = get(url, if_none_match=first.headers["etag"], **headers)
        assert again.status_code == 304
        spent = int(first.headers["x-ratelimit-remaining"]) - int(
            again.headers["x-ratelimit-remaining"]
        )
        assert spent == cost


def test_the_limit_answers_403_until_the_hour_is_over(registry: Registry) -> None:
    registry.publish("github", "o/r", "v1")
    registry.github.limits[False] = 2
    url = f"{registry.github_api_url}/repos/o/r/tags"
    assert [get(url).status_code for _ in range(3)] == [200, 200, 403]
    assert get(url).headers["x-ratelimit-remaining"] == "0"
    assert get(url, authorization=TOKEN).status_code == 200
    registry.set_time(ago(hours=-1.01))
    assert get(url).status_code == 200


def test_a_bad_token_answers_401_and_an_unknown_repository_404(registry: Registry) -> None:
    registry.publish("github", "o/r", "v1")
    url = f"{registry.github_api_url}/repos/o/r/tags"
    assert get(url, authorization="Bearer wrong").json()["message"] == "Bad credentials"
    missing = get(f"{registry.github_api_url}/repos/o/none/tags")
    assert (missing.status_code, missing.json()["message"]) == (404, "Not Found")


def test_flags_of_releases_and_who_sees_drafts(registry: Registry) -> None:
    registry.publish("github", "o/r", "v1", at=ago(days=2))
    registry.publish("github", "o/r", "v2-rc1", prerelease=True, at=ago(days=1))
    registry.publish("github", "o/r", "v2", draft=True)
    url = f"{registry.github_api_url}/repos/o/r/releases"
    assert [(r["tag_name"], r["prerelease"]) for r in get(url).json()] == [
        ("v2-rc1", True),
        ("v1", False),
    ]
    drafts = [row for row in get(url, authorization=TOKEN).json() if row["draft"]]
    assert [(row["tag_name"], row["published_at"]) for row in drafts] == [("v2", None)]
    assert get(f"{url}/latest").json()["tag_name"] == "v1"
    registry.set_prerelease("o/r", "v2-rc1", False)
    assert get(f"{url}/latest").json()["tag_name"] == "v2-rc1"
    registry.publish("github", "o/r", "light", release=False)
    with pytest.raises(LabError, match="has no release"):
        registry.set_prerelease("o/r", "light")


def test_a_moved_tag_keeps_its_name_and_changes_its_commit(registry: Registry) -> None:
    registry.publish("github", "o/r", "v1")
    url = f"{registry.github_api_url}/repos/o/r/tags"
    before = get(url).json()[0]["commit"]["sha"]
    moved = registry.retag("o/r", "v1")
    assert [(t["name"], t["commit"]["sha"]) for t in get(url).json()] == [("v1", moved)]
    assert moved != before


def test_a_renamed_repository_redirects_by_its_number(registry: Registry) -> None:
    registry.publish("github", "o/old", "v1")
    registry.rename("o/old", "o/new")
    answer = get(f"{registry.github_api_url}/repos/o/old/tags")
    assert answer.status_code == 301
    assert get(answer.headers["location"]).json()[0]["name"] == "v1"
    assert get(f"{registry.github_api_url}/repos/O/NEW/tags").status_code == 200


def test_refs_with_slashes_and_assets_can_be_asked_for(registry: Registry) -> None:
    registry.publish("github", "o/r", "sub/v1", {"a b.tar.gz": b"data"})
    registry.publish("github", "o/r", "v1", release=False)
    api = f"{registry.github_api_url}/repos/o/r"
    refs = get(f"{api}/git/matching-refs/tags/sub/").json()
    assert [ref["ref"] for ref in refs] == ["refs/tags/sub/v1"]
    (asset,) = get(f"{api}/releases/tags/sub/v1").json()["assets"]
    assert asset["size"] == 4
    assert get(asset["browser_download_url"]).content == b"data"


def test_the_atom_feed_holds_ten_and_also_bare_tags(registry: Registry) -> None:
    for number in range(12):
        registry.publish(
            "github", "o/r", f"v{number}", release=number % 2 == 0, at=ago(days=20 - number)
        )
    feed = fromstring(get(f"{registry.github_url}/o/r/releases.atom").content)
    titles = [entry.findtext(f"{ATOM}title") for entry in feed.iter(f"{ATOM}entry")]
    assert titles == [f"v{number}" for number in range(11, 1, -1)]
    latest = get(f"{registry.github_url}/o/r/releases/latest")
    assert latest.headers["location"].endswith("/o/r/releases/tag/v10")
