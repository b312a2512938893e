"""Asking one release what it says of itself: what is known, what is not, and how fast."""

from __future__ import annotations

from io import BytesIO

import pytest

from monitor.errors import FetchError
from monitor.inquiries import LONGEST, ask
from monitor.model import About, Outcome, Release, Reply, Request, Trait
from monitor.store.traits import Inquiry

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
