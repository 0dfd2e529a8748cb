"""How a picture was made, for whoever holds it, and of nobody whom it shows."""

from __future__ import annotations

from flask import Blueprint, Response
from sqlalchemy import select

from compliance.origin.making import source_type_of
from core.db import Lookup, transaction
from core.models import Artifact, Headshot, Member
from core.portraits import marks
from core.web.answers import page
from core.web.app import limiter
from portal import words

bp = Blueprint("origin", __name__)


@bp.get("/origin/<mark>")
@limiter.limit("30 per minute")
def show(mark: str) -> Response:
    """Say how the picture with this watermark was made, as long as it is held here; neither of whom nor for whom."""
    engine = _engine(marks.parsed(mark))
    if engine is None:
        return page("origin.html", 404, made=None)
    return page("origin.html", made=words.made(source_type_of(engine).rpartition("/")[2]))


def _engine(mark: int | None) -> str | None:
    """Return what made the picture; `None` where there is none, or none any more."""
    found = None if mark is None else Lookup.marked(mark)
    if found is None:
        return None
    org_id, headshot_id = found
    with transaction(org_id) as session:
        return session.scalar(
            select(Headshot.engine)
            .join(Artifact, Artifact.id == Headshot.artifact_id)
            .join(Member, Member.id == Headshot.member_id)
            .where(
                Headshot.id == headshot_id,
                Artifact.delete_requested_at.is_(None),
                Member.erased_at.is_(None),
            )
        )
