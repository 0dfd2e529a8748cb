"""The one way a ZIP leaves: sent while it is made, with names that every reader and file system takes.

Each entry is whole in memory before it is written, so its size and CRC stand in front of it. Java's
`ZipInputStream`, and every other reader that cannot jump to the directory at the end, needs them there.
"""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime

from flask import Response

from core.clock import now
from core.web.archive_names import Names


class _Window(io.BytesIO):
    """The end of a file whose start was sent already: `zipfile` goes back to the entry that it writes, no further."""

    def __init__(self) -> None:
        super().__init__()
        self._sent = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation("only absolute places are known here")
        return self._sent + super().seek(offset - self._sent)

    def tell(self) -> int:
        return self._sent + super().tell()

    def take(self) -> bytes:
        content = self.getvalue()
        self._sent += len(content)
        super().seek(0)
        self.truncate()
        return content


def stream(files: Iterable[tuple[str, bytes]], moment: datetime) -> Iterator[bytes]:
    """Yield a ZIP of `files` piece by piece; one file is in memory at a time, and nothing on disk.

    Contents are stored as they are: pictures are compressed already. ZIP64 where size or number ask for it.

    Args:
        files: path and content, made one after the other while the archive is sent. A path that is not
            safe everywhere, or that an earlier one equals where capitals do not count, is changed as `Names` says.
        moment: the time that the archive gives for each file.
    """
    window, names = _Window(), Names()
    with zipfile.ZipFile(window, "w", zipfile.ZIP_STORED) as archive:
        for path, content in files:
            entry = zipfile.ZipInfo(names.next(path), date_time=moment.timetuple()[:6])
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, content)
            yield window.take()
    yield window.take()


def send(files: Iterable[tuple[str, bytes]], name: str) -> Response:
    """Answer with a ZIP called `name` that is made while it is sent.

    Args:
        files: as for `stream`; made after the request, so they may not need it.
        name: the file's name, with its ending.
    """
    response = Response(stream(files, now()), mimetype="application/zip")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.headers["Cache-Control"] = "no-store"
    # A proxy that waited for the whole file would keep people's pictures in its memory or on its disk.
    response.headers["X-Accel-Buffering"] = "no"
    return response
