"""The page Evidence: words for events, filters by day, person and kind, and exports of what is filtered."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from conftest import add_member
from sqlalchemy import select, update

from compliance.log import listing, sequencer
from compliance.statement import issuing
from core import audit
from core.clock import now
from core.db import transaction
from core.ids import first_of
from core.models import AuditEvent, Member, Organization, Role


@pytest.fixture
def auditor(signed_in: Callable[[Role], Any]) -> Any:
    return signed_in(Role.AUDITOR)


def photo_of(org: UUID, member: Member, times: int = 1, days_ago: int = 0) -> None:
    with transaction(org) as session:
        for number in range(times):
            event = audit.record(
                session,
                audit.Tag.PHOTO_UPLOADED,
                actor=audit.actor_for(member),
                subject=member,
                photo="0" * 32,
            )
            if days_ago:
                event.created_at = now() - timedelta(days=days_ago)
                event.id = UUID(int=first_of(event.created_at).int + number + 1)


def rows_of(browser: Any, asked: str = "") -> list[str]:
    page = browser.get(f"/admin/audit{asked}").text
    return re.findall(r'<tr><td data-label="When.*?</tr>', page)


def test_events_are_words_and_no_tags_nor_ids(org: UUID, auditor: Any) -> None:
    ada = add_member(org, "Ada")
    photo_of(org, ada)
    rows = rows_of(auditor)
    assert any(">Photo sent</td>" in row and ">themselves</td>" in row for row in rows)
    for row in rows:
        seen = re.sub(r"<[^>]*>", " ", row)
        assert not re.search(r"[0-9a-f]{9}|[a-z]+\.[a-z_]+", seen), seen


def test_filters_by_person_kind_and_day(org: UUID, auditor: Any) -> None:
    ada, grace = add_member(org, "Ada"), add_member(org, "Grace")
    photo_of(org, ada, 2)
    photo_of(org, grace)
    photo_of(org, ada, days_ago=3)
    today = now().date()
    assert len(rows_of(auditor, "?tag=photo.uploaded")) == 4
    assert len(rows_of(auditor, f"?person={ada.pseudonym}")) == 4  # and that she was added
    assert len(rows_of(auditor, f"?person={ada.pseudonym[:8]}&tag=photo.uploaded")) == 3
    assert len(rows_of(auditor, f"?person={ada.pseudonym}&tag=photo.uploaded&since={today}")) == 2
    assert len(rows_of(auditor, f"?tag=photo.uploaded&until={today - timedelta(days=1)}")) == 1
    assert len(rows_of(auditor, f"?tag=photo.uploaded&since={today}&until={today}")) == 3
    assert rows_of(auditor, f"?person={'0' * 64}") == []
    for wrong in (
        "person=ada",
        "person=12",
        "since=yesterday",
        "since=1969-12-31",
        "until=9999-12-31",
        "until=2026-02-30",
        "tag=nobody",
    ):
        assert auditor.get(f"/admin/audit?{wrong}").status_code == 422


def test_pages_keep_the_filter_and_lead_through_all(
    org: UUID, auditor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = add_member(org, "Ada")
    photo_of(org, ada, 2 * listing.PAGE + 3)
    address, seen = f"?person={ada.pseudonym}&tag=photo.uploaded", 0
    while address:
        page = auditor.get(f"/admin/audit{address}").text
        seen += len(re.findall(r'<tr><td data-label="When', page))
        found = re.search(r'rel="next" href="([^"]+)"', page)
        address = found[1].replace("&amp;", "&") if found else ""
    assert seen == 2 * listing.PAGE + 3


def test_exports_hold_what_is_filtered_in_full(
    org: UUID, auditor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PART", 4)
    ada, grace = add_member(org, "Ada"), add_member(org, "Grace")
    photo_of(org, ada, 9)
    photo_of(org, grace)
    sequencer.sequence_all()
    asked = f"?person={ada.pseudonym}&tag=photo.uploaded"
    answer = auditor.get(f"/admin/audit/events.csv{asked}")
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert len(rows) == 9
    assert {(row["event"], row["kind"], row["about"]) for row in rows} == {
        ("Photo sent", "photo.uploaded", ada.pseudonym)
    }
    lines = [json.loads(line) for line in auditor.get(f"/admin/audit/events.jsonl{asked}").text.splitlines()]
    assert [line["place"] for line in lines] == [int(row["place"]) for row in rows]
    with transaction(org) as session:
        leaves = session.scalars(
            select(AuditEvent.leaf).where(AuditEvent.tag == "photo.uploaded").order_by(AuditEvent.id)
        ).all()
    entries = [json.loads(leaf) for leaf in leaves if json.loads(leaf)["subject"] == ada.pseudonym]
    assert [line["entry"] for line in lines] == entries
    with transaction(org) as session:  # two people whose pseudonyms begin alike
        for name, end in ((ada, "1"), (grace, "2")):
            session.get_one(Member, name.id).pseudonym = "ab" * 31 + "c" + end
    assert auditor.get(f"/admin/audit/events.csv?person={'ab' * 6}").status_code == 422


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_whoever_works_with_people_exports_nothing_about_them(
    org: UUID, signed_in: Callable[[Role], Any], kind: str
) -> None:
    ada = add_member(org, "Ada")
    photo_of(org, ada)
    worker = signed_in(Role.HR_ADMIN)
    for asked in ("", f"?person={ada.pseudonym}", "?tag=photo.uploaded"):
        text = worker.get(f"/admin/audit/events.{kind}{asked}").text
        assert ada.pseudonym not in text
        assert "photo.uploaded" not in text
    assert "organization.created" in worker.get(f"/admin/audit/events.{kind}").text
    assert worker.get("/admin/audit/events.xml").status_code == 404


def test_admins_name_who_gets_the_checkpoint(org: UUID, signed_in: Callable[[Role], Any]) -> None:
    owner, auditor = signed_in(Role.OWNER), signed_in(Role.AUDITOR)
    page = owner.post("/admin/audit/checkpoint-mails", {"addresses": "audit@acme.example"}, json=False)
    assert page.status_code == 303
    assert "audit@acme.example" in owner.get("/admin/audit").text
    assert owner.post("/admin/audit/checkpoint-mails", {"addresses": "nobody"}).status_code == 422
    assert auditor.post("/admin/audit/checkpoint-mails", {"addresses": ""}).status_code == 403
    assert "Mailed each day to 1 address." in auditor.get("/admin/audit").text


def test_monthly_statements_are_listed_for_auditors_alone(
    org: UUID, auditor: Any, signed_in: Callable[[Role], Any]
) -> None:
    with transaction(org) as session:
        session.execute(update(Organization).values(created_at=now() - timedelta(days=90)))
    issuing.issue_all()
    page = auditor.get("/admin/audit").text
    (address,) = re.findall(r"/admin/audit/statements/[0-9a-f-]+\.pdf", page)
    assert "1 monthly statement" in page
    assert auditor.get(address).data.startswith(b"%PDF")
    hr = signed_in(Role.HR_ADMIN)
    assert address not in hr.get("/admin/audit").text
    assert hr.get(address).status_code == 403
