"""A body on its way in: content encoding undone piece by piece, large ones kept on disk."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any, BinaryIO, Protocol

PIECE = 256 * 1024  # the most that is decompressed in one step
BEGINNING = 16 * 1024  # of a body on disk that is kept to be looked at: one chunk can fill it


class BadEncoding(ValueError):
    """The content encoding is not what it says, is cut, or is one that nobody asked for."""


class Decoder(Protocol):
    """Undoes one content encoding. `finish` raises BadEncoding for what is not complete."""

    def feed(self, chunk: bytes) -> Iterator[bytes]: ...
    def finish(self) -> None: ...


def decoder(encoding: str | None, first: bytes) -> Decoder | None:
    """What undoes that encoding; None if the bytes are plain, whatever the header says.

    Only gzip and deflate are asked for. br and zstd are read, within the same
    limits, from servers that send them unasked.
    """
    names = [name.strip().lower() for name in (encoding or "").split(",")]
    names = [name for name in names if name not in ("", "identity")]
    if not names:
        return None
    if len(names) > 1:
        raise BadEncoding(f"{len(names)} content encodings, one inside the other")
    match names[0]:
        case "gzip" | "x-gzip":
            return _Zlib(31) if _begins(first, b"\x1f\x8b") else None
        case "deflate":
            if first[:1] in (b"{", b"[", b"<"):
                return None
            # Some servers leave out the zlib header that the standard asks for.
            zlib_header = len(first) < 2 or (first[0] << 8 | first[1]) % 31 == 0
            return _Zlib(15 if zlib_header and first[0] & 15 == 8 else -15)
        case "br":
            return _Brotli()
        case "zstd":
            return _Zstd() if _begins(first, b"\x28\xb5\x2f\xfd") else None
        case unknown:
            raise BadEncoding(f"content encoding {unknown[:20]!r}, which was not asked for")


def _begins(first: bytes, magic: bytes) -> bool:
    """Could this be the beginning of data with that magic? The first chunk may be one byte."""
    return first[: len(magic)] == magic[: len(first)]


class _Zlib:
    def __init__(self, bits: int) -> None:
        from isal import isal_zlib

        self._new: Callable[[], Any] = lambda: isal_zlib.decompressobj(wbits=bits)
        self._error: Any = isal_zlib.error
        self._gzip = bits == 31
        self._stream = self._new()

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        while chunk:
            if self._stream.eof:
                if not self._gzip or not chunk.startswith(b"\x1f\x8b"[: len(chunk)]):
                    raise BadEncoding("there is something after the end of the compressed data")
                self._stream = self._new()  # a gzip file may have several members
            try:
                piece = self._stream.decompress(chunk, PIECE)
            except self._error as error:
                raise BadEncoding(f"the compressed data is corrupt: {error}") from error
            chunk = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
            if piece:
                yield piece
        # What the decompressor still holds back although its input is used up.
        while not self._stream.eof:
            try:
                piece = self._stream.decompress(b"", PIECE)
            except self._error as error:
                raise BadEncoding(f"the compressed data is corrupt: {error}") from error
            if not piece:
                return
            yield piece

    def finish(self) -> None:
        if not self._stream.eof:
            raise BadEncoding("the compressed data is cut off")


class _Brotli:
    def __init__(self) -> None:
        import brotli  # type: ignore[import-untyped]

        self._stream = brotli.Decompressor()
        self._error = brotli.error

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        while True:
            if self._stream.is_finished():
                raise BadEncoding("there is something after the end of the compressed data")
            try:
                piece = self._stream.process(chunk, output_buffer_limit=PIECE)
            except self._error as error:
                raise BadEncoding(f"the compressed data is corrupt: {error}") from error
            if piece:
                yield piece
            if self._stream.can_accept_more_data() or self._stream.is_finished():
                return
            chunk = b""

    def finish(self) -> None:
        if not self._stream.is_finished():
            raise BadEncoding("the compressed data is cut off")


class _Zstd:
    def __init__(self) -> None:
        from backports import zstd

        self._stream: Any = zstd.ZstdDecompressor(
            options={zstd.DecompressionParameter.window_log_max: 23}
        )
        self._error = zstd.ZstdError

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        while True:
            if self._stream.eof:
                if chunk:
                    raise BadEncoding("there is something after the end of the compressed data")
                return
            try:
                piece = self._stream.decompress(chunk, PIECE)
            except self._error as error:
                raise BadEncoding(f"the compressed data is corrupt: {error}") from error
            if piece:
                yield piece
            if self._stream.eof:
                chunk = self._stream.unused_data
                continue
            if self._stream.needs_input:
                return
            chunk = b""

    def finish(self) -> None:
        if not self._stream.eof:
            raise BadEncoding("the compressed data is cut off")


class Spool:
    """Collects a body: in memory while it is small, then in a temporary file."""

    def __init__(self, limit: int) -> None:
        self.size = 0
        self._limit = limit
        self._pieces: list[bytes] = []
        self._file: BinaryIO | None = None
        self._first = b""  # of what went to the file
        self._digest = hashlib.sha256()

    def write(self, piece: bytes) -> None:
        self.size += len(piece)
        if self._file is None:
            self._pieces.append(piece)
            if self.size <= self._limit:
                return
            self._file = tempfile.TemporaryFile(prefix="monitor-")  # noqa: SIM115
            piece = b"".join(self._pieces)
            self._first = piece[:BEGINNING]
            self._pieces.clear()
        self._digest.update(piece)
        self._file.write(piece)

    def beginning(self, size: int) -> bytes:
        """The first bytes, `BEGINNING` at most once the body is on disk."""
        first = self._pieces[0] if self._pieces else self._first
        if len(first) < size and len(self._pieces) > 1:
            first = b"".join(self._pieces)
        return first[:size]

    def finish(self) -> tuple[BinaryIO, str]:
        """The body at its beginning, and "sha256:<hex>"."""
        if self._file is not None:
            self._file.seek(0)
            return self._file, f"sha256:{self._digest.hexdigest()}"
        body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._digest.update(body)
        return BytesIO(body), f"sha256:{self._digest.hexdigest()}"

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
