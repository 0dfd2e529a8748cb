"""What someone who tries other photos can go back to: the approved headshot, or those that were made."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from core.brand import styles
from core.models import State
from core.portraits import headshots, reviews
from core.style.outputs import Output
from core.style.spec import StyleSpec
from portal.visit import Visit


@dataclass(frozen=True)
class WayBack:
    """Where it leads.

    Attributes:
        approved: the headshot that the company gets; `None` where none was approved yet.
        outputs: its files in the sizes that they really have, each with its file name in addresses.
        shape: width and height of its picture on a page, see `shape_of`.
    """

    approved: UUID | None
    outputs: list[tuple[Output, str]]
    shape: tuple[int, int] | None


def way_back(session: Session, place: Visit) -> WayBack | None:
    """Return what there is to go back to, `None` for nothing."""
    headshot = headshots.approved(session, place.participation)
    if headshot is not None:
        style = styles.delivered(session, headshot.style_id)
        made = [headshots.file_made(headshot, style, output) for output in style.outputs]
        return WayBack(headshot.id, [(output, file_of(output)) for output in made], shape_of(style))
    if place.state in (State.UPLOADING, State.FAILED) and headshots.any_of(session, place.participation):
        return WayBack(None, [], None)
    return None


def asked_again(session: Session, place: Visit) -> str:
    """Return why the company asks for another picture, in words; empty where it does not."""
    flaw = reviews.asked_for(session, place.participation)
    return str(_(reviews.FLAWS[flaw])) if flaw is not None else ""


def shape_of(style: StyleSpec) -> tuple[int, int]:
    """Return width and height of a style's pictures, in no unit: browsers keep room of this shape for them."""
    return 720, round(720 / style.crop.aspect)


def file_of(output: Output) -> str:
    """Return an output's file name in addresses, e.g. `linkedin.jpg`."""
    return f"{output.name}.{output.format.suffix}"
