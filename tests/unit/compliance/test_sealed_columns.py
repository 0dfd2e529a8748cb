"""What was measured on faces lies sealed in the rows, and what an earlier release wrote comes there."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
import seen
from conftest import add_member, add_participation
from sqlalchemy import create_engine, select, text, update
from sqlalchemy.orm import Session
from work import do_all_work

from compliance import erasure, sealing
from compliance.erasure import ErasureReason
from core import audit
from core.clock import now
from core.db import engine, transaction
from core.models import Headshot, Installation, Member, Participation, Photo, Shoot
from core.models.base import Base
from core.models.sealed import SealedRow
from core.settings import settings
from core.vault import vault

MARK = 0.123454321
FACE = {"centre": [0.5, 0.4], "mark": MARK}


def all_rows(org: UUID) -> str:
    """Every row of every table, as a dump would hold it."""
    with transaction(org) as session:
        return "\n".join(
            row
            for table in Base.metadata.tables
            for row in session.scalars(text(f"SELECT t::text FROM {table} t"))
        )


@pytest.fixture
def measured(org: UUID, member: Member) -> UUID:
    """A photo of a person, with everything that is measured; its id."""
    participation = add_participation(org, member)
    photo = seen.add_photo(org, participation, faces=[FACE], phash="0123", measures={"eyes": MARK})
    with transaction(org) as session:
        style_id = session.get_one(Shoot, participation.shoot_id).style_id
    seen.add_headshot(org, participation, style_id, photo)
    with transaction(org) as session:
        row = session.get_one(Photo, photo.id)
        row.subject_x, row.subject_y = MARK, MARK
        session.scalars(select(Headshot)).one().gates = {"figures": {"roll": MARK}}
        session.scalars(select(Participation)).one().failure_code = "gates_mark"
    return photo.id


def read(org: UUID, photo_id: UUID) -> tuple[object, ...]:
    with transaction(org) as session:
        photo = session.get_one(Photo, photo_id)
        headshot = session.scalars(select(Headshot)).one()
        participation = session.scalars(select(Participation)).one()
    verdict = (photo.verdict or {}).get("measures")
    return verdict, photo.subject, headshot.gates, participation.failure_code


WHOLE = ({"eyes": MARK}, (MARK, MARK), {"figures": {"roll": MARK}}, "gates_mark")
NOTHING = (None, None, {}, None)


def test_no_row_says_what_was_measured_while_its_person_is_there(org: UUID, measured: UUID) -> None:
    assert read(org, measured) == WHOLE
    left = all_rows(org)
    assert [word for word in (str(MARK), "gates_mark", "phash") if word in left] == []


def test_nobody_can_open_it_any_more_once_its_person_is_erased_whatever_a_backup_brings_back(
    org: UUID, member: Member, measured: UUID
) -> None:
    with transaction(org) as session:
        kept = {
            table: session.execute(select(table.id, table.sealed)).all()
            for table in (Photo, Headshot, Participation)
        }
        person = session.get_one(Member, member.id)
        erasure.request(
            session, person, reason=ErasureReason.SELF_SERVICE, actor=audit.actor_for(person), language="en"
        )
    do_all_work()
    with transaction(org) as session:
        for table, rows in kept.items():
            assert rows
            for row_id, sealed in rows:
                assert sealed
                session.execute(update(table).where(table.id == row_id).values(sealed=sealed))
    assert read(org, measured) == NOTHING


def test_what_was_measured_on_a_picture_ends_with_the_pictures_own_key(org: UUID, measured: UUID) -> None:
    with transaction(org) as session:
        photo = session.get_one(Photo, measured)
        headshot = session.scalars(select(Headshot)).one()
    vault().keys.forget([photo.artifact_id])
    assert read(org, measured) == (None, None, WHOLE[2], WHOLE[3])
    assert headshot.artifact_id is not None
    vault().keys.forget([headshot.artifact_id])
    assert read(org, measured)[2] == {}


def test_what_was_measured_opens_although_the_picture_is_replaced(org: UUID, measured: UUID) -> None:
    with transaction(org) as session:
        photo = session.get_one(Photo, measured)
        old, new = photo.artifact_id, session.scalars(select(Headshot.artifact_id)).one()
        assert new is not None
        photo.artifact_id = new
    vault().keys.forget([old])
    assert read(org, measured) == WHOLE


def test_sealed_values_of_another_row_do_not_open(org: UUID, member: Member, measured: UUID) -> None:
    with transaction(org) as session:
        first = session.scalars(select(Headshot)).one()
        session.execute(update(Photo).values(sealed=first.sealed))
    with transaction(org) as session, pytest.raises(Exception, match="cannot be opened"):
        _ = session.get_one(Photo, measured).verdict


def test_many_rows_are_opened_with_one_look_for_keys(org: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("Bo", "Cy", "Di"):
        participation = add_participation(org, add_member(org, name))
        seen.add_photo(org, participation, faces=[FACE])
    asked = []
    living = vault().keys.living
    monkeypatch.setattr(vault().keys, "living", lambda ids: asked.append(len(ids)) or living(ids))
    with transaction(org) as session:
        rows = session.scalars(select(Photo)).all()
        assert all((row.verdict or {})["faces"] == [FACE] for row in rows)
    assert len(asked) == 1


@pytest.fixture
def unsealed(org: UUID) -> None:
    """An installation from before: not sealed yet."""
    with Session(engine()) as session, session.begin():
        session.execute(update(Installation).values(sealed_at=None))


def test_until_it_is_said_the_release_before_reads_and_writes_beside_this_one(
    unsealed: None, org: UUID, measured: UUID
) -> None:
    assert read(org, measured) == WHOLE
    with transaction(org) as session:
        before = session.execute(text("SELECT verdict, subject_x, sealed FROM photos")).one()
        assert (before[0]["measures"], before[1], before[2]) == (WHOLE[0], MARK, None)
        session.execute(text('UPDATE headshots SET gates = \'{"notes": ["by the other"]}\''))
    assert read(org, measured)[2] == {"notes": ["by the other"]}
    assert sealing.seal_all() == 0


def test_from_then_on_what_both_wrote_lies_sealed_only(unsealed: None, org: UUID, measured: UUID) -> None:
    assert str(MARK) in all_rows(org)
    assert sealing.begin() == 4  # a photo, a headshot, a part in a shoot, a name
    assert str(MARK) not in all_rows(org)
    assert "gates_mark" not in all_rows(org)
    assert read(org, measured) == WHOLE
    assert sealing.begin() == 0


def test_it_waits_for_a_process_of_the_release_before(
    unsealed: None, org: UUID, environment: dict[str, str]
) -> None:
    before = create_engine(environment["HEADSHOTS_DATABASE_URL"])
    with before.connect() as connection:
        connection.execute(text("SELECT 1"))
        with pytest.raises(sealing.EarlierRelease, match="does not answer") as raised:
            sealing.begin()
    before.dispose()
    assert "without a name" in raised.value.operator
    assert not sealing.is_begun()
    sealing.begin()
    assert sealing.is_begun()


def test_every_sealed_value_has_the_column_that_the_release_before_knew() -> None:
    for table in SealedRow.__subclasses__():
        for one in table.sealed_values():
            assert getattr(table, one.plain).expression.name == one.name
    assert set(sealing.TABLES) == set(SealedRow.__subclasses__())


def test_an_installation_that_began_with_them_sealed_has_no_older_backups(org: UUID) -> None:
    del org
    assert sealing.is_begun()
    assert sealing.open_in_backups_until(now()) is None


def test_a_certificate_says_until_when_older_backups_hold_names_and_nothing_once_there_are_none(
    unsealed: None, org: UUID, measured: UUID
) -> None:
    kept = timedelta(days=settings().backup_days)
    moment = now()
    assert sealing.open_in_backups_until(moment) == moment + kept
    sealing.begin()
    with Session(engine()) as session:
        since = session.scalars(select(Installation.sealed_at)).one()
    assert since is not None
    assert sealing.open_in_backups_until(now()) == since + kept
    assert sealing.open_in_backups_until(since + kept) is None
