"""A style ends with everything that only it has, and never while a shoot needs it."""

from __future__ import annotations

from uuid import UUID

import pytest
from painted import coarse
from sealing import sealed
from sqlalchemy import select
from work import do_all_work

from core import audit
from core.brand import look_pictures, look_reading, look_training, looks, style_deletion, styles
from core.db import transaction
from core.errors import NotFound
from core.models import Adapter, Artifact, AuditEvent, Kind, Look, Style
from core.style.spec import ImageBackdrop, StyleSpec
from core.vault import vault


@pytest.fixture
def style(org: UUID) -> Style:
    with transaction(org) as session:
        wall = str(vault().keep(session, sealed(org, coarse(50, (1200, 1000)), Kind.BACKDROP)).id)
        spec = StyleSpec(name="Warm", backdrop=ImageBackdrop(image=wall))
        return styles.save(session, spec, actor=audit.SYSTEM)


def delete(style: Style) -> None:
    with transaction(style.org_id) as session:
        style_deletion.delete(session, style, actor=audit.SYSTEM)


def kept(org: UUID) -> int:
    do_all_work()
    with transaction(org) as session:
        return len(session.scalars(select(Artifact.id).where(Artifact.destroyed_at.is_(None))).all())


def test_a_style_goes_with_its_backdrop_its_look_and_what_was_learned(org: UUID, style: Style) -> None:
    readable = look_reading.read([coarse(seed, (800, 640)) for seed in range(look_pictures.LEAST)])
    with transaction(org) as session:
        pictures = [sealed(org, one, Kind.STYLE_PICTURE) for one in readable.usable]
        row = session.get_one(Style, style.id)
        look = looks.give(session, row, readable, pictures, actor=audit.SYSTEM).look
        look_training.store(
            session,
            look.id,
            sealed(org, b"weights", Kind.ADAPTER),
            base="klein",
            revision="1",
            rank=2,
            steps=8,
            seed=1,
            seconds=1.0,
            watt_hours=None,
        )
    delete(style)
    assert kept(org) == 0
    with transaction(org) as session:
        assert session.scalars(select(Style)).all() == []
        assert session.scalars(select(Adapter.style_id)).all() == [None]
        assert session.scalars(select(Look.ended_at).where(Look.ended_at.is_(None))).all() == []
        event = session.scalars(select(AuditEvent).where(AuditEvent.tag == audit.Tag.STYLE_DELETED)).one()
        assert event.facts == {"style": str(style.id), "version": 1}
    with pytest.raises(NotFound):
        delete(style)


def test_a_style_that_a_shoot_uses_stays_with_all_its_versions(org: UUID, style: Style) -> None:
    with transaction(org) as session:
        styles.lock(session, session.get_one(Style, style.id))
        second = styles.save(
            session, StyleSpec(name="Warm"), style=session.get_one(Style, style.id), actor=audit.SYSTEM
        )
    for one in (style, second):
        with pytest.raises(style_deletion.StyleInUse):
            delete(one)
    assert kept(org) == 1
    with transaction(org) as session:
        assert len(session.scalars(select(Style)).all()) == 2


def test_a_backdrop_that_another_style_shows_stays(org: UUID, style: Style) -> None:
    with transaction(org) as session:
        other = style.parsed.model_copy(update={"name": "Other"})
        styles.save(session, other, actor=audit.SYSTEM)
    delete(style)
    assert kept(org) == 1


def test_a_shoot_that_begins_with_a_style_of_a_moment_ago_is_told_so(org: UUID, style: Style) -> None:
    with transaction(org) as session:
        seen = session.get_one(Style, style.id)
        delete(style)
        with pytest.raises(NotFound):
            styles.lock(session, seen)
        session.rollback()
