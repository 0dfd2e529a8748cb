"""How long the pages of a shoot's pictures take in a large company, and what handing all of them over costs."""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import numpy as np
import psutil
from flask.testing import FlaskClient
from PIL import Image

if TYPE_CHECKING:
    from deploy.bench import Report

AT_ONCE: Final = 500  # people who are added together
ROUNDS: Final = 40  # of each page; the first two are not counted
ARCHIVED: Final = 1000  # people of the department whose archive is made
SIDE: Final = 1024  # pixels of a master
DEPARTMENT: Final = "Sales"


def bench_gallery(report: Report, org_id: UUID, count: int) -> None:
    """Give `count` people an approved headshot in the company's one shoot, then look at them and download them."""
    from sqlalchemy import select

    from admin.app import create_app
    from core import audit
    from core.db import transaction
    from core.models import Member, Participation, Role, Shoot, SignInMethod
    from core.people import members, sessions
    from deploy.bench.pages import know_the_tables

    with transaction(org_id) as session:
        shoot = session.scalars(select(Shoot)).one()
        shoot.reviewed = True
        shoot_id, style_id = shoot.id, shoot.style_id
    portrait = _master()
    for start in range(0, count, AT_ONCE):
        _add(org_id, shoot_id, style_id, start, min(AT_ONCE, count - start), portrait)
    know_the_tables()
    with transaction(org_id) as session:
        admin = members.NewMember("hr@northwind.example", "Hannah", "Rivera", role=Role.HR_ADMIN)
        (added,) = members.add(session, [admin], actor=audit.SYSTEM, tag=audit.Tag.MEMBER_PROVISIONED)
        token = sessions.start(session, session.get_one(Member, added.id), SignInMethod.SAML)
        middle, part = session.execute(
            select(Member.id, Participation.id)
            .join(Participation, Participation.member_id == Member.id)
            .order_by(Member.id)
            .offset(count // 2)
            .limit(1)
        ).one()
    app = create_app()
    app.config["WTF_CSRF_ENABLED"] = False  # the archive is asked for by a form
    browser = app.test_client()
    browser.set_cookie(app.config["SIGN_IN_COOKIE"], token)
    here = f"/admin/shoots/{shoot_id}"
    for name, address, rounds in (
        ("gallery", f"{here}/pictures", ROUNDS),
        ("gallery further on", f"{here}/pictures?after={middle}", ROUNDS),
        ("one picture's page", f"{here}/pictures/{part}", ROUNDS),
        ("picture in the grid", f"{here}/pictures/{part}/view.webp?width=320", ROUNDS),
        ("review, nearest to a limit", f"{here}/review", ROUNDS),
        ("delivery", f"{here}/deliver", ROUNDS),
        ("shoot", here, ROUNDS),
        ("list as CSV", f"{here}/status.csv", 5),
        ("list as Excel", f"{here}/status.xlsx", 5),
    ):
        _page(report, browser, name, address, count, rounds)
    with transaction(org_id) as session:
        session.get_one(Shoot, shoot_id).reviewed = False
    _archive(report, browser, f"{here}/download.zip", min(count, ARCHIVED))


def _page(report: Report, browser: FlaskClient, name: str, address: str, count: int, rounds: int) -> None:
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        answer = browser.get(address)
        taken.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, f"{address}: {answer.status}"
    steady = taken[2:] if rounds > 5 else taken
    median, late = statistics.median(steady), max(steady)
    if rounds == ROUNDS:
        late = statistics.quantiles(steady, n=20)[-1]
    report(
        {
            "figure": "gallery_page",
            "page": name,
            "headshots": count,
            "median_milliseconds": round(median, 1),
            "p95_milliseconds": round(late, 1),
        },
        f"{name} at {count} headshots: median {median:.0f} ms, p95 {late:.0f} ms",
    )


def _archive(report: Report, browser: FlaskClient, address: str, people: int) -> None:
    memory = psutil.Process().memory_info
    began = time.perf_counter()
    answer = browser.post(address, data={"department": DEPARTMENT}, buffered=False)
    pieces: Iterator[bytes] = iter(answer.iter_encoded())
    size = len(next(pieces))
    first = time.perf_counter() - began
    marks = [memory().rss]
    for number, piece in enumerate(pieces, 1):
        size += len(piece)
        if number % (people // 4) == 0:
            marks.append(memory().rss)
    seconds = time.perf_counter() - began
    grown = (marks[-1] - marks[1]) / 2**20
    report(
        {
            "figure": "archive",
            "people": people,
            "first_byte_seconds": round(first, 3),
            "seconds": round(seconds, 1),
            "mebibytes": round(size / 2**20),
            "memory_mebibytes": [round(one / 2**20) for one in marks],
        },
        f"archive of {people} people: first byte after {first:.2f} s, {people / seconds:.0f} a second, {size / 2**20:.0f} MiB; "
        f"{grown:+.0f} MiB of memory from the first quarter to the end",
    )


def _master() -> bytes:
    """Return a picture as smooth as a backdrop, with a head's worth of detail: as costly to cut, and small to store."""
    noise = np.random.default_rng(1).integers(0, 40, (SIDE // 4, SIDE // 4, 3), np.uint8)
    picture = Image.radial_gradient("L").resize((SIDE, SIDE)).convert("RGB")
    picture.paste(Image.fromarray(noise), (SIDE * 3 // 8, SIDE // 4))
    target = io.BytesIO()
    picture.save(target, "PNG", compress_level=3)
    return target.getvalue()


def _add(org_id: UUID, shoot_id: UUID, style_id: UUID, start: int, count: int, picture: bytes) -> None:
    from core import audit, locks
    from core.clock import now
    from core.db import transaction
    from core.ids import new_id
    from core.models import Headshot, Kind, Participation, Photo, State
    from core.people import members
    from core.vault import vault

    people = [
        members.NewMember(
            f"person{number}@northwind.example",
            f"First{number % 97}",
            f"Person {number}",
            employee_id=f"E{number}",
            department=DEPARTMENT if number < ARCHIVED else f"Department {number % 20}",
        )
        for number in range(start, start + count)
    ]
    with transaction(org_id) as session:
        added = members.add(session, people, actor=audit.SYSTEM, tag=audit.Tag.MEMBER_IMPORTED)
        ids = [one.id for one in added]
    sealed = [
        vault().seal(org_id, picture, kind=Kind.HEADSHOT, media_type="image/png", member_id=one)
        for one in ids
    ]
    with transaction(org_id) as session:
        locks.people(session, ids)
        for number, (member_id, one) in enumerate(zip(ids, sealed, strict=True)):
            artifact = vault().keep(session, one)
            common: dict[str, Any] = {"org_id": org_id, "member_id": member_id}
            chosen = new_id()
            part = Participation(
                id=new_id(),
                shoot_id=shoot_id,
                state=State.APPROVED,
                changed_at=now(),
                approved_at=now(),
                chosen_headshot_id=chosen,
                **common,
            )
            photo = Photo(
                id=new_id(), participation_id=part.id, artifact_id=artifact.id, upload_key="k", **common
            )
            headshot = Headshot(
                id=chosen,
                participation_id=part.id,
                photo_id=photo.id,
                style_id=style_id,
                artifact_id=artifact.id,
                engine="studio",
                rank=0,
                gates={"gates": {"edge": {"value": number / count, "limit": 1.0, "passed": True}}},
                seconds=1.0,
                **common,
            )
            session.add(part)
            session.flush()
            session.add(photo)
            session.flush()
            session.add(headshot)
