"""The end of a style that no shoot uses."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import audit
from core.brand import looks, styles
from core.errors import Conflict, NotFound
from core.models import Adapter, Style


class StyleInUse(Conflict):
    """A shoot was made with the style, so its headshots must stay explainable."""

    code = "style_in_use"


def is_possible(session: Session, style: Style) -> bool:
    """Whether no shoot uses any version of the style."""
    used = select(Style.id).where(Style.name == style.name, Style.locked_at.is_not(None)).limit(1)
    return session.scalar(used) is None


def delete(session: Session, style: Style, *, actor: audit.Actor) -> None:
    """Delete every version of a style, and destroy its pictures, its look and what was learned from that.

    Raises:
        NotFound: it was deleted a moment ago.
        StyleInUse: a shoot uses one of its versions, were it made a moment ago; nothing was touched.
    """
    # Leaves the keys free, as `looks.give` does: whoever is storing what a look learned must be able to finish.
    versions = session.scalars(
        select(Style)
        .where(Style.name == style.name)
        .order_by(Style.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    if not versions:
        raise NotFound("This style does not exist.")
    if any(one.locked_at is not None for one in versions):
        raise StyleInUse("A shoot uses this style, so it stays: its headshots were made with it.")
    for one in versions:
        looks.remove(session, one, actor=actor)
        session.execute(update(Adapter).where(Adapter.style_id == one.id).values(style_id=None))
        styles.forget(session, one)
        audit.record(session, audit.Tag.STYLE_DELETED, actor=actor, style=str(one.id), version=one.version)
