"""A ZIP file that is sent while it is written: never whole, neither in memory nor on disk."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime


class _Outbound(io.RawIOBase):
    """Where `zipfile` writes: hands on what arrived, and cannot go back."""

    def __init__(self) -> None:
        super().__init__()
        self._chunks: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, chunk: object) -> int:
        content = bytes(chunk)  # type: ignore[call-overload]  # zipfile hands on bytes-like objects only
        self._chunks.append(content)
        return len(content)

    def take(self) -> bytes:
        content = b"".join(self._chunks)
        self._chunks.clear()
        return content


def stream(files: Iterable[tuple[str, bytes]], moment: datetime) -> Iterator[bytes]:
    """Yield a ZIP of `files` (name and content) piece by piece; one file is in memory at a time.

    Pictures are stored as they are: they are compressed already.

    Args:
        files: made one after the other while the archive is sent.
        moment: the time that the archive gives for each file.
    """
    outbound = _Outbound()
    with zipfile.ZipFile(outbound, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files:
            entry = zipfile.ZipInfo(name, date_time=moment.timetuple()[:6])
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
            yield outbound.take()
    yield outbound.take()
