"""The files that a company gets: one by itself, or an archive that is sent while its pictures are made."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final
from uuid import UUID

from PIL import Image

from compliance.origin.credentials import Origin, sign
from compliance.origin.label import label_of
from compliance.origin.making import Making
from compliance.origin.signer import signer
from core import locks
from core.audit import Actor
from core.brand import files, styles
from core.clock import now
from core.db import transaction
from core.errors import InvalidInput
from core.people import organizations, tabular
from core.portraits import avatars, downloads, file_names, gallery
from core.portraits.downloads import EVERYTHING, Choice, Picture
from core.shoots import shoots
from core.style.colors import Rgb, parse_hex, text_on, to_hex
from core.style.spec import Output, StyleSpec
from core.vault import ArtifactGone, KeyErased, vault
from core.web.archive_names import Names

if TYPE_CHECKING:
    from workers.vision.geometry import Pixels

AVATAR_SIDE: Final = 1024  # pixels
ENDINGS: Final = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}
MANIFEST: Final = "manifest.csv"
COLUMNS: Final = (
    "file", "kind", "size", "width", "height", "employee_id", "first_name", "last_name", "department", "approved", "sha256"
)  # fmt: skip


class NoSuchSize(InvalidInput):
    """The shoot's style has no file of that name."""

    code = "no_such_size"


def files_of(
    org_id: UUID, shoot_id: UUID, actor: Actor, say: Callable[[str], str], choice: Choice = EVERYTHING
) -> Iterator[tuple[str, bytes]]:
    """Note the download, and return the archive's files, made one after the other; the last one lists them.

    Raises:
        NothingToDownload: there is nothing yet, or any more, or nothing of what was chosen.
        NoSuchSize: the style has not all of the files that were chosen.
    """
    began = now()
    look = _look(org_id, shoot_id, say, choice.outputs)
    with transaction(org_id) as session:
        ids = downloads.plan(session, shoots.get(session, shoot_id), choice, actor=actor)
    return _files(org_id, ids, look, actor, began)


def file_of(
    org_id: UUID, shoot_id: UUID, participation_id: UUID, output: str, actor: Actor, say: Callable[[str], str]
) -> tuple[str, bytes, str]:
    """Make one file of one person's headshot; note that the company has it, and return its name, content and media type.

    Raises:
        NotFound: there is no picture that the company may see.
        NothingToDownload: it waits for a review, or ended meanwhile.
        NoSuchSize: the style has no such file.
    """
    look = _look(org_id, shoot_id, say, (output,))
    with transaction(org_id) as session:
        gallery.one(session, shoot_id, participation_id)
    found = _picture(org_id, participation_id, look, actor, alone=True)
    if found is None:
        raise downloads.NothingToDownload(
            "This picture cannot be downloaded: it waits for a review, or is not there any more."
        )
    picture, content = found
    ((_, made, _),) = _made(picture, content, look)
    (wanted,) = look.outputs
    stem = file_names.stem(look.file_name, picture.names) + file_names.ending_of(output)
    return f"{stem}.{wanted.format.suffix}", made, wanted.format.media_type


@dataclass(frozen=True)
class _Look:
    """What every file of an archive shares; the request is over while its files are made."""

    file_name: str  # the company's template
    style: StyleSpec
    outputs: tuple[Output, ...]  # of the style's, those that are made
    company: str
    accent: Rgb
    logo: Pixels | None
    labelled: str | None  # in which language model-made pictures say what they are; `None` if they do not
    say: Callable[[str], str]

    @property
    def names(self) -> tuple[str, ...]:
        """What the files are called in the style."""
        return tuple(one.name for one in self.outputs)


def _look(org_id: UUID, shoot_id: UUID, say: Callable[[str], str], wanted: tuple[str, ...]) -> _Look:
    with transaction(org_id) as session:
        shoot = shoots.get(session, shoot_id)
        style = styles.get(session, shoot.style_id).parsed
        organization = organizations.current(session)
        company, accent = organization.name, parse_hex(organization.accent)
        labelled = organization.language if organization.label_models else None
        logo = styles.logo(session, style)
    outputs = tuple(one for one in style.outputs if one.name in wanted) or style.outputs[:1]
    if not {one.name for one in outputs} >= set(wanted):
        raise NoSuchSize("This shoot’s style has no such size. Reload the page and choose again.")
    drawn = files.rgba(vault().open(logo)) if logo is not None else None
    return _Look(shoot.file_name, style, outputs, company, accent, drawn, labelled, say)


@dataclass
class _Manifest:
    """What an archive holds, for programs: a line for each file."""

    rows: list[tuple[str, ...]] = field(default_factory=list)

    def add(self, path: str, content: bytes, picture: Picture, made: Output | None) -> None:
        names, approved = picture.names, picture.approved_at
        kind = "headshot" if picture.is_master else "own_picture" if picture.held else "initials"
        self.rows.append(
            (
                path,
                kind,
                made.name if made else "",
                str(made.width) if made else "",
                str(made.height) if made else "",
                names["employee_id"],
                names["first"],
                names["last"],
                names["department"],
                approved.date().isoformat() if approved and picture.is_master else "",
                hashlib.sha256(content).hexdigest(),
            )
        )


def _files(
    org_id: UUID, ids: list[UUID], look: _Look, actor: Actor, began: datetime
) -> Iterator[tuple[str, bytes]]:
    names, manifest, held = Names(), _Manifest(), []
    for participation_id in ids:
        found = _picture(org_id, participation_id, look, actor)
        if found is None:
            continue
        for path, content, made in _made(*found, look):
            path = names.next(path)
            manifest.add(path, content, found[0], made)
            yield path, content
        held.append(participation_id)
    yield MANIFEST, tabular.write(COLUMNS, manifest.rows)
    for start in range(0, len(held), downloads.BATCH):
        locks.again(partial(_archived, org_id, held[start : start + downloads.BATCH], began))


def _archived(org_id: UUID, held: list[UUID], began: datetime) -> None:
    with transaction(org_id) as session:
        downloads.archived(session, held, began)


def _picture(
    org_id: UUID, participation_id: UUID, look: _Look, actor: Actor, *, alone: bool = False
) -> tuple[Picture, bytes | None] | None:
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
        partial(_handed, org_id, participation_id, picture, look, actor, alone)
    ):
        return None
    return picture, content


def _handed(
    org_id: UUID, participation_id: UUID, picture: Picture, look: _Look, actor: Actor, alone: bool
) -> bool:
    with transaction(org_id) as session:
        return downloads.handed(
            session,
            participation_id,
            is_master=picture.is_master,
            held=picture.held,
            actor=actor,
            outputs=look.names,
            alone=alone,
        )


def _made(picture: Picture, kept: bytes | None, look: _Look) -> Iterator[tuple[str, bytes, Output | None]]:
    """Make a person's files one after the other: path, content, and for a headshot as which of the style's."""
    style = look.style
    stem = file_names.stem(look.file_name, picture.names)
    if kept is None:
        avatar = avatars.render(
            picture.initials, ground=to_hex(look.accent), ink=to_hex(text_on(look.accent)), size=AVATAR_SIDE
        )
        signed = sign(avatar, "image/png", Making.of_initials(), signer())
        yield f"{file_names.ALTERNATIVES}{stem}.png", signed, None
        return
    if not picture.is_master:
        own = sign(kept, picture.media_type, Making.of_own_picture(), signer())
        yield f"{file_names.ALTERNATIVES}{stem}.{ENDINGS[picture.media_type]}", own, None
        return
    # Only where a picture is made: they bring a hundred megabytes of libraries along.
    import numpy as np

    from workers.studio.caption import caption_of
    from workers.studio.encode import deliver

    with Image.open(io.BytesIO(kept), formats=("PNG",)) as master:
        pixels = np.asarray(master.convert("RGB"))
    caption = caption_of(picture.person, look.company, style, look.say)
    label = label_of(picture.engine, look.labelled) if look.labelled else None
    origin = Origin(Making.of_headshot(picture.engine, style, picture.notes), signer(), picture.mark, label)
    for output in look.outputs:
        content = deliver(pixels, style, output, origin, caption=caption, head=picture.head, logo=look.logo)
        made = style.delivered(output, picture.head, (pixels.shape[1], pixels.shape[0]))
        folder = file_names.folder_of(output.name, look.names)
        yield f"{folder}{stem}.{output.format.suffix}", content, made
