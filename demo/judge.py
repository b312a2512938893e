"""Did it happen? The judge reads the feed, the queue and `monitor show`, like any user."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo.upstreams import Release

STAGES = ("seen", "event", "told", "recipe", "image", "imports")


@dataclass(slots=True)
class Track:
    """How far one release has come; times are seconds since 1970."""

    release: Release
    published: float | None = None
    at: dict[str, float] = field(default_factory=dict)
    problem: str | None = None

    @property
    def wanted(self) -> tuple[str, ...]:
        """The stages that this release has to reach."""
        stages: tuple[str, ...] = ("seen", "event", "told")
        if self.release.built:
            stages += ("recipe", "image")
        if self.release.imports:
            stages += ("imports",)
        return stages

    @property
    def missing(self) -> list[str]:
        if self.published is None:
            return ["published"]
        return [stage for stage in self.wanted if stage not in self.at]

    def after(self, stage: str) -> str:
        """Seconds from publication, for the table."""
        if stage not in self.wanted:
            return "-"
        if stage not in self.at or self.published is None:
            return "MISSING"
        return f"{max(0.0, self.at[stage] - self.published):.1f} s"


class Judge:
    """Looks at what users look at, again and again."""

    def __init__(
        self, feed: Path, queue: Path, told: Path, show: Callable[[str], dict[str, Any] | None]
    ) -> None:
        self.feed = feed
        self.queue = queue
        self.told = told
        self.show = show

    def look(self, tracks: list[Track]) -> None:
        """Note what has happened since the last look."""
        items = self.items()
        lines = self.told.read_text().splitlines() if self.told.exists() else []
        for track in tracks:
            if track.published is not None and track.missing:
                self._look(track, items, lines)

    def _look(self, track: Track, items: list[dict[str, Any]], lines: list[str]) -> None:
        release, now = track.release, time.time()
        own = [
            item
            for item in items
            if item["purl"] == release.purl and item["version"] == release.version
        ]
        released = [item for item in own if item["kind"] == "released"]
        if released:
            track.at.setdefault("event", now)
        if len(released) > 1:
            track.problem = f"told {len(released)} times"
        if any(line.split()[:2] == [release.purl, release.version] for line in lines):
            track.at.setdefault("told", now)
        if "seen" not in track.at:
            versions = (self.show(release.purl) or {}).get("versions", [])
            if any(version["version"] == release.version for version in versions):
                track.at["seen"] = now
        for item in own:
            if item["kind"] == "queued" and (self.queue / "all" / item["job"]).is_file():
                track.at.setdefault("recipe", now)
            if item["kind"] == "built":
                track.at.setdefault("image", now)
                if item["details"].get("imported"):
                    track.at.setdefault("imports", now)
            if item["kind"] == "failed":
                track.problem = f"{item['details'].get('class')}: {item['reason']}"

    def items(self) -> list[dict[str, Any]]:
        """Every event in the feed, through all its pages."""
        found: list[dict[str, Any]] = []
        page: Path | None = self.feed / "feed.json"
        while page is not None and page.is_file():
            document = json.loads(page.read_text())
            found += [item["_release"] for item in document["items"]]
            following = document.get("next_url")
            page = (page.parent / following) if following else None
        return found


def table(tracks: list[Track]) -> str:
    """The story as a table; times are seconds from publication."""
    heads = ("UPSTREAM", "RELEASE", "PUBLISHED", *(stage.upper() for stage in STAGES))
    rows = [
        (
            track.release.upstream,
            f"{track.release.purl}@{track.release.version}"[:48],
            time.strftime("%H:%M:%S", time.localtime(track.published))
            if track.published
            else "MISSING",
            *(track.after(stage) for stage in STAGES),
        )
        for track in tracks
    ]
    widths = [max(len(row[place]) for row in [heads, *rows]) for place in range(len(heads))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [heads, *rows]
    )
