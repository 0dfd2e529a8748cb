"""Downloading a shoot: one ZIP, streamed while its pictures are made."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from flask import Blueprint, Response
from flask_babel import get_translations
from PIL import Image

from compliance.origin.credentials import Origin, sign
from compliance.origin.label import label_of
from compliance.origin.making import Making
from compliance.origin.signer import signer
from core import locks
from core.audit import Actor
from core.brand import files, styles
from core.db import transaction
from core.models import Shoot
from core.people import organizations
from core.permissions import Permission
from core.portraits import avatars, downloads, file_names
from core.portraits.downloads import Picture
from core.shoots import shoots
from core.style.colors import Rgb, parse_hex, text_on, to_hex
from core.style.spec import StyleSpec
from core.vault import ArtifactGone, KeyErased, vault
from core.web import archive
from core.web.guards import me, requires

if TYPE_CHECKING:
    from workers.vision.geometry import Pixels

bp = Blueprint("download", __name__)

ALTERNATIVES = "alternatives/"
AVATAR_SIDE = 1024  # pixels
ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


@bp.get("/shoots/<uuid:shoot_id>/download.zip")
@requires(Permission.DOWNLOAD)
def shoot_zip(shoot_id: UUID) -> Response:
    """Send every approved headshot in the style's first size, and alternatives in a folder of their own."""
    user = me()
    with transaction(user.org_id) as session:
        name = name_of(shoots.get(session, shoot_id))
    return archive.send(files_of(user.org_id, shoot_id, user.actor, get_translations().gettext), name)


def name_of(shoot: Shoot) -> str:
    """Return what a shoot's archive is called."""
    return f"{re.sub(r'[^a-z0-9]+', '-', shoot.name.lower()).strip('-') or 'headshots'}.zip"


def files_of(
    org_id: UUID, shoot_id: UUID, actor: Actor, say: Callable[[str], str]
) -> Iterator[tuple[str, bytes]]:
    """Note the download, and return the archive's files, made one after the other.

    Raises:
        NothingToDownload: there is nothing yet, or any more.
    """
    with transaction(org_id) as session:
        shoot = shoots.get(session, shoot_id)
        style = styles.get(session, shoot.style_id).parsed
        organization = organizations.current(session)
        company = organization.name, parse_hex(organization.accent)
        ids = downloads.plan(session, shoot, actor=actor)
        logo = styles.logo(session, style)
    drawn = files.rgba(vault().open(logo)) if logo is not None else None
    labelled = organization.language if organization.label_models else None
    return _files(org_id, ids, _Look(shoot.file_name, style, *company, drawn, labelled, say), actor)


@dataclass(frozen=True)
class _Look:
    """What every file of an archive shares; the request is over while its files are made."""

    file_name: str  # the company's template
    style: StyleSpec
    company: str
    accent: Rgb
    logo: Pixels | None
    labelled: str | None  # in which language model-made pictures say what they are; `None` if they do not
    say: Callable[[str], str]


def _files(org_id: UUID, ids: list[UUID], look: _Look, actor: Actor) -> Iterator[tuple[str, bytes]]:
    for participation_id in ids:
        found = _picture(org_id, participation_id, actor)
        if found is not None:
            yield _file(*found, look)


def _picture(org_id: UUID, participation_id: UUID, actor: Actor) -> tuple[Picture, bytes | None] | None:
    """Read one person's picture between two short transactions: no row is locked while storage or line are slow."""
    with transaction(org_id) as session:
        picture = downloads.picture(session, participation_id)
    if picture is None:
        return None
    try:
        content = vault().open(picture.held) if picture.held is not None else None
    except (ArtifactGone, KeyErased):
        return None
    if content is not None and not locks.again(
        partial(_handed, org_id, participation_id, picture.is_master, actor)
    ):
        return None
    return picture, content


def _handed(org_id: UUID, participation_id: UUID, is_master: bool, actor: Actor) -> bool:
    with transaction(org_id) as session:
        return downloads.handed(session, participation_id, is_master=is_master, actor=actor)


def _file(picture: Picture, kept: bytes | None, look: _Look) -> tuple[str, bytes]:
    style = look.style
    stem = file_names.stem(look.file_name, picture.names)
    if kept is None:
        avatar = avatars.render(
            picture.initials, ground=to_hex(look.accent), ink=to_hex(text_on(look.accent)), size=AVATAR_SIDE
        )
        return f"{ALTERNATIVES}{stem}.png", sign(avatar, "image/png", Making.of_initials(), signer())
    if not picture.is_master:
        own = sign(kept, picture.media_type, Making.of_own_picture(), signer())
        return f"{ALTERNATIVES}{stem}.{ENDINGS[picture.media_type]}", own
    # Only where a picture is made: they bring a hundred megabytes of libraries along.
    import numpy as np

    from workers.studio.caption import caption_of
    from workers.studio.encode import deliver

    output = style.outputs[0]
    with Image.open(io.BytesIO(kept), formats=("PNG",)) as master:
        pixels = np.asarray(master.convert("RGB"))
    caption = caption_of(picture.person, look.company, style, look.say)
    label = label_of(picture.engine, look.labelled) if look.labelled else None
    origin = Origin(Making.of_headshot(picture.engine, style, picture.notes), signer(), picture.mark, label)
    content = deliver(pixels, style, output, origin, caption=caption, head=picture.head, logo=look.logo)
    return f"{stem}.{output.format.suffix}", content
