"""What stands in for a headshot when someone declines: brand-styled initials, or a picture of their own."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Collection
from functools import lru_cache
from uuid import UUID

from PIL import Image, ImageDraw, ImageFont
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import fonts, locks, uploads
from core.clock import now
from core.errors import NotFound
from core.grounds import Ground, because
from core.models import Alternative, Artifact, Kind, Member, Participation, Use
from core.vault import Sealed, vault

SIZES = (1024, 512, 256)  # pixels, square: directory, chat, small profile
_LETTERS = 0.40  # font size over the avatar's side: two letters keep a fifth of margin on each side
_NOBODYS = "\U0010ffff"  # a noncharacter: no font has it, so what is drawn for it is the sign for "missing"
_APART = "\u200c"  # between Arabic letters, which would join to a word

Rgb = tuple[int, int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def render(initials: str, *, ground: str, ink: str, size: int) -> bytes:
    """Return a PNG of initials on the brand's colour.

    Letters that no font here has give way to a neutral silhouette, never to empty boxes.

    Args:
        initials: up to two letters.
        ground: the company's accent, `#rrggbb`.
        ink: a colour that reads on it, `#rrggbb`.
        size: side, pixels; one of `SIZES`.

    Raises:
        NotFound: a size that is not offered.
    """
    if size not in SIZES:
        raise NotFound("Avatars come in the sizes that the page offers.")
    side = size * 2  # drawn larger and reduced, so that curves are smooth
    image = Image.new("RGB", (side, side), ground)
    draw = ImageDraw.Draw(image)
    font = _font(initials, round(side * _LETTERS))
    if all(unicodedata.bidirectional(letter) == "AL" for letter in initials):
        initials = _APART.join(initials)
    if font is not None:
        draw.text((side / 2, side / 2), initials, fill=ink, font=font, anchor="mm")
    else:
        draw.ellipse(_box(side, 0.36, 0.24, 0.64, 0.52), fill=ink)
        draw.ellipse(_box(side, 0.20, 0.60, 0.80, 1.30), fill=ink)
    output = io.BytesIO()
    image.resize((size, size), Image.Resampling.LANCZOS).save(output, "PNG", optimize=True)
    return output.getvalue()


def _box(
    side: int, left: float, top: float, right: float, bottom: float
) -> tuple[float, float, float, float]:
    return left * side, top * side, right * side, bottom * side


def _font(text: str, size: int) -> Font | None:
    """Return a font that has every letter of `text`, or `None`: DejaVu Sans, else fontconfig's choice, else Pillow's."""
    found = fonts.covering(text, bold=True)
    for file, face in [("DejaVuSans-Bold.ttf", 0), *([found] if found else [])]:
        font = _opened(file, face, size)
        if font is not None and _has_glyphs(font, text):
            return font
    plain = ImageFont.load_default(size)
    return plain if _has_glyphs(plain, text) else None


@lru_cache(maxsize=32)
def _opened(file: str, face: int, size: int) -> Font | None:
    """Return the font, or `None` where the machine has none or it is a strip of pictures, which has one size."""
    try:
        return ImageFont.truetype(file, size, index=face)
    except OSError:
        return None


def _has_glyphs(font: Font, text: str) -> bool:
    missing = font.getmask(_NOBODYS)
    return all(
        (mask := font.getmask(letter)).size != missing.size or bytes(mask) != bytes(missing)
        for letter in text
    )


def own_picture(session: Session, member_id: UUID) -> Artifact | None:
    """Return the picture that the person gave instead of a headshot, if any."""
    return session.scalar(
        select(Artifact)
        .where(
            Artifact.member_id == member_id,
            Artifact.kind == Kind.OWN_PICTURE,
            Artifact.delete_requested_at.is_(None),
        )
        .order_by(Artifact.id.desc())
        .limit(1)
    )


def seal_own_picture(org_id: UUID, member_id: UUID | None, jpeg: bytes) -> Sealed:
    """Seal a person's own picture, encoded anew by the caller, so without metadata."""
    return vault().seal(org_id, jpeg, kind=Kind.OWN_PICTURE, media_type="image/jpeg", member_id=member_id)


def keep_own_picture(session: Session, member: Member, sealed: Sealed) -> Artifact:
    """Keep the person's own picture in place of an earlier one; no face in it is looked for.

    Args:
        session: bound to the organization.
        member: whose picture it is.
        sealed: what `seal_own_picture` made of it.
    """
    locks.person(session, member.id)
    _delete(session, member)
    return vault().keep(session, sealed)


def remove_unused_picture(session: Session, member: Member) -> None:
    """Delete the person's own picture unless it still stands in for them in some shoot."""
    locks.person(session, member.id)
    session.flush()
    used = select(Participation.id).where(
        Participation.member_id == member.id, Participation.alternative == Alternative.OWN_PICTURE
    )
    if session.scalar(used.limit(1)) is None:
        remove_own_picture(session, member)


def remove_unused(session: Session, member_ids: Collection[UUID]) -> None:
    """Delete the own pictures of these people, whom the caller has locked, that stand in for nobody any more."""
    session.flush()
    used = select(Participation.member_id).where(Participation.alternative == Alternative.OWN_PICTURE)
    owners = select(Artifact.member_id).where(
        Artifact.kind == Kind.OWN_PICTURE, Artifact.delete_requested_at.is_(None)
    )
    unused = select(Member).where(Member.id.in_(member_ids), Member.id.in_(owners), Member.id.not_in(used))
    for member in session.scalars(unused).all():
        remove_own_picture(session, member)


def remove_own_picture(session: Session, member: Member) -> None:
    """Delete the person's own picture, also one that is being checked; none is fine."""
    locks.person(session, member.id)
    with because(session, Ground.PERSON):
        uploads.end(session, Use.OWN_PICTURE, sender_id=member.id)
        _delete(session, member)


def _delete(session: Session, member: Member) -> None:
    earlier = own_picture(session, member.id)
    if earlier is not None:
        vault().delete(session, [earlier.id])
        vault().keys.removals.note_after_commit(session, member.id, [earlier.id], now())
