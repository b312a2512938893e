"""Bare git repositories whose tags a test can make, move and delete, with dates of its choice."""

from __future__ import annotations

import os
import subprocess
from datetime import datetime
from pathlib import Path

from tests.lab.tools import need


class GitRepo:
    """One bare repository with a branch "main"; made where it does not exist."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not (folder / "HEAD").exists():
            folder.mkdir(parents=True, exist_ok=True)
            self._git("init", "--quiet", "--bare", "--initial-branch=main", ".")
            self._git("config", "http.receivepack", "false")

    def commit(self, message: str, at: datetime | None = None) -> str:
        """Put an empty commit onto main; its object id is returned."""
        tree = self._git("hash-object", "-t", "tree", "-w", "--stdin")
        parent = self._git("for-each-ref", "--format=%(objectname)", "refs/heads/main")
        parents = ["-p", parent] if parent else []
        commit = self._git("commit-tree", tree, *parents, "-m", message, at=at)
        self._git("update-ref", "refs/heads/main", commit)
        return commit

    def tag(self, name: str, *, annotated: bool = True, at: datetime | None = None) -> str:
        """Make a commit and a tag for it; the commit's object id is returned. A tag may move."""
        commit = self.commit(f"Release {name}", at)
        if annotated:
            self._git("tag", "--force", "--annotate", "-m", f"Release {name}", name, commit, at=at)
        else:
            self._git("update-ref", f"refs/tags/{name}", commit)
        return commit

    def delete_tag(self, name: str) -> None:
        """Take a tag away."""
        self._git("update-ref", "-d", f"refs/tags/{name}")

    def branch(self, name: str) -> None:
        """Let a branch point to main's head."""
        self._git("update-ref", f"refs/heads/{name}", "refs/heads/main")

    def tags(self) -> dict[str, str]:
        """Tags and the commits they stand for."""
        rows = self._git(
            "for-each-ref", "--format=%(refname:strip=2) %(*objectname) %(objectname)", "refs/tags"
        )
        return {row.split(" ")[0]: row.split()[1] for row in rows.splitlines()}

    def _git(self, *arguments: str, at: datetime | None = None) -> str:
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "lab",
            "GIT_AUTHOR_EMAIL": "lab@example.invalid",
            "GIT_COMMITTER_NAME": "lab",
            "GIT_COMMITTER_EMAIL": "lab@example.invalid",
        }
        if at is not None:
            when = f"{int(at.timestamp())} +0000"
            environment |= {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
        done = subprocess.run(
            [need("git"), "-c", "safe.directory=*", *arguments],
            cwd=self.folder,
            env=environment,
            input="",
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()
