"""The store against a simple model: whatever is published, asked, or cut short, every release is
told once, and what is stored is what was seen."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from monitor.model import Kind, State
from monitor.store import bulk, epoch, events, open_writer, projects, transaction
from monitor.store.backup import check
from monitor.store.record import record
from tests.store.shelf import Shelf, found, release

NAMES = [f"p{n}" for n in range(12)]
WINDOW = 6


class Crashed(Exception):
    """The process died before its transaction was committed."""


class Upstream(RuleBasedStateMachine):
    """An upstream with a feed, an index of versions and pages of projects; and what we know of it.

    `told` are the releases that must have been told, each once; `seen` all that we were shown.
    """

    @initialize()
    def start(self):
        self.folder = Path(tempfile.mkdtemp(prefix="model-"))
        self.shelf = Shelf(self.folder)
        self._configure()
        self.life = epoch(self.shelf.db)
        self.listed = {name: {"1.0": State.LISTED, "1.1": State.LISTED} for name in NAMES}
        self.log = [(name, "1.0") for name in NAMES]
        self.count = 1
        self.seen = {(name, version) for name in NAMES for version in ("1.0", "1.1")}
        self.told = set()
        self.shelf.index(*self._all())
        self.shelf.feed(*self._window())

    def _configure(self):
        self.shelf.add("up", "feed", "index", "versions", ordering="pep440", purl="pypi")

    def teardown(self):
        if hasattr(self, "shelf"):
            self.shelf.db.close()
            shutil.rmtree(self.folder)

    def _all(self):
        return [one for name in NAMES for one in self._page(name)]

    def _page(self, name):
        return [
            release(version, name, state=None if state is State.LISTED else state)
            for version, state in self.listed[name].items()
        ]

    def _window(self):
        return [release(version, name) for name, version in self.log[-WINDOW:]]

    def _shown(self, releases):
        """Each of them is news, unless we were shown it before."""
        found = {(one.project, one.version) for one in releases}
        self.told |= found - self.seen
        self.seen |= found

    # ── what happens upstream ─────────────────────────────────────────────────────────

    @rule(name=st.sampled_from(NAMES))
    def publish(self, name):
        self.count += 1
        self.listed[name][f"1.{self.count}"] = State.LISTED
        self.log.append((name, f"1.{self.count}"))

    @rule(name=st.sampled_from(NAMES), data=st.data(), state=st.sampled_from([State.YANKED]))
    def yank(self, name, data, state):
        version = data.draw(st.sampled_from(sorted(self.listed[name]) or ["none"]))
        if version in self.listed[name]:
            self.listed[name][version] = state

    @rule(name=st.sampled_from(NAMES), data=st.data())
    def withdraw(self, name, data):
        if len(self.listed[name]) > 1:
            del self.listed[name][data.draw(st.sampled_from(sorted(self.listed[name])))]

    @rule(name=st.sampled_from(NAMES), data=st.data())
    def publish_again(self, name, data):
        """A version that was withdrawn is there again, or another file of it makes the news."""
        ever = sorted(version for one, version in self.log if one == name)
        version = data.draw(st.sampled_from(ever))
        self.listed[name][version] = State.LISTED
        self.log.append((name, version))

    # ── what we do ────────────────────────────────────────────────────────────────────

    @rule()
    def ask_feed(self):
        self.shelf.feed(*self._window())
        self._shown(self._window())

    @rule(name=st.sampled_from(NAMES))
    def ask_project(self, name):
        if self.shelf.versions(*self._page(name), project=name).outcome == "ok":
            self._shown(self._page(name))

    @rule()
    def walk_index(self):
        if self.shelf.index(*self._all()).outcome == "ok":
            for name in NAMES:
                if self.shelf.listing(name)["doubt"] is None:
                    self._shown(self._page(name))

    @rule(what=st.sampled_from(["feed", "versions", "index"]), name=st.sampled_from(NAMES))
    def die(self, what, name):
        """Everything of a visit is written, and not committed."""
        shelf = self.shelf
        try:
            with transaction(shelf.db):
                if what == "index":
                    visit = shelf.visit("index", complete=True)
                    bulk.apply(shelf.db, visit, found(visit.source, self._all()))
                elif what == "feed":
                    record(shelf.db, shelf.visit("feed", releases=self._window()))
                else:
                    visit = shelf.visit("versions", complete=True, project=name)
                    visit.releases = self._page(name)
                    record(shelf.db, visit)
                raise Crashed
        except Crashed:
            pass

    @rule()
    def start_again(self):
        self.shelf.db.close()
        self.shelf.db = open_writer(self.folder)
        self._configure()

    # ── what holds ────────────────────────────────────────────────────────────────────

    @invariant()
    def every_release_is_told_once(self):
        if not hasattr(self, "shelf"):
            return
        told = [
            (event.project.rpartition("/")[2], event.version)
            for event in events.follow(self.shelf.db, 0)
            if event.kind is Kind.RELEASED
        ]
        assert sorted(told) == sorted(self.told)

    @invariant()
    def what_was_shown_is_stored_for_good(self):
        if not hasattr(self, "shelf"):
            return
        stored = {(name, version) for name in NAMES for version in self.shelf.states(name)}
        assert stored == self.seen

    @invariant()
    def the_log_has_no_holes_and_one_life(self):
        if hasattr(self, "shelf"):
            seqs = [event.seq for event in events.follow(self.shelf.db, 0)]
            assert seqs == list(range(1, len(seqs) + 1))
            assert epoch(self.shelf.db) == self.life
            assert check(self.shelf.db) == []

    @rule()
    def in_the_end_all_is_known(self):
        """Asked twice, as a doubt wants it, we know every project as it is."""
        for name in NAMES:
            for _ in range(3):
                result = self.shelf.versions(*self._page(name), project=name)
            assert result.outcome == "ok"
            self._shown(self._page(name))
            stored = self.shelf.states(name)
            for version, state in self.listed[name].items():
                assert stored[version] is state or (
                    state is State.LISTED and stored[version] is State.YANKED
                )
            gone = stored.keys() - self.listed[name].keys()
            assert all(stored[version] is State.WITHDRAWN for version in gone)
            newest = projects.by_purl(self.shelf.db, f"pkg:pypi/{name}")
            assert newest is not None


Upstream.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestStoreAgainstModel = Upstream.TestCase
