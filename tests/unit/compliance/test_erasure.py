"""Erasing a person, from the request to the certificate that verifies offline."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from conftest import add_member, add_participation
from sealing import got, put
from signed_logs import add_events
from sqlalchemy import Column, create_engine, delete, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session
from work import do_all_work, do_jobs

from compliance import erasure, evidence
from compliance.certificate import issuing, lines
from compliance.erasure import epochs
from compliance.requests import desk
from compliance.verify import verify_file
from core import audit, personal
from core.clock import now
from core.db import Lookup, transaction
from core.ids import new_id
from core.models import (
    Adapter,
    App,
    Arrival,
    Artifact,
    AuditEvent,
    Base,
    Certificate,
    Consent,
    Erasure,
    Headshot,
    Invite,
    Kind,
    Member,
    Outbox,
    Participation,
    Photo,
    Right,
    Shoot,
    SignInMethod,
    State,
    Style,
    WebSession,
)
from core.people import sessions
from core.personal import Personal
from core.queue import JobName
from core.shoots import invites
from core.vault import ArtifactGone, vault
from core.vault.key_tables import NamedErasure
from deploy import installation

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def artifact_id(org: UUID, member: Member) -> UUID:
    """A photo of the member, who takes part in a shoot."""
    add_participation(org, member, State.READY)
    with transaction(org) as session:
        return put(session, b"a face", kind=Kind.PHOTO, media_type="image/jpeg", member_id=member.id).id


def request(session: Session, member_id: UUID) -> erasure.Requested:
    person = session.get_one(Member, member_id)
    return erasure.request(
        session,
        person,
        reason=erasure.ErasureReason.SELF_SERVICE,
        actor=audit.actor_for(person),
        language="en",
    )


def certificates(org: UUID) -> dict[str, bytes]:
    with transaction(org) as session:
        return {row.status: row.pdf for row in session.scalars(select(Certificate))}


def test_erased_at_once_and_proven_after_the_epoch(org: UUID, member: Member, artifact_id: UUID) -> None:
    with transaction(org) as session:
        object_name = session.get_one(Artifact, artifact_id).object_name
        request(session, member.id)
    with transaction(org) as session:
        with pytest.raises(ArtifactGone):
            got(session, artifact_id)
        person = session.get_one(Member, member.id)
        assert (person.email, person.first_name, person.last_name) == (None, None, None)
        assert session.scalar(select(Participation.state)) == State.ERASED
    assert not vault().keys.exists(member.id)

    do_all_work()
    assert not vault().store.exists(object_name)
    assert list(certificates(org)) == ["PENDING"]

    erasure.turn_epoch()
    do_all_work()
    issued = certificates(org)
    assert sorted(issued) == ["COMPLETE", "PENDING"]
    for status, pdf in issued.items():
        verified = verify_file(pdf, evidence.published_keys(org))
        assert verified.ok, verified
        assert verified.status == status
        changed = bytearray(pdf)
        changed[len(pdf) // 2] ^= 1
        assert not verify_file(bytes(changed), evidence.published_keys(org)).ok


def test_erased_person_leaves_no_place_on_a_photo(org: UUID, member: Member, artifact_id: UUID) -> None:
    with transaction(org) as session:
        session.add(
            Photo(
                id=new_id(),
                org_id=org,
                participation_id=session.scalars(select(Participation.id)).one(),
                member_id=member.id,
                artifact_id=artifact_id,
                upload_key="one",
                verdict={"accepted": True},
                subject_x=0.4,
                subject_y=0.3,
            )
        )
        session.flush()
        request(session, member.id)
    with transaction(org) as session:
        photo = session.scalars(select(Photo)).one()
        assert (photo.verdict, photo.subject_x, photo.subject_y) == (None, None, None)


PERSONAL = {
    "email": "ada.byron@acme.example",
    "first_name": "Augusta",
    "last_name": "Byron",
    "employee_id": "E-104711",
    "department": "Analytical Engines",
    "idp_entity_id": "https://login.acme.example/saml",
    "name_id": "byron-9f2c",
    "place": "US-IL",
}


def test_no_row_anywhere_says_a_word_about_an_erased_person(
    org: UUID, member: Member, artifact_id: UUID
) -> None:
    """Every column of every table, whatever a later change adds to them."""
    columns = Member.__table__.columns
    nullable = {
        column.name
        for column in columns
        if column.nullable and not column.name.endswith("_at") and column.computed is None
    }
    assert set(PERSONAL) == nullable, "a new column about a person has to be emptied, or not be about them"
    measured = 0.123454321
    with transaction(org) as session:
        person = session.get_one(Member, member.id)
        for name, value in PERSONAL.items():
            setattr(person, name, value)
        participation = session.scalars(select(Participation)).one()
        participation.failure_code = "gates"
        owned = {"org_id": org, "participation_id": participation.id, "member_id": member.id}
        photo = Photo(
            id=new_id(),
            artifact_id=artifact_id,
            upload_key="IMG_Byron.jpg",
            verdict={"measures": {"eyes": measured}},
            subject_x=measured,
            subject_y=measured,
            **owned,
        )
        session.add(photo)
        session.flush()
        style_id = session.get_one(Shoot, participation.shoot_id).style_id
        gates = {"figures": {"roll_degrees": measured}}
        session.add(
            Headshot(
                id=new_id(),
                photo_id=photo.id,
                style_id=style_id,
                engine="studio",
                rank=0,
                gates=gates,
                seconds=1.0,
                **owned,
            )
        )
        session.add(
            Adapter(
                id=new_id(),
                kind="person",
                artifact_id=artifact_id,
                base="klein",
                revision="1",
                rank=4,
                steps=1,
                seed=1,
                photos=[],
                curve=[{"step": 1, "distance": measured}],
                seconds=1.0,
                **owned,
            )
        )
    words = [*PERSONAL.values(), "IMG_Byron.jpg", str(measured)]
    said = set(words) - {str(measured)}  # which lies sealed
    assert {word for word in words if word in everything(org)} == said
    with transaction(org) as session:
        request(session, member.id)
    do_all_work()
    left = everything(org)
    assert [word for word in words if word in left] == []


def everything(org: UUID) -> str:
    """Every row that the company's session sees, as text."""
    with transaction(org) as session:
        return "\n".join(
            row
            for table in Base.metadata.tables
            for row in session.scalars(text(f"SELECT t::text FROM {table} t"))
        )


def test_no_statistics_of_the_database_keep_what_was_said_about_people(
    org: UUID, member: Member, artifact_id: UUID, environment: dict[str, str]
) -> None:
    """What ANALYZE samples lies outside of every row, so erasing would not reach it."""
    for number in range(20):
        add_member(org, f"Ada{number}")
    owner = create_engine(environment["HEADSHOTS_DATABASE_OWNER_URL"])
    with owner.begin() as connection:
        for table in Base.metadata.tables:
            connection.execute(text(f"ANALYZE {table}"))
        sampled = {
            (row.table, row.column)
            for row in connection.execute(text("SELECT attrelid::regclass::text AS table, attname AS column"
                " FROM pg_attribute WHERE attnum > 0 AND attstattarget IS DISTINCT FROM 0"))
        }  # fmt: skip
        expressions = connection.execute(
            text(
                "SELECT i.indrelid::regclass::text AS table, pg_get_indexdef(i.indexrelid, a.attnum, false) AS said"
                " FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indexrelid"
                " WHERE i.indkey[a.attnum - 1] = 0 AND a.attstattarget IS DISTINCT FROM 0"
            )
        ).all()
    owner.dispose()
    for table, _ in personal.about_people(Base.metadata):
        said = {one.name for one in table.c if isinstance(personal.declared(one), Personal)}
        assert [name for name in sorted(said) if (table.name, name) in sampled] == [], table.name
        assert [
            one.said
            for one in expressions
            if one.table == table.name and any(name in one.said for name in said)
        ] == []


def test_erasing_ends_sessions_and_links_at_once(org: UUID, member: Member, artifact_id: UUID) -> None:
    with transaction(org) as session:
        participation = session.scalars(select(Participation)).one()
        token = sessions.start(session, session.get_one(Member, member.id), SignInMethod.INVITE)
        invite = invites.create(session, participation, actor=audit.SYSTEM)
    assert sessions.find(token, App.PORTAL) is not None
    with transaction(org) as session:
        request(session, member.id)
    assert sessions.find(token, App.PORTAL) is None
    with transaction(org) as session:
        assert session.scalars(select(WebSession)).one().ended_at is not None
        assert session.get_one(Invite, invite.id).revoked_at is not None
        with pytest.raises(invites.InviteRevoked):
            invites.usable(session, invite.id)


def test_every_value_that_says_something_about_a_person_is_cleared(
    org: UUID, member: Member, artifact_id: UUID
) -> None:
    """Whatever the map names: a marker in every such column of every table, one row about the person in each."""
    written: dict[str, set[str]] = {}
    with transaction(org) as session:
        _one_row_each(session, org, member.id, artifact_id)
        for table, person in personal.about_people(Base.metadata):
            said = {
                column
                for column in table.c
                # What the database works out is gone with what it is worked out from.
                if isinstance(personal.declared(column), Personal) and column.computed is None
            }
            if table.name == "consents":  # an answer cannot be changed into a signed one
                written[table.name] = {column.name for column in said}
                continue
            if not said:
                continue
            values = {column: _marker(column) for column in said}
            changed = session.execute(update(table).where(person == member.id).values(values))
            assert changed.rowcount, f"no row about the person in {table.name}"
            written[table.name] = {column.name for column in said}
        session.expire_all()
        request(session, member.id)
    assert {"email", "employee_id", "name_id"} <= written["members"]
    assert "verdict" in written["photos"]
    with transaction(org) as session:
        for table, person in personal.about_people(Base.metadata):
            for row in session.execute(select(table).where(person == member.id)).mappings():
                for name in written.get(table.name, ()):
                    said = personal.declared(table.c[name])
                    assert isinstance(said, Personal)
                    expected = str(row["id"]) if said.erased is personal.OWN_ID else said.erased
                    assert row[name] == expected, f"{table.name}.{name}"


def _marker(column: Column[Any]) -> Any:
    known = {
        str: "marker",
        float: 0.123,
        int: 123,
        dict: {"marker": 1},
        list: [{"marker": 1}],
        datetime: now(),
        bytes: b"marker",
    }
    return known[column.type.python_type] if not isinstance(column.type, JSONB) else {"marker": 1}


def _one_row_each(session: Session, org: UUID, member_id: UUID, artifact_id: UUID) -> None:
    participation = session.scalars(select(Participation)).one()
    style_id = session.scalars(select(Style.id)).first() or new_id()
    whose: dict[str, Any] = {"org_id": org, "member_id": member_id}
    photo = Photo(
        id=new_id(), participation_id=participation.id, artifact_id=artifact_id, upload_key="one", **whose
    )
    session.add(photo)
    session.flush()
    desk.record_done(session, session.get_one(Member, member_id), Right.ACCESS)
    session.add_all(
        [
            Consent(
                id=new_id(),
                participation_id=participation.id,
                purpose="likeness",
                granted=True,
                regime="bipa",
                language="en",
                text_version="2026-11.7",
                text_sha256="0" * 64,
                signed=b"marker",
                **whose,
            ),
            Arrival(
                id=new_id(),
                participation_id=participation.id,
                upload_key="one",
                pieces=[],
                received=0,
                **whose,
            ),
            Headshot(
                id=new_id(),
                participation_id=participation.id,
                photo_id=photo.id,
                style_id=style_id,
                engine="studio",
                rank=0,
                gates={},
                seconds=1.0,
                **whose,
            ),
            Adapter(
                id=new_id(),
                kind="person",
                participation_id=participation.id,
                artifact_id=artifact_id,
                base="base",
                revision="1",
                rank=1,
                steps=1,
                seed=1,
                photos=[],
                curve=[],
                seconds=1.0,
                **whose,
            ),
            WebSession(
                id=new_id(),
                token_sha256=bytes(32),
                method="invite",
                seen_at=now(),
                expires_at=now(),
                **whose,
            ),
        ]
    )
    session.flush()


def test_second_request_returns_the_first_erasure(org: UUID, member: Member, artifact_id: UUID) -> None:
    with transaction(org) as session:
        first = request(session, member.id)
    do_all_work()
    with transaction(org) as session:
        again = request(session, member.id)
        assert again.erasure_id == first.erasure_id
        # Without what opens the certificate's commitment, which nobody kept.
        assert first.receipt.startswith(again.receipt)
        assert len(session.scalars(select(Erasure)).all()) == 1
    import hashlib

    assert Lookup.erasure(hashlib.sha256(again.receipt.encode()).digest()) == (org, first.erasure_id)


def test_nothing_is_signed_while_an_object_remains(
    org: UUID, member: Member, artifact_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = vault().store
    monkeypatch.setattr(store, "delete", lambda _name: None)  # a storage that keeps what it should delete
    with transaction(org) as session:
        request(session, member.id)
    do_all_work()
    assert certificates(org) == {}
    with transaction(org) as session:
        waiting = session.scalars(select(Erasure)).one()
        assert (waiting.key_destroyed_at, waiting.objects_destroyed_at, waiting.locations) == (None, None, [])
        assert audit.Tag.ERASURE_EXECUTED not in session.scalars(select(AuditEvent.tag)).all()
    monkeypatch.undo()
    with transaction(org) as session:
        session.execute(update(Outbox).values(not_before=now()))
    do_all_work()
    assert list(certificates(org)) == ["PENDING"]


def test_others_keep_everything(org: UUID, member: Member, artifact_id: UUID) -> None:
    other = add_member(org, "Grace")
    with transaction(org) as session:
        kept = put(session, b"grace", kind=Kind.PHOTO, media_type="image/jpeg", member_id=other.id)
        request(session, member.id)
    do_all_work()
    erasure.turn_epoch()
    with transaction(org) as session:
        assert got(session, kept.id) == b"grace"


def test_an_erasure_from_before_its_id_was_noted_is_named_by_migrate(
    org: UUID, member: Member, artifact_id: UUID
) -> None:
    with transaction(org) as session:
        asked = request(session, member.id)
    do_all_work()
    ledger = vault().keys.erasures
    assert ledger.named(member.id) == asked.erasure_id
    with Session(vault().keys._engine) as session, session.begin():
        session.execute(delete(NamedErasure))
    assert ledger.named(member.id) is None
    installation.initialize()
    assert ledger.named(member.id) == asked.erasure_id


def test_person_brought_back_by_a_restore_is_erased_again(
    org: UUID, member: Member, artifact_id: UUID
) -> None:
    vault().keys.destroy(member.id)  # the key store remembers; the main database is as before the erasure
    assert erasure.replay_ledger() == 1
    assert erasure.replay_ledger() == 0
    do_all_work()
    with transaction(org) as session:
        assert session.get_one(Member, member.id).first_name is None


def test_many_erasures_are_settled_some_at_a_time(org: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [add_member(org, name) for name in ("Ada", "Grace", "Lise")]
    for person in people:
        with transaction(org) as session:
            erasure.request(
                session,
                session.get_one(Member, person.id),
                reason=erasure.ErasureReason.SELF_SERVICE,
                actor=audit.SYSTEM,
                language="en",
            )
    do_jobs(org, JobName.ERASE)
    monkeypatch.setattr(epochs, "SETTLED_AT_ONCE", 2)
    erasure.turn_epoch()
    with transaction(org) as session:
        assert None not in session.scalars(select(Erasure.epoch_destroyed_at)).all()
        owed = session.scalars(select(Outbox.subject_id).where(Outbox.job == JobName.CERTIFY)).all()
        assert len(owed) == 2 * len(people)


def test_the_log_goes_on_while_a_certificate_is_typeset_and_a_crash_then_leaves_the_same_facts(
    org: UUID, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tries = issuing.Announced.typeset, list[UUID]()

    def typeset(self: issuing.Announced) -> bytes:
        tries.append(self.document.certificate.certificate_id)
        add_events(org, 1)  # another worker's; with the log locked it would wait for ever
        if len(tries) == 1:
            raise MemoryError
        return real(self)

    monkeypatch.setattr(issuing.Announced, "typeset", typeset)
    with transaction(org) as session:
        erasure.request(
            session,
            session.get_one(Member, member.id),
            reason=erasure.ErasureReason.SELF_SERVICE,
            actor=audit.SYSTEM,
            language="en",
        )
    do_jobs(org, JobName.ERASE)
    with transaction(org) as session:
        stored = lines.stored(session, member.id)
    files = lines.look_for(stored)
    with transaction(org) as session:
        announced = issuing.announce(session, session.scalars(select(Erasure)).one(), files)
    assert announced is not None
    with pytest.raises(MemoryError):
        announced.typeset()
    do_jobs(org, JobName.CERTIFY)
    with transaction(org) as session:
        issued = session.scalars(select(AuditEvent).where(AuditEvent.tag == "certificate.issued")).all()
        [certificate] = session.scalars(select(Certificate)).all()
        assert tries == [certificate.id, certificate.id]
        assert len(issued) == 1
        assert session.scalars(select(Erasure.announced)).one() is None
    assert verify_file(certificate.pdf, evidence.published_keys(org)).ok
