"""The newest checkpoint goes to the addresses that a company names, once a day, as it was signed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from conftest import forget_process_state
from servers.smtp import PostOffice, serving
from signed_logs import add_events, body
from sqlalchemy import select, update
from work import do_all_work

from compliance.log import daily
from core import audit
from core.clock import now
from core.db import transaction
from core.errors import InvalidInput
from core.models import AuditEvent, Organization, Outbox
from core.queue import JobName


@pytest.fixture
def post(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[PostOffice]:
    office = PostOffice()
    with serving(office) as port:
        monkeypatch.setenv("HEADSHOTS_SMTP_URL", f"smtp://127.0.0.1:{port}")
        forget_process_state()
        yield office


def name(org: UUID, text: str) -> None:
    with transaction(org) as session:
        daily.name(session, text, actor=audit.SYSTEM)


def test_each_address_gets_the_checkpoint_once_a_day(post: PostOffice, org: UUID) -> None:
    name(org, " audit@acme.example \n\nrecords@acme.example\naudit@acme.example")
    note = add_events(org, 3)
    for _ in range(3):
        daily.owe_all()
        do_all_work()
    assert sorted(mail.to for mail in post.mails) == [("audit@acme.example",), ("records@acme.example",)]
    for mail in post.mails:
        text = mail.text.replace("\r\n", "\n")
        saved = text[text.index(note.partition("\n")[0] + "\n") :]
        assert body(saved.rstrip("\n") + "\n").size == 5

    with transaction(org) as session:
        session.execute(
            update(Outbox)
            .where(Outbox.job == JobName.CHECKPOINT_MAIL)
            .values(created_at=now() - timedelta(hours=25))
        )
    daily.owe_all()
    do_all_work()
    assert len(post.mails) == 4


def test_whoever_is_named_no_more_gets_none(post: PostOffice, org: UUID) -> None:
    add_events(org, 3)
    daily.owe_all()
    name(org, "audit@acme.example")
    daily.owe_all()
    name(org, "")
    do_all_work()
    assert post.mails == []
    with transaction(org) as session:
        events = session.scalars(
            select(AuditEvent.facts).where(AuditEvent.tag == audit.Tag.CHECKPOINT_MAIL_CHANGED)
        )
        assert [facts["count"] for facts in events] == [1, 0]


@pytest.mark.parametrize(
    "text", ["nobody", "a b@acme.example", "a@acme", "\n".join(f"{n}@a.example" for n in range(11))]
)
def test_what_is_no_address_changes_nothing(org: UUID, text: str) -> None:
    name(org, "audit@acme.example")
    with pytest.raises(InvalidInput):
        name(org, text)
    with transaction(org) as session:
        assert session.get_one(Organization, org).checkpoint_emails == "audit@acme.example"
