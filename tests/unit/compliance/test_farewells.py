"""Whoever others erase is told by mail, and where that mail went is forgotten with its sending."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pypdf
import pytest
from conftest import add_member, forget_process_state
from servers.smtp import PostOffice, serving
from sqlalchemy import select, text, update
from work import do_all_work

from compliance import erasure, farewells, retention
from compliance.erasure import ErasureReason
from core import audit
from core.clock import now
from core.db import transaction
from core.models import AuditEvent, Base, Certificate, Erasure, Farewell, Member, Outbox
from core.people import organizations
from core.queue import redis_client
from core.vault import vault

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def post(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[PostOffice]:
    office = PostOffice()
    with serving(office) as port:
        monkeypatch.setenv("HEADSHOTS_SMTP_URL", f"smtp://127.0.0.1:{port}")
        forget_process_state()
        yield office


def pressed(org: UUID, member: Member, reason: ErasureReason = ErasureReason.EMPLOYER_REQUEST) -> None:
    with transaction(org) as session:
        row = session.get_one(Member, member.id)
        erasure.request(session, row, reason=reason, actor=audit.SYSTEM, language="de")


def everything(org: UUID) -> str:
    """All that is live in the database and in Redis, as text."""
    with transaction(org) as session:
        rows = [
            row
            for table in Base.metadata.tables
            for row in session.scalars(text(f"SELECT t::text FROM {table} t"))
        ]
    store = redis_client()
    keys: Any = store.keys("*")
    return "\n".join(rows) + repr([(key, store.dump(key)) for key in keys])


def told(org: UUID) -> tuple[Farewell, Erasure, list[str]]:
    with transaction(org) as session:
        tags = [tag for tag in session.scalars(select(AuditEvent.tag)) if tag.startswith("erasure.")]
        return session.scalars(select(Farewell)).one(), session.scalars(select(Erasure)).one(), tags


def due_again(org: UUID) -> None:
    with transaction(org) as session:
        session.execute(update(Outbox).where(Outbox.done_at.is_(None)).values(not_before=now()))
    do_all_work()


def lines(org: UUID) -> dict[str, Any]:
    with transaction(org) as session:
        pdf = session.scalars(select(Certificate.pdf)).one()
    evidence = json.loads(dict(pypdf.PdfReader(io.BytesIO(pdf)).attachments)["evidence.json"][0])
    return {one["category"]: one for one in evidence["certificate"]["locations"]}


def test_whom_hr_erases_is_told_with_a_link_that_opens_the_proof(
    post: PostOffice, org: UUID, member: Member
) -> None:
    email, first_name = str(member.email), str(member.first_name)
    pressed(org, member)
    held = everything(org)
    assert email not in held
    assert first_name not in held
    do_all_work()
    (mail,) = post.mails
    assert mail.to == (email,)
    assert first_name in mail.text
    assert "löschen lassen" in mail.subject
    (link,) = {one for one in mail.links if "/erased/" in one}
    farewell, record, tags = told(org)
    receipt = link.rpartition("/")[2]
    with transaction(org) as session:
        again = erasure.request(
            session,
            session.get_one(Member, member.id),
            reason=ErasureReason.EMPLOYER_REQUEST,
            actor=audit.SYSTEM,
            language="de",
        )
    assert receipt.startswith(again.receipt)
    assert farewell.told_at is not None
    assert (farewell.sealed, farewell.failure) == (None, None)
    assert vault().keys.among([farewell.id]) == set()
    assert tags == ["erasure.requested", "erasure.told", "erasure.executed"]
    letter = lines(org)["letter_key"]
    assert (letter["count"], letter["verification"]["left"]) == (1, 0)
    assert record.objects_destroyed_at is not None
    due_again(org)
    assert len(post.mails) == 1


def test_certificate_waits_for_the_mail_and_no_longer_than_a_day(
    post: PostOffice, org: UUID, member: Member
) -> None:
    post.answer = "451 greylisted"
    pressed(org, member)
    do_all_work()
    farewell, record, tags = told(org)
    assert (farewell.ended_at, record.objects_destroyed_at, tags) == (None, None, ["erasure.requested"])
    assert not vault().keys.exists(member.id)  # nothing waits for the mail but its own address
    with transaction(org) as session:
        assert not farewells.is_over(session.get_one(Farewell, farewell.id))
        session.get_one(Farewell, farewell.id).created_at -= timedelta(days=1)
    due_again(org)
    farewell, record, tags = told(org)
    assert (farewell.told_at, farewell.failure) == (None, farewells.TOO_LATE)
    assert (farewell.sealed, vault().keys.among([farewell.id])) == (None, set())
    assert tags == ["erasure.requested", "erasure.untold", "erasure.executed"]
    assert "letter_key" in lines(org)


def test_refused_address_is_noted_and_the_erasure_goes_on(
    post: PostOffice, org: UUID, member: Member
) -> None:
    post.answer = "550 no such user"
    pressed(org, member)
    do_all_work()
    farewell, record, tags = told(org)
    assert farewell.failure == "mail_refused"
    assert record.objects_destroyed_at is not None
    assert tags[1] == "erasure.untold"


def test_letters_key_that_outlived_a_turn_holds_the_certificate_back_to_the_next(
    post: PostOffice, org: UUID, member: Member
) -> None:
    post.answer = "451 greylisted"
    pressed(org, member)
    do_all_work()
    erasure.turn_epoch()  # the sealed address can be opened from a copy of the new epoch's keys
    post.answer = "250 OK"
    due_again(org)
    _, record, _ = told(org)
    assert record.epoch == vault().keys.current_epoch()[0]
    erasure.settle_all()
    assert told(org)[1].epoch_destroyed_at is None
    erasure.turn_epoch()
    assert told(org)[1].epoch_destroyed_at is not None


def test_leaver_is_told_and_who_erases_themselves_is_not(post: PostOffice, org: UUID, member: Member) -> None:
    other = add_member(org, "Bea")
    pressed(org, other, ErasureReason.SELF_SERVICE)
    with transaction(org) as session:
        organizations.current(session).schedule_since = now() - timedelta(days=400)
        session.get_one(Member, member.id).disabled_at = now() - timedelta(days=400)
    retention.sweep_all()
    do_all_work()
    assert [one.to for one in post.mails] == [(member.email,)]
    assert re.search(r"/erased/[\w-]+", post.mails[0].text)
