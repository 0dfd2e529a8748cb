"""The portal as a browser sees it, on real Postgres, Redis and files."""

from __future__ import annotations

import io
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import numpy as np
import pytest
from browser.conftest import FLAGS
from flask import Flask
from flask.testing import FlaskClient
from phones import HEIGHT, WIDTH, Line
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, sync_playwright
from sealing import put, sealed
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.serving import make_server
from werkzeug.test import TestResponse, encode_multipart

from core import audit
from core.clock import now
from core.db import transaction
from core.ids import new_id
from core.models import Headshot, Invite, Kind, Member, Participation, Photo, Shoot, State, Style
from core.people import members
from core.portraits import verdicts
from core.shoots import invites
from core.style.spec import StyleSpec
from portal.app import create_app

FETCH = {"X-Requested-With": "fetch", "Accept": "application/json"}


def jpeg(width: int = 640, height: int = 800, seed: int = 1) -> bytes:
    """A decodable JPEG with a GPS position in it."""
    pixels = np.random.default_rng(seed).integers(0, 255, (height // 8, width // 8, 3), np.uint8)
    image = Image.fromarray(pixels).resize((width, height))
    exif = Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"
    exif[0x010F] = "Camera of Ada"
    target = io.BytesIO()
    image.save(target, "JPEG", exif=exif)
    return target.getvalue()


@dataclass
class Person:
    """An employee with a browser."""

    org_id: UUID
    member: Member
    participation_id: UUID
    browser: FlaskClient

    def state(self) -> State:
        with transaction(self.org_id) as session:
            return State(session.get_one(Participation, self.participation_id).state)

    def set_state(self, state: State, **values: object) -> None:
        """Put the row into a state, as a job of the worker would."""
        with transaction(self.org_id) as session:
            row = session.get_one(Participation, self.participation_id)
            row.state = state
            for name, value in values.items():
                setattr(row, name, value)

    def link(self) -> str:
        with transaction(self.org_id) as session:
            newest = session.scalars(
                select(Invite)
                .where(Invite.participation_id == self.participation_id)
                .order_by(Invite.id.desc())
            ).first()
            assert newest is not None
            return f"/i/{invites.token_of(newest)}"

    def token(self, page: str = "/") -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.browser.get(page).text)
        assert found, f"{page} has no form"
        return found[1]

    def post(self, address: str, page: str | None = None, **values: object) -> TestResponse:
        """Post a form as a browser does that has `page` open."""
        form = {"csrf_token": self.token(page or self.link()), **values}
        return self.browser.post(address, data=form)

    def fetch(self, address: str, **values: object) -> TestResponse:
        """Post as the page's script does; encoded in memory, since the test client's own way uses a file."""
        parts = {
            name: FileStorage(value[0], value[1]) if isinstance(value, tuple) else value
            for name, value in values.items()
        }
        boundary, body = encode_multipart(parts)
        headers = {
            **FETCH,
            "X-CSRFToken": self.token(self.link()),
            "Content-Type": f"multipart/form-data; boundary={boundary}",
        }
        return self.browser.post(address, data=body, headers=headers)

    def accept(self) -> Person:
        answer = self.post(f"{self.link()}/accept")
        assert answer.status_code == 303
        return self

    def consent(self, **answers: str) -> TestResponse:
        page = self.browser.get("/me/consent").text
        mark = re.search(r'name="text_version" value="([^"]+)"', page)
        assert mark
        return self.post("/me/consent", "/me/consent", text_version=mark[1], **(answers or {"photo": "yes"}))

    def upload(
        self, content: bytes | None = None, key: str = "key-00000001", *, address: str = "/me/photos"
    ) -> TestResponse:
        return self.fetch(
            address, upload_key=key, photo=(io.BytesIO(jpeg() if content is None else content), "photo")
        )

    def judge(
        self,
        photo_id: str,
        *,
        accepted: bool = True,
        issues: tuple[dict[str, str], ...] = (),
        **more: object,
    ) -> None:
        """Record a verdict as the intake job does."""
        small = io.BytesIO()
        Image.new("RGB", (48, 60), "teal").save(small, "JPEG")
        verdict = {
            "accepted": accepted,
            "issues": [{"advice": "English", **issue} for issue in issues],
            "measures": {},
            "score": 0.9,
            **more,
        }
        with transaction(self.org_id) as session:
            photo = session.get_one(Photo, UUID(photo_id))
            verdicts.record_verdict(
                session,
                photo,
                verdict,
                stripped=sealed(self.org_id, small.getvalue(), Kind.PHOTO, self.member.id),
                preview=sealed(self.org_id, small.getvalue(), Kind.PREVIEW, self.member.id),
                subject=photo.subject,
            )

    def judge_group(self, photo_id: str) -> None:
        """Record that two people are on the photo: the larger face on the right, a smaller one on the left."""
        faces = [
            {"left": 0.6, "top": 0.2, "width": 0.2, "height": 0.4},
            {"left": 0.1, "top": 0.3, "width": 0.1, "height": 0.2},
        ]
        issue = {"code": "several_people", "severity": "warn"}
        self.judge(photo_id, accepted=False, issues=(issue,), asks="which_face", faces=faces)

    def render(
        self,
        shoot: Shoot,
        withheld: str | None = None,
        rank: int = 0,
        pixels: np.ndarray | None = None,
        run: int = 1,
        photo: str | None = None,
        gates: dict[str, dict[str, object]] | None = None,
    ) -> UUID:
        """Keep a result as the render job does, of the first photo if not of another."""
        if pixels is None:
            coarse = np.random.default_rng(rank).integers(0, 255, (64, 64, 3), np.uint8)
            pixels = coarse.repeat(16, 0).repeat(16, 1)
        master = io.BytesIO()
        Image.fromarray(pixels).save(master, "PNG", compress_level=1)
        with transaction(self.org_id) as session:
            artifact = put(
                session,
                master.getvalue(),
                kind=Kind.HEADSHOT,
                media_type="image/png",
                member_id=self.member.id,
            )
            row = Headshot(
                id=new_id(),
                org_id=self.org_id,
                participation_id=self.participation_id,
                member_id=self.member.id,
                photo_id=UUID(photo)
                if photo
                else session.scalars(select(Photo.id).where(Photo.member_id == self.member.id)).first(),
                style_id=shoot.style_id,
                artifact_id=artifact.id,
                engine="studio",
                run=run,
                rank=rank,
                gates={
                    "gates": gates or {"likeness": {"value": 0.7, "limit": 0.6, "passed": withheld is None}}
                },
                withheld_code=withheld,
                seconds=1.0,
            )
            session.add(row)
            return row.id


@pytest.fixture
def portal(environment: dict[str, str]) -> Flask:
    """The app."""
    return create_app()


@pytest.fixture
def shoot(org: UUID) -> Shoot:
    """A shoot that is open for two weeks."""
    with transaction(org) as session:
        style = Style(id=new_id(), org_id=org, name="Test", spec=StyleSpec().model_dump(mode="json"))
        session.add(style)
        session.flush()
        made = Shoot(
            id=new_id(), org_id=org, name="Spring", style_id=style.id, deadline=now() + timedelta(days=14)
        )
        session.add(made)
        return made


@pytest.fixture
def invited(portal: Flask, org: UUID, shoot: Shoot) -> Callable[[str], Person]:
    """Invite somebody: `invited("Ada")`."""

    def invite(first: str) -> Person:
        with transaction(org) as session:
            member = members.add(
                session,
                [members.NewMember(f"{first.lower()}@acme.example", first, "Lovelace")],
                actor=audit.SYSTEM,
                tag=audit.Tag.MEMBER_IMPORTED,
            )[0]
            participation = Participation(
                id=new_id(), org_id=org, shoot_id=shoot.id, member_id=member.id, changed_at=now()
            )
            session.add(participation)
            session.flush()
            invites.create(session, participation, actor=audit.SYSTEM)
        return Person(org, member, participation.id, portal.test_client())

    return invite


@pytest.fixture
def ada(invited: Callable[[str], Person]) -> Person:
    """An invited person who has not opened the link yet."""
    return invited("Ada")


@pytest.fixture
def autumn(ada: Person, shoot: Shoot) -> Person:
    """Ada with the link of a second, newer shoot; the same browser."""
    with transaction(ada.org_id) as session:
        newer = Shoot(
            id=new_id(),
            org_id=ada.org_id,
            name="Autumn",
            style_id=shoot.style_id,
            deadline=now() + timedelta(days=14),
        )
        session.add(newer)
        session.flush()
        participation = Participation(
            id=new_id(), org_id=ada.org_id, shoot_id=newer.id, member_id=ada.member.id, changed_at=now()
        )
        session.add(participation)
        session.flush()
        invites.create(session, participation, actor=audit.SYSTEM)
    return Person(ada.org_id, ada.member, participation.id, ada.browser)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, or Playwright's own where the system has none."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def line(portal: Flask) -> Iterator[Line]:
    """The way to the portal, which runs on a port of its own and without workers."""
    server = make_server("127.0.0.1", 0, portal, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    way = Line(server.port)
    yield way
    way.close()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def phone(chromium: Browser, line: Line) -> Iterator[BrowserContext]:
    """A phone that has opened nothing yet."""
    context = chromium.new_context(
        viewport={"width": WIDTH, "height": HEIGHT},
        base_url=line.address,
        locale="en-GB",
        reduced_motion="reduce",
    )
    yield context
    context.close()


@pytest.fixture
def waiting(ada: Person) -> Person:
    """Somebody whose one photo is with the studio."""
    ada.accept().consent()
    ada.judge(ada.upload().json["id"])
    ada.fetch("/me/submit")
    return ada
