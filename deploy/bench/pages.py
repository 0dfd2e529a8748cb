"""How long the pages of an admin take in a large company."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from deploy.bench import Report

AT_ONCE = 1000  # people who are added together
ROUNDS = 40  # of each page; the first two are not counted
FIRST_NAMES = ("Ada", "Barack", "Chidi", "Dana", "Eileen", "Fatima", "Goro", "Hana", "Inês", "Joe")


def bench_pages(report: Report, org_id: UUID, count: int) -> None:
    """Add `count` people to the company's one shoot, then ask for its admin's pages over and over."""
    from sqlalchemy import select

    from admin.app import create_app
    from core import audit
    from core.db import transaction
    from core.models import Member, Role, Shoot, SignInMethod
    from core.people import members, sessions

    with transaction(org_id) as session:
        shoot_id = session.scalars(select(Shoot.id)).one()
    for start in range(0, count, AT_ONCE):
        add(org_id, shoot_id, start, min(AT_ONCE, count - start))
    know_the_tables()
    with transaction(org_id) as session:
        admin = members.NewMember("hr@northwind.example", "Hannah", "Rivera", role=Role.HR_ADMIN)
        (added,) = members.add(session, [admin], actor=audit.SYSTEM, tag=audit.Tag.MEMBER_PROVISIONED)
        token = sessions.start(session, session.get_one(Member, added.id), SignInMethod.SAML)
        middle = session.scalars(select(Member.id).order_by(Member.id).offset(count // 2).limit(1)).one()
    app = create_app()
    browser = app.test_client()
    browser.set_cookie(app.config["SIGN_IN_COOKIE"], token)
    for name, address in {
        "dashboard": "/admin/",
        "people": "/admin/people",
        "people further on": f"/admin/people?after={middle}",
        "shoot": f"/admin/shoots/{shoot_id}",
    }.items():
        taken = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            answer = browser.get(address)
            taken.append((time.perf_counter() - began) * 1000)
            assert answer.status_code == 200, f"{address}: {answer.status}"
        steady = taken[2:]
        median, late = statistics.median(steady), statistics.quantiles(steady, n=20)[-1]
        report(
            {
                "figure": "page",
                "page": name,
                "members": count,
                "median_milliseconds": round(median, 1),
                "p95_milliseconds": round(late, 1),
            },
            f"{name} at {count} people: median {median:.0f} ms, p95 {late:.0f} ms",
        )


def know_the_tables() -> None:
    """Do what autovacuum does within minutes of so many rows: the planner knows what it plans for."""
    from sqlalchemy import create_engine, text

    from core.settings import settings

    url = settings().database_owner_url
    assert url is not None
    owner = create_engine(url.get_secret_value(), isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(text("VACUUM ANALYZE"))
    owner.dispose()


def add(org_id: UUID, shoot_id: UUID, start: int, count: int) -> None:
    """Add people to a shoot, in five states by turns."""
    from core import audit
    from core.clock import now
    from core.db import transaction
    from core.ids import new_id
    from core.models import Participation, State
    from core.people import members

    people = [
        members.NewMember(
            f"person{number}@northwind.example",
            FIRST_NAMES[number % len(FIRST_NAMES)],
            f"Person {number}",
            employee_id=f"E{number}",
            department="Sales",
        )
        for number in range(start, start + count)
    ]
    states = (State.INVITED, State.OPENED, State.CONSENTED, State.READY, State.APPROVED)
    with transaction(org_id) as session:
        added = members.add(session, people, actor=audit.SYSTEM, tag=audit.Tag.MEMBER_IMPORTED)
        session.add_all(
            Participation(
                id=new_id(),
                org_id=org_id,
                shoot_id=shoot_id,
                member_id=member.id,
                state=states[number % len(states)],
                changed_at=now(),
            )
            for number, member in enumerate(added)
        )
