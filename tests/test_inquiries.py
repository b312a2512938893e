"""Asking one release what it says of itself: what is known, what is not, and how fast."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from io import BytesIO

import pytest

from monitor.errors import FetchError, UsageError
from monitor.inquiries import LONGEST, ask, inquire
from monitor.model import About, Outcome, Release, Reply, Request, Trait
from monitor.store import traits
from monitor.store.traits import Inquiry
from monitor.store.writer import Writer
from tests.store.shelf import AT, DAY, Shelf

INQUIRY = Inquiry(1, 1, 1, 1, quiet=False, fails=0, last=0, release=Release("foo", "1.0"))


class Asked:
    """A provider's mechanism whose addresses say what is answered: "identity=ann"."""

    files, late, pace = False, 0, 1.0

    def __init__(self, *addresses):
        self.addresses = addresses

    def seen(self, release):
        yield Trait(About.PROVENANCE, "attested")

    def of(self, release):
        return [Request(f"https://up.example/{address}") for address in self.addresses]

    def read(self, reply):
        name, _, value = reply.text().partition("=")
        yield Trait(About(name), value)


class Upstream:
    """Answers with the last part of the address, or fails as it says."""

    async def fetch(self, request):
        text = request.url.rpartition("/")[2]
        if text in set(Outcome):
            raise FetchError(request.url, "no", outcome=Outcome(text))
        return Reply(request, BytesIO(text.encode("utf-8", "surrogatepass")), url=request.url)


async def said(*addresses):
    found, error = await ask(INQUIRY, Asked(*addresses), Upstream())
    return {name.value: value for name, value in found.items()}, error


async def test_everything_that_is_said_is_put_together():
    found, error = await said("licence=MIT", "licence=BSD", "identity=bob", "identity=ann")

    assert found == {"provenance": "attested", "licence": "MIT", "identity": "ann; bob"}
    assert error is None


async def test_what_is_not_there_says_nothing():
    assert await said("gone", "licence=MIT") == (
        {"provenance": "attested", "licence": "MIT"},
        None,
    )


@pytest.mark.parametrize("outcome", ["retry", "throttled", "blocked", "invalid", "nonsense=1"])
async def test_E08_what_does_not_answer_leaves_it_open_and_half_an_identity_is_none(outcome):
    found, error = await said("licence=MIT", outcome, "identity=ann")

    assert found == {"provenance": "attested", "licence": "MIT"}
    assert error
    assert "up.example" in error


async def test_a_value_is_one_line_of_text_that_can_be_stored():
    found, _ = await said("licence= a \n b ", f"source={'x' * 9999}", "owners= ")

    assert found["licence"] == "a b"
    assert len(found["source"]) == LONGEST
    assert "owners" not in found


async def test_each_question_waits_for_its_turn():
    waited = []

    class Pace:
        async def __aenter__(self):
            waited.append(1)

        async def __aexit__(self, *_):
            pass

    await ask(INQUIRY, Asked("licence=MIT", "gone", "owners=ann"), Upstream(), Pace())

    assert len(waited) == 3


# ── several of them ───────────────────────────────────────────────────────────────────


@pytest.fixture
async def two(tmp_path):
    """Two sources, "quick" and "slow", with two new releases each, and a writer."""
    shelf = Shelf(tmp_path)
    sources = {}
    for name, purl in (("quick", "pypi"), ("slow", "npm")):
        source = shelf.add(name, "versions", purl=purl)
        shelf.versions("1.0", "1.1", source=name)
        known = replace(source.provider, traits=Asked(f"licence={name}"))
        sources[source.id] = replace(source, provider=known)
    shelf.db.execute(
        "INSERT INTO inquiry (version, project, source, quiet, added, due, ready)"
        " SELECT version.id, project, sighting.source, 0, ?1, ?1, ?1"
        " FROM version JOIN sighting ON sighting.id = seen",
        (AT,),
    )
    shelf.db.close()
    writer = Writer(tmp_path)
    yield writer, sources
    writer.close()


def left(db):
    """What is open, with what went wrong."""
    return {
        (row["source"], row["version"]): row["error"]
        for row in db.execute(
            "SELECT source.name AS source, version.version, error FROM inquiry"
            " JOIN source ON source.id = inquiry.source"
            " JOIN version ON version.id = inquiry.version"
        )
    }


async def test_a_release_that_cannot_be_asked_about_keeps_no_other_waiting(two):
    writer, sources = two

    class Broken(Asked):
        def of(self, release):
            if release.version == "1.0":
                raise UsageError("a\ud800b", "cannot be asked for")
            return Asked.of(self, release)

    number = next(iter(sources))
    known = replace(sources[number].provider, traits=Broken("licence=MIT"))
    sources[number] = replace(sources[number], provider=known)
    assert await inquire(writer, lambda *_: Upstream(), sources, lambda: AT, paced=False) == 4

    [(which, why)] = (await writer.write(left)).items()
    assert which == ("quick", "1.0")
    assert "cannot be asked for" in why


async def test_E08_an_endpoint_that_hangs_keeps_no_other_source_waiting(two):
    writer, sources = two
    hangs, asking = asyncio.Event(), set()

    class Slow(Upstream):
        async def fetch(self, request):
            if request.url.endswith("slow"):
                await hangs.wait()
            return await super().fetch(request)

    async def more():
        return await inquire(
            writer, lambda *_: Slow(), sources, lambda: AT, paced=False, asking=asking
        )

    def again(db):
        db.execute(
            "INSERT INTO inquiry (version, project, source, quiet, added, due, ready)"
            " VALUES (1, 1, 1, 0, ?1, ?1, ?1)",
            (AT,),
        )

    first = asyncio.ensure_future(more())
    while len(await writer.write(left)) > 2:
        await asyncio.sleep(0)
    await writer.write(again)  # a new release of the quick one
    assert await more() == 1
    assert {name for name, _ in await writer.write(left)} == {"slow"}
    assert asking == {2}
    hangs.set()

    assert await first == 4
    assert (await writer.write(left), asking) == ({}, set())


async def test_E06_what_was_to_be_asked_before_a_week_of_silence_is_asked_after_it(two):
    """Nothing else would notice that the release has lost its attestation."""
    writer, sources = two
    later = AT + 8 * DAY
    await writer.write(lambda db: traits.enlist(db, sources, lambda *_: None, later))

    assert await inquire(writer, lambda *_: Upstream(), sources, lambda: later, paced=False) == 4


async def test_what_has_no_files_is_given_up_after_a_week(two):
    writer, sources = two
    for key, source in sources.items():
        needs = Asked("licence=MIT")
        needs.files = True
        sources[key] = replace(source, provider=replace(source.provider, traits=needs))
    for days, open_then in ((6, 4), (8, 0)):
        clock = partial(int, AT + days * DAY)
        assert await inquire(writer, lambda *_: Upstream(), sources, clock, paced=False) == 0
        assert len(await writer.write(left)) == open_then
