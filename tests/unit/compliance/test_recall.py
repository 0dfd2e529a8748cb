"""Copies that a company has of somebody who was erased: named until it has deleted them, and nowhere else."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pypdf
import pytest
from conftest import add_member, add_participation
from erasing import erase
from sqlalchemy import func, select, text, update

from compliance import keyless, recall, recall_letters, retention
from compliance.certificate import copies
from core import audit
from core.clock import now
from core.db import transaction
from core.errors import NotFound
from core.ids import new_id
from core.models import (
    AuditEvent,
    Base,
    Certificate,
    Member,
    Organization,
    Outbox,
    Participation,
    Recall,
    State,
)
from core.portraits import downloads
from core.queue import JobName
from core.shoots import participations
from core.vault import vault

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def part(org: UUID, member: Member) -> Participation:
    """Somebody with an approved headshot, of whom the company downloads twice."""
    return add_participation(org, member, State.APPROVED)


@pytest.fixture
def hr(org: UUID) -> Member:
    return add_member(org, "Robin", role="hr_admin")


def download(org: UUID, part: Participation, hr: Member, *, is_master: bool = True) -> bool:
    with transaction(org) as session:
        row = session.get_one(Participation, part.id)
        if is_master and row.chosen_headshot_id is None:
            row.chosen_headshot_id = new_id()
        return downloads.handed(session, part.id, is_master=is_master, actor=audit.actor_for(hr))


def certified(org: UUID) -> dict[str, Any]:
    with transaction(org) as session:
        pdf = session.scalars(select(Certificate.pdf)).one()
    body: dict[str, Any] = json.loads(dict(pypdf.PdfReader(io.BytesIO(pdf)).attachments)["evidence.json"][0])
    return body["certificate"]  # type: ignore[no-any-return]


def open_one(org: UUID) -> recall.Asked:
    with transaction(org) as session:
        (row,) = recall.listed(session)
        return recall.read(session, row.id)


def test_every_copy_is_noted_and_named_until_the_company_has_deleted_it(
    org: UUID, member: Member, part: Participation, hr: Member
) -> None:
    assert download(org, part, hr)
    assert download(org, part, hr)
    with transaction(org) as session:
        assert len(copies.handed(session, member.id)) == 2
    name = f"{member.last_name}"
    erase(org, member.id)
    asked = open_one(org)
    (file,) = asked.files
    assert name in file.name
    assert len(file.at) == 2
    body = certified(org)
    assert [one["what"] for one in body["recipients"]] == ["headshot", "headshot"]
    assert body["recall"]["files"] == 1
    assert body["recall"]["confirmed_at"] is None
    (kept,) = [one for one in body["retained"] if one["what"] == "recalled_files"]
    assert (kept["count"], kept["identifies_person"], kept["basis"]) == (1, True, "recall")
    assert name not in json.dumps(body)
    assert file.name not in everything(org)

    with transaction(org) as session:
        recall.confirm(session, asked.id, actor=audit.actor_for(hr))
    assert vault().keys.among([asked.id]) == set()
    after = open_one(org)
    assert (after.files, after.confirmed_at is not None) == ((), True)
    with transaction(org) as session:
        tags = [one for one in session.scalars(select(AuditEvent.tag)) if one.startswith("recall.")]
        assert tags == ["recall.asked", "recall.confirmed"]
        assert recall.waiting(session) == 0
        recall.confirm(session, asked.id, actor=audit.actor_for(hr))
    with transaction(org) as session:
        assert len(session.scalars(select(AuditEvent).where(AuditEvent.tag == "recall.confirmed")).all()) == 1


def everything(org: UUID) -> str:
    with transaction(org) as session:
        return "\n".join(
            row
            for table in Base.metadata.tables
            for row in session.scalars(text(f"SELECT t::text FROM {table} t"))
        )


def test_a_picture_of_ones_own_is_a_copy_too(
    org: UUID, member: Member, part: Participation, hr: Member
) -> None:
    with transaction(org) as session:
        row = session.get_one(Participation, part.id)
        row.state = State.DECLINED
    assert download(org, part, hr, is_master=False)
    erase(org, member.id)
    (file,) = open_one(org).files
    assert file.archive == "alternatives/"
    assert [one["what"] for one in certified(org)["recipients"]] == ["alternative"]


def test_the_first_copy_from_before_each_was_noted_is_known(
    org: UUID, member: Member, part: Participation, hr: Member
) -> None:
    with transaction(org) as session:
        row = session.get_one(Participation, part.id)
        participations.move(session, row, State.DELIVERED, actor=audit.actor_for(hr))
    with transaction(org) as session:
        assert len(copies.handed(session, member.id)) == 1


def test_what_people_take_themselves_asks_nobody(org: UUID, member: Member, part: Participation) -> None:
    with transaction(org) as session:
        row = session.get_one(Participation, part.id)
        person = session.get_one(Member, member.id)
        participations.move(session, row, State.DELIVERED, actor=audit.actor_for(person))
    erase(org, member.id)
    with transaction(org) as session:
        assert recall.listed(session) == []
    assert certified(org)["recall"] is None


def test_nobody_gets_a_copy_of_somebody_who_was_erased_meanwhile(
    org: UUID, member: Member, part: Participation, hr: Member
) -> None:
    erase(org, member.id)
    assert not download(org, part, hr)
    assert not download(org, part, hr, is_master=False)


def test_names_are_forgotten_when_nobody_answers(
    org: UUID, member: Member, part: Participation, hr: Member
) -> None:
    download(org, part, hr)
    erase(org, member.id)
    asked = open_one(org)
    with transaction(org) as session:
        assert keyless.look()[1] == []
        retention.sweep(session)
    assert open_one(org).files
    with transaction(org) as session:
        session.execute(update(Recall).values(ends_at=now() - timedelta(minutes=1)))
        retention.sweep(session)
    over = open_one(org)
    assert (over.files, over.confirmed_at) == ((), None)
    assert over.ended_at is not None
    assert vault().keys.among([asked.id]) == set()
    with transaction(org) as session, pytest.raises(NotFound):
        recall.read(session, new_id())


def test_a_row_that_a_backup_brought_back_has_no_names(
    org: UUID, member: Member, part: Participation, hr: Member
) -> None:
    download(org, part, hr)
    erase(org, member.id)
    vault().keys.forget([open_one(org).id])
    assert open_one(org).files == ()


def mails_of(org: UUID) -> list[Any]:
    with transaction(org) as session:
        return recall_letters.mails(session)


def owed_mails(org: UUID) -> int:
    with transaction(org) as session:
        asked = select(func.count()).where(Outbox.job == JobName.RECALL_MAIL)
        return session.scalar(asked) or 0


def test_the_company_is_asked_by_mail_without_a_name_and_once_a_day_at_most(
    org: UUID, member: Member, part: Participation, hr: Member
) -> None:
    with transaction(org) as session:
        session.execute(update(Organization).values(contact_email="privacy@acme.example", language="de"))
    download(org, part, hr)
    recall_letters.owe_all()
    assert owed_mails(org) == 0
    erase(org, member.id)
    assert owed_mails(org) == 1
    (mail,) = mails_of(org)
    assert mail.to == "privacy@acme.example"
    assert "Bitte Kopien von Bildern löschen" in mail.subject
    assert "/admin/recalls" in mail.text
    assert str(member.first_name) not in mail.subject + mail.text
    other = add_member(org, "Grace")
    download(org, add_participation(org, other, State.APPROVED), hr)
    erase(org, other.id)
    recall_letters.owe_all()
    assert owed_mails(org) == 1
    with transaction(org) as session:
        moment = now() - timedelta(days=1, minutes=1)
        session.execute(update(Outbox).where(Outbox.job == JobName.RECALL_MAIL).values(created_at=moment))
    recall_letters.owe_all()
    recall_letters.owe_all()
    assert owed_mails(org) == 2
    with transaction(org) as session:
        for one in recall.listed(session):
            recall.confirm(session, one.id, actor=audit.actor_for(hr))
    assert mails_of(org) == []
