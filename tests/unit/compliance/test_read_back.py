"""What the rows say about an erased person is read back before it is certified, and no promise is of the past."""

from __future__ import annotations

import io
import json
from datetime import datetime, timedelta
from uuid import UUID

import pypdf
import pytest
from conftest import add_participation
from sqlalchemy import create_engine, select, text, update
from sqlalchemy.orm import Session
from work import do_all_work

from compliance import erasure, evidence
from compliance.certificate.parts import VerificationFailed
from compliance.erasure import rows
from compliance.verify import verify_file
from core import audit
from core.clock import now
from core.db import transaction
from core.models import Certificate, Erasure, Member, Participation, State
from core.vault import vault

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def erased(org: UUID, member: Member) -> Member:
    """Somebody who has just pressed the button; the job has not come to it yet."""
    add_participation(org, member, State.READY)
    with transaction(org) as session:
        person = session.get_one(Member, member.id)
        erasure.request(
            session,
            person,
            reason=erasure.ErasureReason.SELF_SERVICE,
            actor=audit.actor_for(person),
            language="en",
        )
    return member


def certificates(org: UUID) -> dict[str, bytes]:
    with transaction(org) as session:
        return {row.status: row.pdf for row in session.scalars(select(Certificate))}


def _write_back(session: Session, member_id: UUID) -> None:
    values = {"first_name": "Ada", "email": "ada@acme.example"}
    session.execute(update(Member).where(Member.id == member_id).values(values))
    session.execute(
        update(Participation).where(Participation.member_id == member_id).values(plain_failure_code="no_face")
    )


def test_what_is_written_back_after_the_press_is_overwritten_before_anything_is_certified(
    org: UUID, erased: Member
) -> None:
    with transaction(org) as session:
        _write_back(session, erased.id)
        assert rows.left(session, erased.id) == [
            "directory.email",
            "directory.first_name",
            "directory.found_by",
            "directory.sorted_as",
            "participations.failure_code",
        ]
    do_all_work()
    with transaction(org) as session:
        assert rows.left(session, erased.id) == []
        person = session.get_one(Member, erased.id)
        assert (person.first_name, person.email) == (None, None)
    assert list(certificates(org)) == ["PENDING"]


def execute(org: UUID) -> None:
    with transaction(org) as session:
        whose, marked = erasure.held(session, session.scalars(select(Erasure)).one())
    gone = erasure.remove(whose, marked)
    with transaction(org) as session:
        erasure.execute(session, session.scalars(select(Erasure)).one(), gone)


def test_a_name_that_cannot_be_overwritten_is_never_certified_as_absent(
    org: UUID, erased: Member, environment: dict[str, str]
) -> None:
    owner = create_engine(environment["HEADSHOTS_DATABASE_OWNER_URL"])
    with owner.begin() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION back() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN NEW.first_name := 'Ada'; RETURN NEW; END $$"
            )
        )
        connection.execute(
            text("CREATE TRIGGER back BEFORE UPDATE ON directory FOR EACH ROW EXECUTE FUNCTION back()")
        )
    owner.dispose()
    with transaction(org) as session:
        _write_back(session, erased.id)
    for _ in range(2):
        with pytest.raises(VerificationFailed) as refused:
            execute(org)
        assert refused.value.details["locations"] == [
            "directory.first_name",
            # worked out from it
            "directory.found_by",
            "directory.sorted_as",
        ]
    with transaction(org) as session:
        record = session.scalars(select(Erasure)).one()
        assert (record.objects_destroyed_at, record.locations) == (None, [])
    assert not certificates(org)


def test_a_pending_certificate_promises_no_moment_that_has_passed(
    org: UUID, erased: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, opened_at = vault().keys.current_epoch()
    long_ago = opened_at - timedelta(days=3)  # nobody has turned it since
    monkeypatch.setattr(vault().keys, "current_epoch", lambda: (number, long_ago))
    before = now()
    do_all_work()
    (pdf,) = certificates(org).values()
    said = verify_file(pdf, evidence.published_keys(org))
    assert said.ok, said
    with transaction(org) as session:
        issued = session.scalars(select(Certificate)).one()
    evidenced = json.loads(dict(pypdf.PdfReader(io.BytesIO(pdf)).attachments)["evidence.json"][0])
    due_at = datetime.fromisoformat(evidenced["certificate"]["epoch"]["due_at"])
    assert before - timedelta(seconds=1) <= due_at
    assert due_at >= issued.created_at.replace(microsecond=0)
