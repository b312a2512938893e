"""The feed's seal: a key of its own, what it signs, and the digest that the next page carries.

Signatures are OpenSSH's (SSHSIG, PROTOCOL.sshsig; `ssh-keygen -Y sign` and `-Y verify`), so that
anybody can check them with a program that is on nearly every machine. The key lies in the state
folder, readable by its owner only, and signs nothing but feeds: the namespace says so.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from monitor.errors import StoreError
from monitor.outputs.files import read_plain, write_whole

NAMESPACE: Final = "release-monitor-feed"
"""What the signatures are for: one of another purpose, made with the same key, is refused."""

IDENTITY: Final = "release-monitor"
KEY: Final = "feed-key"
LEDGER: Final = "feed-ledger"

INSTALL: Final = "install OpenSSH's client (on Debian: apt-get install openssh-client)"


class _Ledger(msgspec.Struct, frozen=True):
    """The last full page of a feed, and its digest, as we wrote it."""

    feed: str  # epoch and size of pages
    page: int
    digest: str


class UnsealedError(StoreError):
    """Nothing can be signed on this machine: the feed goes without."""


@dataclass(frozen=True, slots=True)
class Seal:
    """The key of one monitor's feed, and what it remembers of the last full page.

    What stands in the feed's folder may be altered by others; what is remembered here is not.
    """

    folder: Path
    public: str  # "ssh-ed25519 AAAA…"

    @classmethod
    def of(cls, folder: Path) -> Seal:
        """The seal that lies in this folder, made where there is none.

        Raises UnsealedError where ssh-keygen is not there or does not work here, StoreError where
        the key must not be used.
        """
        path = folder / KEY
        try:
            if not path.exists():
                _run("-q", "-t", "ed25519", "-N", "", "-C", IDENTITY, "-f", str(path))
        except StoreError as error:
            raise UnsealedError(error.where, error.what, error.remedy) from error
        try:
            others = path.stat().st_mode & 0o077
            if others:
                raise StoreError(
                    str(path),
                    "others may read the key of the feed",
                    "chmod 600 it; where somebody may have read it, remove it: another one is made,"
                    " whose public half goes to who checks the feed",
                )
            public = path.with_name(f"{KEY}.pub").read_text().split()
        except OSError as error:
            raise StoreError(
                str(path), error.strerror or str(error), "run this as the daemon's user"
            ) from error
        seal = cls(folder, " ".join(public[:2]))
        try:
            seal.sign(b"")
        except StoreError as error:
            raise UnsealedError(error.where, error.what, error.remedy) from error
        return seal

    @property
    def fingerprint(self) -> str:
        """Names the key, as `ssh-keygen -l` does: "SHA256:…"."""
        return fingerprint(self.public)

    def sign(self, data: bytes) -> str:
        """The armoured signature of that. Raises StoreError."""
        path = str(self.folder / KEY)
        return _run("-q", "-Y", "sign", "-f", path, "-n", NAMESPACE, given=data).decode()

    def remembered(self, feed: str, page: int) -> str | None:
        """The digest of that page of that feed, where it is the last that was noted."""
        found = read_plain(self.folder / LEDGER)
        if found is None:
            return None
        try:
            ledger = msgspec.json.decode(found[0], type=_Ledger)
        except msgspec.DecodeError:
            return None
        return ledger.digest if (ledger.feed, ledger.page) == (feed, page) else None

    def remember(self, feed: str, page: int, digest: str) -> None:
        """Note the digest of the last full page."""
        data = msgspec.json.encode(_Ledger(feed, page, digest)) + b"\n"
        write_whole(self.folder / LEDGER, data, mode=0o600)


def verify(data: bytes, signature: str, public: str) -> str | None:
    """Why this is no signature of that data by that key; None where it is one.

    Raises StoreError where it cannot be checked here.
    """
    with tempfile.TemporaryDirectory(prefix="monitor-") as name:
        folder = Path(name)
        (folder / "signers").write_text(f'{IDENTITY} namespaces="{NAMESPACE}" {public}\n')
        (folder / "signature").write_text(signature)
        try:
            _run(
                "-q", "-Y", "verify", "-f", str(folder / "signers"), "-I", IDENTITY,
                "-n", NAMESPACE, "-s", str(folder / "signature"), given=data,
            )  # fmt: skip
        except _RefusedError as refused:
            return str(refused) or "the signature is not of this key"
    return None


def fingerprint(public: str) -> str:
    """Names a public key: "SHA256:…". Raises ValueError where that is none."""
    try:
        blob = base64.b64decode(public.split()[1], validate=True)
    except (IndexError, binascii.Error) as error:
        raise ValueError(f"{public[:40]!r} is no public key of OpenSSH") from error
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def digest(data: bytes) -> str:
    """How the feed writes digests."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


class _RefusedError(StoreError):
    """ssh-keygen ran, and said no."""

    def __str__(self) -> str:
        return self.what


def _run(*arguments: str, given: bytes = b"") -> bytes:
    try:
        done = subprocess.run(
            ["ssh-keygen", *arguments],
            input=given,
            capture_output=True,
            check=False,
            timeout=30,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
        )
    except FileNotFoundError as error:
        raise StoreError("ssh-keygen", "is not installed", INSTALL) from error
    except subprocess.TimeoutExpired as error:
        raise StoreError("ssh-keygen", "did not end", "try again") from error
    if done.returncode:
        said = (done.stderr + done.stdout).decode(errors="replace").strip()
        raise _RefusedError("ssh-keygen", said, "look at the key and its folder")
    return done.stdout
