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
from core.shoots import department_styles, shoots
from core.style.colors import Rgb, parse_hex, text_on, to_hex
from core.style.outputs import Output
from core.style.spec import StyleSpec
from core.vault import ArtifactGone, Held, KeyErased, vault
from core.web.archive_names import Names
from core.words import N_

if TYPE_CHECKING:
    from workers.vision.geometry import Pixels

AVATAR_SIDE: Final = 1024  # pixels
ENDINGS: Final = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}
MANIFEST: Final = "manifest.csv"
COLUMNS: Final = (
    "file", "kind", "size", "width", "height", "employee_id", "first_name", "last_name", "department", "approved", "sha256"
)  # fmt: skip


class NoSuchSize(InvalidInput):
    """No style of the shoot has a file of that name."""

    code = "no_such_size"


def files_of(
    org_id: UUID, shoot_id: UUID, actor: Actor, say: Callable[[str], str], choice: Choice = EVERYTHING
) -> Iterator[tuple[str, bytes]]:
    """Note the download, and return the archive's files, made one after the other; the last one lists them.

    Raises:
        NothingToDownload: there is nothing yet, or any more, or nothing of what was chosen.
        NoSuchSize: no style of the shoot has one of the files that were chosen.
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
        made_in = gallery.one(session, shoot_id, participation_id).headshot.style_id
        if output not in {one.name for one in styles.delivered(session, made_in).outputs}:
            # Before it is noted that the company has it.
            raise NoSuchSize(N_("This picture’s style has no such size. Reload the page and choose again."))
    found = _picture(org_id, participation_id, look, actor, alone=True)
    if found is None:
        raise downloads.NothingToDownload(
            "This picture cannot be downloaded: it waits for a review, or is not there any more."
        )
    ((_, content, wanted),) = _made(found, look)
    if wanted is None:
        raise downloads.NothingToDownload("The person has another picture by now. Reload the page.")
    stem = file_names.stem(look.file_name, found.picture.names) + file_names.ending_of(output)
    return f"{stem}.{wanted.format.suffix}", content, wanted.format.media_type


@dataclass(frozen=True)
class _Look:
    """What every file of an archive shares; the request is over while its files are made."""

    file_name: str  # the company's template
    wanted: tuple[str, ...]  # names of files; none stands for the first of each style
    company: str
    accent: Rgb
    labelled: str | None  # in which language model-made pictures say what they are; `None` if they do not
    say: Callable[[str], str]
    logos: dict[UUID, Pixels] = field(default_factory=dict)  # that were drawn already

    def outputs(self, style: StyleSpec) -> tuple[Output, ...]:
        """Return which of a style's files are made: the first where it has none of those that were chosen."""
        return tuple(one for one in style.outputs if one.name in self.wanted) or style.outputs[:1]

    def logo(self, held: Held | None) -> Pixels | None:
        """Return a logo's pixels, drawn once for all files."""
        if held is None:
            return None
        if held.id not in self.logos:
            self.logos[held.id] = files.rgba(vault().open(held))
        return self.logos[held.id]


@dataclass(frozen=True)
class _Found:
    """One person's picture, read: its bytes, `None` for initials, and where the logo of its style lies."""

    picture: Picture
    content: bytes | None
    logo: Held | None


def _look(org_id: UUID, shoot_id: UUID, say: Callable[[str], str], wanted: tuple[str, ...]) -> _Look:
    with transaction(org_id) as session:
        shoot = shoots.get(session, shoot_id)
        known = {one.name for one in department_styles.outputs(session, shoot)}
        organization = organizations.current(session)
        company, accent = organization.name, parse_hex(organization.accent)
        labelled = organization.language if organization.label_models else None
    if not known >= set(wanted):
        raise NoSuchSize("This shoot’s style has no such size. Reload the page and choose again.")
    return _Look(shoot.file_name, wanted, company, accent, labelled, say)


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
        for path, content, made in _made(found, look):
            path = names.next(path)
            manifest.add(path, content, found.picture, made)
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
) -> _Found | None:
    """Read one person's picture between two short transactions: no row is locked while storage or line are slow."""
    with transaction(org_id) as session:
        picture = downloads.picture(session, participation_id)
        logo = styles.logo(session, picture.style) if picture is not None and picture.style else None
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
    return _Found(picture, content, logo)


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
            outputs=[one.name for one in look.outputs(picture.style)] if picture.style else (),
            alone=alone,
        )


def _made(found: _Found, look: _Look) -> Iterator[tuple[str, bytes, Output | None]]:
    """Make a person's files one after the other: path, content, and for a headshot as which of its style's."""
    picture, kept, style = found.picture, found.content, found.picture.style
    stem = file_names.stem(look.file_name, picture.names)
    if kept is None:
        avatar = avatars.render(
            picture.initials, ground=to_hex(look.accent), ink=to_hex(text_on(look.accent)), size=AVATAR_SIDE
        )
        signed = sign(avatar, "image/png", Making.of_initials(), signer())
        yield f"{file_names.ALTERNATIVES}{stem}.png", signed, None
        return
    if style is None:
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
    logo = look.logo(found.logo)
    for output in look.outputs(style):
        content = deliver(pixels, style, output, origin, caption=caption, head=picture.head, logo=logo)
        made = style.delivered(output, picture.head, (pixels.shape[1], pixels.shape[0]))
        folder = file_names.folder_of(output.name, look.wanted)
        yield f"{folder}{stem}.{output.format.suffix}", content, made
