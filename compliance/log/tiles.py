"""The tree as tiles of 256 hashes, and entries in bundles (C2SP tlog-tiles): static files from which anybody makes any proof."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.models import AuditEvent, Checkpoint, LogLeaf, LogNode

HEIGHT = 8
WIDTH = 1 << HEIGHT
MAX_LEVEL = 63
_PATH = re.compile(r"((?:x[0-9]{3}/)*)([0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


@dataclass(frozen=True)
class Tile:
    """Which tile or bundle of a level; `width` of a partial one is below 256."""

    index: int
    width: int

    @classmethod
    def parse(cls, path: str) -> Tile:
        """Read `<N>[.p/<W>]`, e.g. `x001/x234/067.p/12`.

        Raises:
            NotFound: not such a path.
        """
        match = _PATH.fullmatch(path)
        width = WIDTH if match is None or match[3] is None else int(match[3])
        if (
            match is None
            or (match[3] is not None and width >= WIDTH)
            or (match[1] or "x").startswith("x000/")
        ):
            raise NotFound("This is not the path of a tile.")
        index = int(match[1].replace("x", "").replace("/", "") + match[2])
        if index >= 1 << 55:
            raise NotFound("No log has this tile.")
        return cls(index, width)

    @property
    def path(self) -> str:
        """Return `<N>[.p/<W>]`."""
        digits = f"{self.index:d}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        parts = [digits[start : start + 3] for start in range(0, len(digits), 3)]
        named = "/".join([f"x{part}" for part in parts[:-1]] + parts[-1:])
        return named if self.width == WIDTH else f"{named}.p/{self.width}"

    @property
    def start(self) -> int:
        """Return the place of its first hash or entry in its level."""
        return self.index * WIDTH


def hashes(session: Session, level: int, tile: Tile) -> bytes:
    """Return a tile: its hashes, 32 bytes each, one after the other.

    Raises:
        NotFound: no signed tree has it yet, or a restore lost a part of it.
    """
    if not 0 <= level <= MAX_LEVEL:
        raise NotFound("No log has tiles of this level.")
    end = tile.start + tile.width
    _demand(session, end << (HEIGHT * level) if HEIGHT * level < 63 else 1 << 63)
    found = session.scalars(
        select(LogNode.hash)
        .where(LogNode.level == HEIGHT * level, LogNode.position >= tile.start, LogNode.position < end)
        .order_by(LogNode.position)
    ).all()
    if len(found) < tile.width:
        raise NotFound("A restore lost a part of this tile; the log says which entries.")
    return b"".join(found)


def entries(session: Session, tile: Tile) -> bytes:
    """Return a bundle: its entries, each after its length as two bytes, the higher first.

    Raises:
        NotFound: no signed tree has it yet, or a restore lost a part of it.
    """
    end = tile.start + tile.width
    _demand(session, end)
    found = session.scalars(
        select(AuditEvent.leaf)
        .join(LogLeaf, LogLeaf.event_id == AuditEvent.id)
        .where(LogLeaf.position >= tile.start, LogLeaf.position < end)
        .order_by(LogLeaf.position)
    ).all()
    if len(found) < tile.width:
        raise NotFound("A restore lost a part of this bundle; the log says which entries.")
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in found)


def _demand(session: Session, size: int) -> None:
    signed = session.scalar(select(Checkpoint.size).order_by(Checkpoint.size.desc()).limit(1)) or 0
    if size > signed:
        raise NotFound("No signed tree has this yet.")
