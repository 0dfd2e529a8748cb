"""Monthly statements: what ended without a certificate is counted by its reason, looked for again, and signed."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pypdf
import pytest
from conftest import add_member, add_participation
from erasing import erase
from sealing import put
from sqlalchemy import select, update
from work import do_all_work

from compliance import consent, evidence, retention
from compliance.bundle.making import files
from compliance.certificate.parts import VerificationFailed
from compliance.consent import leaving
from compliance.consent.texts import notice
from compliance.log import sequencer
from compliance.statement import counting, issuing
from compliance.verify import Kind as Evidence
from compliance.verify import verify_file
from core import audit
from core.clock import now
from core.consent import Purpose
from core.db import Lookup, transaction
from core.grounds import Ground, because, ground_of
from core.ids import new_id
from core.models import (
    Artifact,
    AuditEvent,
    Consent,
    Erasure,
    Kind,
    Member,
    Organization,
    Participation,
    Photo,
    State,
    Statement,
)
from core.people import organizations
from core.portraits import photos
from core.settings import settings
from core.vault import vault

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

LAST = f"{now().replace(day=1) - timedelta(days=1):%Y-%m}"


@pytest.fixture
def org_of_before(org: UUID) -> UUID:
    with transaction(org) as session:
        session.execute(update(Organization).values(created_at=now() - timedelta(days=90)))
    return org


def photo_of(org: UUID, member: Member, part: Participation) -> UUID:
    with transaction(org) as session:
        file, likeness = (
            put(session, b"face", kind=kind, media_type="image/jpeg", member_id=member.id)
            for kind in (Kind.PHOTO, Kind.LIKENESS)
        )
        photo = Photo(
            id=new_id(),
            org_id=org,
            participation_id=part.id,
            member_id=member.id,
            artifact_id=file.id,
            likeness_id=likeness.id,
            upload_key=str(file.id),
        )
        session.add(photo)
        return photo.id


def agree(org: UUID, part: Participation) -> None:
    shown = notice(
        "gdpr",
        "en",
        company="Acme",
        processor=settings().operator_name,
        region="here",
        retention_days=30,
        headshot_days=30,
        leaver_days=90,
        latest=now().date(),
        today=now().date(),
    )
    with transaction(org) as session:
        consent.give(session, session.get_one(Participation, part.id), dict.fromkeys(Purpose, True), shown)


def a_month_ago(org: UUID) -> None:
    """Have everything that ended so far have ended in the month before."""
    begins, _ = counting.bounds(LAST)
    moment = begins + timedelta(days=3)
    with transaction(org) as session:
        session.execute(
            update(Artifact)
            .where(Artifact.delete_requested_at.is_not(None))
            .values(delete_requested_at=moment)
        )
        session.execute(update(Consent).where(Consent.withdrawn_at.is_not(None)).values(withdrawn_at=moment))
        session.execute(update(Erasure).values(created_at=moment))


def stated(pdf: bytes) -> dict[str, Any]:
    attached = dict(pypdf.PdfReader(io.BytesIO(pdf)).attachments)["evidence.json"][0]
    body: dict[str, Any] = json.loads(attached)["certificate"]
    return body


@pytest.fixture
def ended(org_of_before: UUID) -> UUID:
    """Somebody whose time is over, one who took back a consent, one who removed a photo, one who was erased."""
    org = org_of_before
    for name in ("Ada", "Grace", "Emmy", "Mary"):
        person = add_member(org, name)
        part = add_participation(org, person)
        agree(org, part)
        photo_id = photo_of(org, person, part)
        photo_of(org, person, part)
        with transaction(org) as session:
            row = session.get_one(Participation, part.id)
            member = session.get_one(Member, person.id)
            if name == "Ada":
                row.state, row.approved_at = State.DELIVERED, now() - timedelta(days=60)
            elif name == "Grace":
                consent.withdraw(session, member, Purpose.LIKENESS)
            elif name == "Emmy":
                row.state = State.UPLOADING
                photos.remove(session, session.get_one(Photo, photo_id), actor=audit.actor_for(member))
        if name == "Mary":
            erase(org, person.id)
    with transaction(org) as session:
        retention.sweep(session)
    do_all_work()
    a_month_ago(org)
    return org


def test_each_end_is_counted_under_its_reason_and_read_again(ended: UUID, tmp_path: Path) -> None:
    number = issuing.issue(ended, LAST)
    assert issuing.issue(ended, LAST) is None
    issuing.issue_all()
    with transaction(ended) as session:
        (row,) = session.scalars(select(Statement))
        assert row.id == number
        pdf = row.pdf
        (event,) = session.scalars(select(AuditEvent).where(AuditEvent.tag == audit.Tag.STATEMENT_ISSUED))
        assert event.facts["month"] == LAST
    body = stated(pdf)
    lines = {(one["category"], one["ground"]): one for one in body["ended"]}
    assert lines["photo", "retention"]["files"] == 2
    assert lines["photo", "retention"]["people"] == 1
    assert lines["likeness", "withdrawal"]["files"] == 2
    assert lines["photo", "person"]["files"] == 1
    assert ("photo", "withdrawal") not in lines
    assert not any(ground == "erasure" for _, ground in lines)
    for one in lines.values():
        assert (one["read"], one["left"]) == (one["files"] * 2, 0)  # each file and its key
    assert body["withdrawn"] == [{"purpose": "likeness", "count": 1}]
    assert body["erasures"] == 1
    for word in ("Ada", "Grace", "Emmy", "Mary", "Example"):
        assert word not in json.dumps(body)

    keys = evidence.published_keys(ended)
    result = verify_file(pdf, keys)
    assert result.ok, result.checks
    assert (result.kind, result.status) == (Evidence.STATEMENT, "STATEMENT")
    for place in range(0, len(pdf), 1501):
        changed = bytearray(pdf)
        changed[place] ^= 1
        assert not verify_file(bytes(changed), keys).ok, place
    text = " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages).split())
    for words in ("Monthly statement", "Its time was over", "Its person removed it", "Comparing faces: 1"):
        assert words in text
    sequencer.sequence_all()
    assert f"statements/{number}.pdf" in dict(files(ended))


def test_a_statement_waits_while_something_is_still_there(
    ended: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vault().store, "exists", lambda _name: True)
    with pytest.raises(VerificationFailed):
        issuing.issue(ended, LAST)
    monkeypatch.undo()
    with transaction(ended) as session:
        assert session.scalars(select(Statement)).all() == []
    assert issuing.issue(ended, LAST) is not None


def test_a_month_in_which_nothing_ended_is_stated_too_and_none_before_its_end(org_of_before: UUID) -> None:
    assert issuing.issue(org_of_before, f"{now():%Y-%m}") is None
    issuing.issue_all()
    with transaction(org_of_before) as session:
        (pdf,) = session.scalars(select(Statement.pdf))
    body = stated(pdf)
    assert (body["ended"], body["withdrawn"], body["erasures"]) == ([], [], 0)
    assert verify_file(pdf, evidence.published_keys(org_of_before)).ok


def test_a_company_has_no_statement_of_before_it_was_here(org: UUID) -> None:
    issuing.issue_all()
    with transaction(org) as session:
        assert session.scalars(select(Statement)).all() == []


def test_who_decided_first_says_why(org: UUID) -> None:
    with transaction(org) as session:
        assert ground_of(session) is Ground.WORK
        with because(session, Ground.RETENTION):
            with because(session, Ground.PERSON):
                assert ground_of(session) is Ground.RETENTION
            assert ground_of(session) is Ground.RETENTION
        assert ground_of(session) is Ground.WORK


def test_declining_is_a_withdrawal(org_of_before: UUID) -> None:
    person = add_member(org_of_before, "Ada")
    part = add_participation(org_of_before, person)
    agree(org_of_before, part)
    photo_of(org_of_before, person, part)
    with transaction(org_of_before) as session:
        leaving.withdraw_all(session, session.get_one(Participation, part.id), actor=audit.SYSTEM)
    with transaction(org_of_before) as session:
        assert set(session.scalars(select(Artifact.ended_because))) == {Ground.WITHDRAWAL}


def test_what_is_stuck_in_one_company_keeps_no_other_from_its_statement(
    ended: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = organizations.create("globex", "Globex")
    with transaction(other) as session:
        session.execute(update(Organization).values(created_at=now() - timedelta(days=90)))
    monkeypatch.setattr(Lookup, "organizations", staticmethod(lambda: [ended, other]))
    monkeypatch.setattr(vault().store, "exists", lambda _name: True)
    with pytest.raises(VerificationFailed):
        issuing.issue_all()
    for org, stated_months in ((ended, []), (other, [LAST])):
        with transaction(org) as session:
            assert session.scalars(select(Statement.month)).all() == stated_months


def test_a_month_that_nobody_could_state_in_time_is_stated_later(ended: UUID) -> None:
    """The scheduler was away, or a file was still there, for longer than a month."""
    begins, _ = counting.bounds(LAST)
    before = begins - timedelta(days=5)
    with transaction(ended) as session:
        session.execute(
            update(Artifact)
            .where(Artifact.delete_requested_at.is_not(None))
            .values(delete_requested_at=before)
        )
    issuing.issue_all()
    issuing.issue_all()
    with transaction(ended) as session:
        found = session.execute(select(Statement.month, Statement.pdf).order_by(Statement.month)).all()
    assert [month for month, _ in found] == [f"{before:%Y-%m}", LAST]
    assert [bool(stated(pdf)["ended"]) for _, pdf in found] == [True, False]
