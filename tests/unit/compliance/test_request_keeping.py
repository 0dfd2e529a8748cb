"""What the clock does with requests: reminders, closing, forgetting, and the end of a company."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from conftest import add_member
from erasing import erase
from sqlalchemy import select, update
from unit.compliance.test_request_moves import BEGUN, open_one, walk

from compliance import keyless
from compliance.requests import keeping, letters, moves, reminders, words
from core import audit
from core.clock import now
from core.db import transaction
from core.models import Member, Outbox, Right, Stage, SubjectRequest
from core.queue import JobName
from core.vault import vault


def put(org: UUID, request_id: UUID, **values: object) -> None:
    with transaction(org) as session:
        session.execute(update(SubjectRequest).where(SubjectRequest.id == request_id).values(**values))


def swept(org: UUID) -> None:
    with transaction(org) as session:
        keeping.sweep(session)


def owed(org: UUID, job: JobName) -> list[UUID]:
    with transaction(org) as session:
        return list(session.scalars(select(Outbox.subject_id).where(Outbox.job == job).order_by(Outbox.id)))


def test_who_answers_is_reminded_three_times_of_each(org: UUID, member: Member) -> None:
    robin = add_member(org, "Robin", role="owner", language="de")
    with transaction(org) as session:
        request_id = open_one(session, session.get_one(Member, member.id)).id
    swept(org)
    assert owed(org, JobName.REQUEST_REMINDER) == []
    for number, left in enumerate((6, 1, -1), start=1):
        put(org, request_id, due_at=now() + timedelta(days=left))
        swept(org)
        swept(org)
        assert len(owed(org, JobName.REQUEST_REMINDER)) == number
    with transaction(org) as session:
        (mail,) = reminders.mails(session)
        assert mail.to == robin.email
        assert "war fällig am" in mail.text
        assert "/admin/requests" in mail.text
        assert "Ada" not in mail.subject + mail.text
        walk(session, moves.get(session, request_id), "cancel", by=audit.SYSTEM)
        assert reminders.mails(session) == []


def test_an_answered_request_is_closed_and_in_the_end_forgotten(org: UUID, member: Member) -> None:
    with transaction(org) as session:
        row = open_one(session, None)
        walk(session, row, *BEGUN, "fulfil", by=audit.SYSTEM)
        request_id = row.id
    swept(org)
    with transaction(org) as session:
        assert moves.get(session, request_id).state == Stage.FULFILLED
    put(org, request_id, decided_at=now() - timedelta(days=31))
    swept(org)
    with transaction(org) as session:
        row = moves.get(session, request_id)
        assert (row.state, row.sealed) == (Stage.CLOSED, None)
    assert vault().keys.among([request_id]) == set()
    put(org, request_id, closed_at=now() - timedelta(days=729))
    swept(org)
    with transaction(org) as session:
        assert session.get(SubjectRequest, request_id) is not None
    put(org, request_id, closed_at=now() - timedelta(days=733))
    swept(org)
    with transaction(org) as session:
        assert session.get(SubjectRequest, request_id) is None


def test_the_key_of_an_open_request_is_no_key_without_use(org: UUID) -> None:
    with transaction(org) as session:
        request_id = open_one(session, None).id
    known = keyless.look()[1]
    assert request_id not in known


def test_whoever_is_erased_meanwhile_has_nothing_open(org: UUID, member: Member) -> None:
    with transaction(org) as session:
        person = session.get_one(Member, member.id)
        access, gone = open_one(session, person), open_one(session, person, Right.ERASURE)
        walk(session, gone, *BEGUN, by=audit.SYSTEM)
        ids = access.id, gone.id
    erase(org, member.id)
    swept(org)
    with transaction(org) as session:
        assert [moves.get(session, one).state for one in ids] == [Stage.CANCELLED, Stage.FULFILLED]
        assert moves.get(session, ids[1]).erasure_id is not None


def test_a_company_that_leaves_keeps_no_address_of_anybody(org: UUID) -> None:
    with transaction(org) as session:
        request_id = open_one(session, None).id
    with transaction(org) as session:
        assert keeping.end_all(session) == 1
    with transaction(org) as session:
        assert moves.get(session, request_id).state == Stage.CLOSED
        assert words.read(moves.get(session, request_id)).address == ""
    assert vault().keys.among([request_id]) == set()


def test_a_mail_tells_each_step_that_somebody_else_takes(org: UUID, member: Member) -> None:
    robin = audit.actor_for(add_member(org, "Robin", role="hr_admin"))
    with transaction(org) as session:
        row = open_one(session, session.get_one(Member, member.id))
        walk(
            session, row, "acknowledge", "ask for proof", "note proof", "start", "extend", "fulfil", by=robin
        )
    sent = owed(org, JobName.REQUEST_MAIL)
    assert len(sent) == 6
    with transaction(org) as session:
        mails = [letters.mail(session, one) for one in sent]
    texts = [one.text for one in mails if one is not None and one.to == member.email]
    assert len(texts) == 6
    assert "How?" in texts[2]
    assert "because it is complex" in texts[4]
    assert all("/privacy/acme/requests/" in one for one in texts)
    assert all("{" not in one for one in texts)
