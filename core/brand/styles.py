"""Styles: saved in versions, immutable once a shoot has used one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import String, cast, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from core import audit
from core.brand.files import size
from core.clock import now
from core.db import organization_of
from core.errors import Conflict, InvalidInput, NotFound
from core.ids import new_id
from core.models import Artifact, Kind, Shoot, Style
from core.people import organizations
from core.style.spec import COMPANY_LOGO, ImageBackdrop, StyleSpec
from core.vault import Held, Sealed, vault

SMALL_PICTURE: Final = 1000  # px, short side of a backdrop: most sizes show 1,024 pixels of it


class StyleNameTaken(Conflict):
    """Another style of the company has this name."""

    code = "style_name_taken"


class PictureGone(InvalidInput):
    """The style's backdrop is a picture that the company does not have, or not any more."""

    code = "backdrop_picture_gone"


@dataclass(frozen=True)
class Listed:
    """A style's newest version, and how many shoots use any of its versions."""

    style: Style
    shoots: int


def get(session: Session, style_id: UUID) -> Style:
    """Return a style.

    Raises:
        NotFound: there is none of this id.
    """
    style = session.get(Style, style_id)
    if style is None:
        raise NotFound("This style does not exist.")
    return style


def newest(session: Session) -> list[Listed]:
    """Return the newest version of each style, in the order of their names."""
    uses = (
        select(Style.name, func.count(Shoot.id).label("shoots"))
        .join(Shoot, Shoot.style_id == Style.id)
        .group_by(Style.name)
        .subquery()
    )
    rows = session.execute(
        select(Style, func.coalesce(uses.c.shoots, 0))
        .outerjoin(uses, uses.c.name == Style.name)
        .ext(distinct_on(Style.name))
        .order_by(Style.name, Style.version.desc())
    )
    return [Listed(style, shoots) for style, shoots in rows]


def is_newest(session: Session, style: Style) -> bool:
    """Whether no later version of the style exists."""
    return _latest_version(session, style.name) == style.version


def newest_of(session: Session, style: Style) -> Style:
    """Return the newest version of a style, itself where there is no later one."""
    later = select(Style).where(Style.name == style.name).order_by(Style.version.desc()).limit(1)
    return session.scalars(later).one()


def delivered(session: Session, style_id: UUID) -> StyleSpec:
    """Return the style of a headshot with the files that the newest version of it asks for.

    Files are made when somebody downloads them, so a size or an avatar's frame that was chosen since counts for
    headshots that exist; what they look like stays as it was made.
    """
    style = get(session, style_id)
    return style.parsed.with_files_of(newest_of(session, style).parsed)


def _latest_version(session: Session, name: str) -> int:
    return session.scalar(select(func.max(Style.version)).where(Style.name == name)) or 0


def save(session: Session, spec: StyleSpec, *, style: Style | None = None, actor: audit.Actor) -> Style:
    """Save a new style, or a change to `style`: in place while no shoot uses it, else as a new version.

    A new version begins with the look of the one that it was made from.

    Raises:
        StyleNameTaken: another style has this name.
        PictureGone: there is no such picture for the backdrop.
    """
    if isinstance(spec.backdrop, ImageBackdrop) and not _claimed(session, spec.backdrop.image):
        raise PictureGone("The backdrop's picture is gone. Please choose it again.", field="image")
    renamed = style is None or style.name != spec.name
    latest = _latest_version(session, spec.name)
    if renamed and latest:
        raise StyleNameTaken("Another style has this name. Please choose a different one.", field="name")
    before, look_id = (_picture_of(style), style.look_id) if style is not None else (None, None)
    if style is None or style.locked_at is not None:
        version = latest + 1
        style = Style(
            id=new_id(),
            org_id=organization_of(session),
            created_at=now(),
            name=spec.name,
            version=version,
            spec=spec.model_dump(mode="json"),
            look_id=look_id,
        )
        session.add(style)
        before = None  # the locked version keeps its picture
    else:
        style.name = spec.name
        style.spec = spec.model_dump(mode="json")
    try:
        session.flush()
    except IntegrityError as error:
        raise StyleNameTaken("Someone saved this style at the same moment. Please reload it.") from error
    if before is not None and before != _picture_of(style):
        _forget_picture(session, before)
    audit.record(session, audit.Tag.STYLE_SAVED, actor=actor, style=str(style.id), version=style.version)
    return style


def lock(session: Session, style: Style) -> None:
    """Make a style immutable: a shoot uses it from now on.

    Raises:
        NotFound: it was deleted a moment ago.
    """
    if style.locked_at is None:
        style.locked_at = now()
        try:
            session.flush()
        except StaleDataError as error:
            raise NotFound("This style does not exist.") from error


def forget(session: Session, style: Style) -> None:
    """Delete a version that nothing refers to, and its picture where no other version shows it."""
    image = _picture_of(style)
    session.delete(style)
    session.flush()
    if image is not None:
        _forget_picture(session, image)


def seal_picture(org_id: UUID, jpeg: bytes) -> Sealed:
    """Seal a backdrop's picture, encoded anew by the caller; the id of what is kept is for `ImageBackdrop.image`."""
    return vault().seal(org_id, jpeg, kind=Kind.BACKDROP, media_type="image/jpeg", member_id=None)


def picture(session: Session, spec: StyleSpec) -> Held | None:
    """Return where the JPEG of the style's image backdrop lies; `None` where it has none or it was deleted."""
    if not isinstance(spec.backdrop, ImageBackdrop):
        return None
    artifact = _artifact_of(session, spec.backdrop.image)
    return vault().find(session, artifact.id) if artifact is not None else None


def is_picture_small(held: Held | None) -> bool:
    """Whether a style's image backdrop has to be enlarged in most sizes, so that it looks soft."""
    return held is not None and min(size(vault().open(held))) < SMALL_PICTURE


def logo(session: Session, spec: StyleSpec) -> Held | None:
    """Return where the PNG of the logo lies that the style puts on files; `None` where it has none or the company none.

    Always the company's present one: an old logo is on no file that is downloaded after the change.
    """
    if spec.logo is None or spec.logo.image != COMPANY_LOGO:
        return None
    logo_id = organizations.current(session).logo_id
    return vault().find(session, logo_id) if logo_id is not None else None


def _picture_of(style: Style) -> str | None:
    backdrop = style.parsed.backdrop
    return backdrop.image if isinstance(backdrop, ImageBackdrop) else None


def _artifact_of(session: Session, image: str) -> Artifact | None:
    try:
        artifact = session.get(Artifact, UUID(image))
    except ValueError:
        return None
    if artifact is None or artifact.kind != Kind.BACKDROP or artifact.delete_requested_at is not None:
        return None
    return artifact


def _claimed(session: Session, image: str) -> bool:
    """Whether there is this picture; if so, it is not forgotten before the caller's transaction ends."""
    artifact = _artifact_of(session, image)
    if artifact is not None:
        session.refresh(artifact, with_for_update={"read": True})
    return artifact is not None and artifact.delete_requested_at is None


def forget_unused_pictures(session: Session, kept_before: datetime) -> None:
    """Destroy the backdrops of styles that were given up before they were saved.

    Args:
        session: bound to the organization.
        kept_before: younger ones may be in a form that somebody is filling in.
    """
    images = select(Style.spec["backdrop"]["image"].as_string()).where(
        Style.spec["backdrop"]["kind"].as_string() == "image"
    )
    unused = session.scalars(
        select(Artifact.id)
        .where(
            Artifact.kind == Kind.BACKDROP,
            Artifact.delete_requested_at.is_(None),
            Artifact.created_at < kept_before,
            cast(Artifact.id, String).not_in(images),
        )
        .with_for_update(key_share=True, skip_locked=True)
    ).all()
    for one in unused:
        _forget_picture(session, str(one))  # looks once more, now that nobody can save a style with it


def _forget_picture(session: Session, image: str) -> None:
    """Destroy a picture that no version of any style shows any more."""
    still = session.scalar(
        select(Style.id).where(Style.spec["backdrop"]["image"].as_string() == image).limit(1)
    )
    if still is None:
        vault().delete(session, [UUID(image)])
