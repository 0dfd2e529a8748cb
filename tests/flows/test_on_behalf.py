"""Photos that HR puts in, from the person's leave through the real check and studio to their choice, and to their erasure."""

from __future__ import annotations

import io
import re
from uuid import UUID

import pytest
from conftest import add_member, add_shoot
from erasing import erase
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from portraits import photo_path
from sqlalchemy import select
from work import do_jobs

from admin.app import create_app as create_admin
from core import audit
from core.clock import now
from core.db import transaction
from core.ids import new_id
from core.models import Artifact, Member, Participation, Photo, Role, SignInMethod, State
from core.people import sessions
from core.queue import JobName
from core.shoots import invites
from core.vault import ArtifactGone, KeyErased, vault
from portal.app import create_app as create_portal

# pyHanko's dependencies use what cryptography deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

JSON = {"Accept": "application/json"}


def two_photos() -> list[bytes]:
    """A portrait as it lies beside the tests, and a smaller copy of it."""
    first = photo_path("barack/portrait.jpg").read_bytes()
    smaller = io.BytesIO()
    with Image.open(io.BytesIO(first)) as image:
        image.resize((image.width * 4 // 5, image.height * 4 // 5)).save(smaller, "JPEG", quality=95)
    return [first, smaller.getvalue()]


class Side:
    """A browser at one of the two apps."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()

    def post(self, address: str, page: str, **values: object) -> dict[str, object]:
        """Send a form of `page`, as its script does."""
        shown = self.client.get(page)
        token = re.search(r'name="csrf_token" value="([^"]+)"', shown.text)
        assert token, f"{page} has no form ({shown.status_code})"
        form = {"csrf_token": token[1], **values}
        answer = self.client.post(address, data=form, content_type="multipart/form-data", headers=JSON)
        assert answer.status_code in (200, 201), (address, answer.text)
        return answer.json or {}


@pytest.fixture
def hannah(org: UUID) -> Side:
    """Somebody from HR, signed in."""
    member = add_member(org, "Hannah")
    with transaction(org) as session:
        row = session.get_one(Member, member.id)
        row.role = Role.HR_ADMIN
        token = sessions.start(session, row, SignInMethod.SAML)
    app = create_admin()
    side = Side(app)
    side.client.set_cookie(app.config["SIGN_IN_COOKIE"], token)
    return side


def part_of(org: UUID, part_id: UUID) -> Participation:
    with transaction(org) as session:
        return session.get_one(Participation, part_id)


def test_from_the_persons_leave_to_their_choice_and_to_nothing_left(org: UUID, hannah: Side) -> None:
    member, shoot = add_member(org, "Ada"), add_shoot(org)
    with transaction(org) as session:
        part = Participation(
            id=new_id(), org_id=org, shoot_id=shoot.id, member_id=member.id, changed_at=now()
        )
        session.add(part)
        session.flush()
        link = f"/i/{invites.token_of(invites.create(session, part, actor=audit.SYSTEM))}"
    ada = Side(create_portal())
    ada.post(f"{link}/accept", link)
    mark = re.search(r'name="text_version" value="([^"]+)"', ada.client.get("/me/consent").text)
    assert mark
    ada.post("/me/consent", "/me/consent", text_version=mark[1], photo="yes", likeness="yes")

    here = f"/admin/people/{member.id}/photos/{part.id}"
    assert 'id="put-photos-in"' not in hannah.client.get(here).text
    ada.post("/me/photos/company", "/me/photos", sends="yes")
    for number, content in enumerate(two_photos()):
        sent = (io.BytesIO(content), "a.jpg", "image/jpeg")
        hannah.post(here, here, upload_key=f"key-0000000{number}", photo=sent)
    do_jobs(org, JobName.INTAKE)
    listed = hannah.client.get(here, headers=JSON).json
    assert {one["verdict"] for one in listed["photos"]} == {"✓ Usable"}
    assert not listed["checking"]

    hannah.post(f"{here}/submit", here)
    assert part_of(org, part.id).state == State.SUBMITTED
    do_jobs(org, JobName.RENDER)
    assert part_of(org, part.id).state == State.READY
    page = ada.client.get("/me/result").text
    assert "2 of your photos were put in by your company, as you allowed." in page
    chosen = re.search(r'name="headshot_id" value="([^"]+)"', page)
    assert chosen
    assert part_of(org, part.id).chosen_headshot_id is None, "nobody chose for them"
    ada.post("/me/approve", "/me/result", headshot_id=chosen[1])
    assert part_of(org, part.id).state == State.APPROVED

    with transaction(org) as session:
        rows = session.scalars(select(Artifact).where(Artifact.member_id == member.id)).all()
        held = [vault().find(session, row.id) for row in rows if row.delete_requested_at is None]
        assert len(session.scalars(select(Photo).where(Photo.put_in_by.is_not(None))).all()) == 2
    assert len(held) > 2
    for one in held:
        assert vault().open(one)
    erase(org, member.id)
    for one in held:
        with pytest.raises((ArtifactGone, KeyErased)):
            vault().open(one)
    with transaction(org) as session:
        assert all(
            row.destroyed_at
            for row in session.scalars(select(Artifact).where(Artifact.member_id == member.id))
        )
        gone = session.get_one(Participation, part.id)
        assert (gone.photos_by_company_at, gone.sent_by_company_at) == (None, None)
