"""Whatever people do with their data themselves stands in the register of requests, answered at once."""

from __future__ import annotations

import hashlib
import io
import zipfile

import pytest
from sqlalchemy import select
from unit.compliance.test_request_moves import BEGUN, open_one, walk
from unit.portal.conftest import Person

from core import audit
from core.db import transaction
from core.models import Member, Right, Stage, SubjectRequest

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def of(person: Person) -> list[SubjectRequest]:
    with transaction(person.org_id) as session:
        rows = select(SubjectRequest).where(SubjectRequest.member_id == person.member.id)
        return list(session.scalars(rows.order_by(SubjectRequest.id)))


def test_taking_along_taking_back_and_erasing_are_requests_that_are_answered(ada: Person) -> None:
    ada.accept().consent(photo="yes", likeness="yes")
    archive = ada.browser.get("/me/export.zip").data
    ada.post("/me/consent/withdraw", "/me/privacy", purpose="likeness")
    ada.post("/me/erase", "/me/privacy", confirm="yes")
    taken, back, erased = of(ada)
    assert [one.type for one in (taken, back, erased)] == [Right.ACCESS, Right.WITHDRAWAL, Right.ERASURE]
    assert {one.state for one in (taken, back, erased)} == {Stage.CLOSED}
    assert all(
        one.decision == "fulfilled" and one.channel == "self_service" and one.events for one in of(ada)
    )
    records = zipfile.ZipFile(io.BytesIO(archive)).read("data.json")
    assert taken.evidence_sha256 == hashlib.sha256(records).hexdigest()
    assert erased.erasure_id is not None


def test_whose_data_is_held_is_told_so_and_their_wish_is_noted_once(ada: Person) -> None:
    ada.accept()
    with transaction(ada.org_id) as session:
        person = session.get_one(Member, ada.member.id)
        row = open_one(session, person, Right.ERASURE)
        walk(session, row, *BEGUN, "hold", by=audit.SYSTEM)
        walk(session, open_one(session, person), "cancel", by=audit.SYSTEM)
    answer = ada.post("/me/erase", "/me/privacy", confirm="yes")
    assert answer.location == "/me/privacy"
    assert "obliges your company to keep your data" in ada.browser.get("/me/privacy").text
    with transaction(ada.org_id) as session:
        assert session.get_one(Member, ada.member.id).erased_at is None
    assert len(of(ada)) == 2
