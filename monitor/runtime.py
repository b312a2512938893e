"""Settings made alive: the sources with their providers, and who is interested in what.

Nothing here asks an upstream or writes; the daemon and every command begin
with it. `resolve` turns what a person types into a source and a project.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import providers
from monitor.errors import MonitorError, SettingsError, UsageError
from monitor.plausible import Gate
from monitor.protocols import Provider
from monitor.rules import Rules, defaults
from monitor.settings import Settings
from monitor.settings import Source as SourceSettings
from monitor.sources import Source, project_of

if TYPE_CHECKING:
    from monitor.publish import Context


@dataclass
class Runtime:
    """The settings, and everything that is made from them once."""

    settings: Settings
    sources: dict[str, Source] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings) -> Runtime:
        """Raises SettingsError where a source's settings do not fit its provider."""
        runtime = cls(settings)
        for name, source in settings.sources.items():
            if source.enabled:
                runtime.sources[name] = source_of(name, source, settings)
        return runtime

    @property
    def state(self) -> Path:
        return Path(self.settings.state.dir)

    @property
    def queue_folder(self) -> Path:
        """The folder of `all`, `build` and `revoked`."""
        return Path(self.settings.queue.dir) / "dockerfiles"

    @property
    def feed_folder(self) -> Path:
        return Path(self.settings.feed.dir)

    @property
    def socket(self) -> Path:
        return Path(self.settings.daemon.socket)

    @cached_property
    def gate(self) -> Gate:
        return self.settings.gate

    def numbered(self, sources: Iterable[Source]) -> None:
        """Take the sources back with the ids that the store gave them."""
        self.sources.update({source.name: source for source in sources})
        self.__dict__.pop("context", None)

    @cached_property
    def context(self) -> Context:
        """What the policy needs."""
        from monitor.publish import Context  # a single question has no use for it

        return Context(
            self.settings.builds, {source.id: source for source in self.sources.values()}
        )

    def builds(self, purl: str) -> bool:
        """Does an entry of `builds.toml` ask for this project?"""
        return self.context.rule(purl) is not None

    def resolve(self, text: str) -> list[tuple[Source, str]]:
        """The sources and projects that a text may mean: a purl, "source/project" or an address.

        Configured sources come first; else a provider with its defaults. A
        bare name means nothing here: see `monitor.store.projects.find`.
        """
        if text.startswith("pkg:"):
            return self._of_purl(text)
        name, slash, project = text.partition("/")
        if slash and project:
            if source := self.sources.get(name):
                return [(source, project)]
            named = [one for one in self.sources.values() if one.provider.name == name]
            if named:
                return [(source, project) for source in named]
            if name in providers.names():
                return [(default_source(name), project)]
        return self._of_address(text) if "://" in text else []

    def _of_purl(self, text: str) -> list[tuple[Source, str]]:
        from packageurl import PackageURL

        try:
            purl = PackageURL.from_string(text)
        except ValueError as error:
            raise UsageError(text, f"is no purl: {error}", "such as pkg:pypi/requests") from error
        plain = str(PackageURL(purl.type, purl.namespace, purl.name).to_string())
        project = project_of(plain)
        found = []
        for source in self.sources.values():
            base = source.purl("x").removeprefix("pkg:").removesuffix("x").strip("/")
            kind, _, namespace = base.partition("/")
            if kind != purl.type:
                continue
            if namespace and not project.startswith(f"{namespace}/"):
                continue
            found.append((source, project[len(namespace) :].lstrip("/")))
        if found:
            single = [place for place in found if place[0].provider.versions is not None]
            return single or found  # who is only read as a whole knows it as well
        return [
            (default_source(name), project)
            for name in providers.for_purl(str(purl.type))
            if name != "generic"
        ]

    def _of_address(self, text: str) -> list[tuple[Source, str]]:
        found = []
        for name, project in providers.find(text):
            named = [one for one in self.sources.values() if one.provider.name == name]
            with suppress(SettingsError):  # one that has no address of its own is not meant
                found += [(source, project) for source in named or [default_source(name)]]
        return found

    def interested(self, db: sqlite3.Connection, purl: str) -> bool:
        """Is this project watched or built? Then its files are kept too."""
        if self.builds(purl):
            return True
        return (
            db.execute(
                "SELECT 1 FROM watch JOIN project ON project.id = watch.project WHERE purl = ?",
                (purl,),
            ).fetchone()
            is not None
        )

    def placed(self) -> tuple[list[tuple[Source, str, dict[str, Any]]], list[MonitorError]]:
        """What the settings name: its source, its name there, and what is said of it.

        And what no configured source knows; what is alike is told once.
        """
        found: list[tuple[Source, str, dict[str, Any]]] = []
        problems: list[MonitorError] = []
        unplaced: dict[str, list[str]] = {}
        for upstream, package in self._named():
            try:
                places = self.resolve(upstream)[:1]
            except (UsageError, SettingsError) as error:
                problems.append(error)
                continue
            if places and places[0][0].name in self.sources:
                found.append((*places[0], package))
            else:
                unplaced.setdefault(upstream.partition("/")[0], []).append(upstream)
        return found, [*problems, *self._unplaced(unplaced)]

    def _unplaced(self, unplaced: dict[str, list[str]]) -> list[MonitorError]:
        """What is wrong with upstreams, by their first words, and what to do."""
        from difflib import get_close_matches

        problems: list[MonitorError] = []
        unheard: list[str] = []  # of a kind that nobody here has ever heard of
        for kind, upstreams in unplaced.items():
            wanted = providers.for_purl(kind[4:]) if kind.startswith("pkg:") else (kind,)
            there = [name for name in wanted if name in providers.names()]
            known = [*self.sources, *providers.names()]
            alike = [name for name in known if abs(len(name) - len(kind)) < 2]
            near = get_close_matches(kind, alike, 1, 0.7)  # a slip, not another word
            if there:
                remedy = f'add sources/{there[0]}.toml with the line provider = "{there[0]}"'
            elif near:
                remedy = f"did you mean {near[0]}? `monitor sources` lists what is configured"
            else:
                unheard.append(kind)
                continue
            more = f", nor {len(upstreams) - 1} more of {kind}" if len(upstreams) > 1 else ""
            what = f"no configured source knows it{more}"
            problems.append(SettingsError(f"packages.toml: {upstreams[0]}", what, remedy))
        if unheard:
            first, *others = (one for kind in unheard for one in unplaced[kind])
            kinds = ", ".join(f"{kind} ({len(unplaced[kind])})" for kind in unheard)
            more = f", nor {len(others)} more: {kinds}" if others else ""
            what = f"no configured source knows it{more}"
            remedy = "`monitor providers` lists what there is; all others are watched"
            problems.append(SettingsError(f"packages.toml: {first}", what, remedy))
        return problems

    def sync_packages(self, db: sqlite3.Connection, at: int) -> list[MonitorError]:
        """Watch what the settings name, and no longer what they no longer name.

        Returns what could not be placed.
        """
        from monitor.store import due, projects
        from monitor.store.known import enrol

        found, problems = self.placed()
        kept: dict[int, list[tuple[Source, dict[str, Any]]]] = {}
        for source, name, package in found:
            project, _ = enrol(db, source, name, at)
            kept.setdefault(project, []).append((source, package))
        shared: dict[int, list[dict[str, Any]]] = {}
        for project, named in kept.items():
            packages = _packages([package for _, package in named])
            facts = packages[0]
            if len(packages) > 1:
                shared[project] = packages
                facts = projects.in_common(packages)
            for source, _ in named:
                projects.watch(db, project, at, source=source, origin="settings", **facts)
        projects.share(db, shared)
        for row in db.execute("SELECT project FROM watch WHERE origin = 'settings'").fetchall():
            if row["project"] not in kept:
                projects.unwatch(db, row["project"])
        due.rank(db, list(self.sources.values()))
        for source in self.sources.values():
            projects.judge_anew(db, source, at)
            if given := self.settings.sources.get(source.name):
                due.ask_anew(db, source, self._how(given), at)
        return problems

    def _how(self, given: SourceSettings) -> str:
        """A digest of the settings by which a source is asked."""
        import hashlib

        import msgspec

        said = msgspec.json.encode([self.settings.network, given.provider, given.settings])
        return hashlib.sha256(said).hexdigest()

    def _named(self) -> Iterable[tuple[str, dict[str, Any]]]:
        import msgspec

        for package in self.settings.packages:
            text = msgspec.json.encode(_said(package.judged)).decode()
            for upstream in package.upstreams:
                name = package.name or upstream.rstrip("/").rpartition("/")[2]
                facts = {"name": name, "current": package.packaged, "owner": package.owner}
                yield upstream, facts | {"rules": text}
        for source in self.settings.sources.values():
            for project in source.projects:
                yield f"{source.name}/{project}", {"name": project.rpartition("/")[2]}


def _packages(named: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The packages among what the settings name of one project, each once, in that order.

    A source's `projects` say nothing of a package; they count where nothing else is said.
    """
    packages = {one["name"]: one for one in reversed(named) if "rules" in one}
    return list(reversed(packages.values())) or named[:1]


def _said(rules: Rules) -> dict[str, Any]:
    """Only what differs from the defaults, so that a source's rules still show through."""
    return {
        name: getattr(rules, name)
        for name, default in defaults()
        if getattr(rules, name) != default
    }


def source_of(name: str, given: SourceSettings, settings: Settings | None = None) -> Source:
    """A configured source. Raises SettingsError or UsageError naming what does not fit."""
    provider = providers.load(given.provider, **given.settings)
    schedule = (settings or Settings()).schedule
    return Source(
        name=name,
        provider=provider,
        follow=given.follow,
        poll=_whole(given.poll, provider.poll),
        walk=_whole(given.walk, provider.walk),
        fresh=_whole(given.fresh, provider.fresh),
        shortest=int(given.min_interval or schedule.min_interval),
        longest=int(given.max_interval or schedule.max_interval),
        namespace=given.purl,
        rules=given.rules,
        traits=given.traits,
        priority=given.priority,
        exclusive=given.exclusive,
    )


def default_source(name: str, **settings: Any) -> Source:
    """A provider with its defaults, for who has configured nothing."""
    return replace(source_of(name, SourceSettings(provider=name, settings=settings)), id=-1)


def _whole(given: float | None, default: timedelta) -> int:
    return int(given if given is not None else default.total_seconds())


def provider_of(name: str, **settings: Any) -> Provider:
    """A provider by name. Raises UsageError naming the ones there are."""
    return providers.load(name, **settings)
