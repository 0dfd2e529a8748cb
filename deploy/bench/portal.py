"""HR's day in a large company, from outside: a browser of its own process against gunicorn, a worker and embedded Postgres."""

from __future__ import annotations

import re
import statistics
import time
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import httpx

if TYPE_CHECKING:
    from deploy.bench import Report

ROUNDS: Final = 40  # of each page; the first two are not counted
ROWS: Final = 10_000  # of the list, and people of what is done to many
PATIENCE: Final = 900.0  # seconds
EVERY: Final = 1.0  # seconds between two looks at how far something is, as the page has it


def bench_portal(report: Report, org_id: UUID, count: int) -> None:
    """Look at the pages of `count` people, follow a list of 10,000 more, and remind those."""
    from deploy.bench.processes import answers, running, wait_until
    from deploy.local.processes import free_port

    shoot_id, token, cookie = _company(org_id, count)
    port = free_port()
    commands = [
        ("deploy.cli", "web", "--bind", f"127.0.0.1:{port}", "--workers", "1"),
        ("deploy.cli", "worker", "--lane", "interactive"),
        ("deploy.cli", "scheduler"),
    ]
    with (
        running(commands),
        httpx.Client(
            base_url=f"http://127.0.0.1:{port}", cookies={cookie: token}, timeout=PATIENCE
        ) as browser,
    ):
        wait_until(lambda: answers(port))
        _pages(report, browser, shoot_id, count)
        new_shoot = _new_shoot(org_id)
        _list(report, browser, new_shoot)
        _remind(report, browser, org_id, new_shoot)


def _company(org_id: UUID, count: int) -> tuple[UUID, str, str]:
    """Add people; return their shoot, and an admin's session with its cookie's name."""
    from sqlalchemy import select

    from admin.app import create_app
    from core import audit
    from core.db import transaction
    from core.models import Member, Role, Shoot, SignInMethod
    from core.people import members, sessions
    from deploy.bench import pages

    with transaction(org_id) as session:
        shoot_id = session.scalars(select(Shoot.id)).one()
    for start in range(0, count, pages.AT_ONCE):
        pages.add(org_id, shoot_id, start, min(pages.AT_ONCE, count - start))
    pages.know_the_tables()
    with transaction(org_id) as session:
        admin = members.NewMember("hr@northwind.example", "Hannah", "Rivera", role=Role.HR_ADMIN)
        (added,) = members.add(session, [admin], actor=audit.SYSTEM, tag=audit.Tag.MEMBER_PROVISIONED)
        token = sessions.start(session, session.get_one(Member, added.id), SignInMethod.SAML)
    return shoot_id, token, str(create_app().config["SIGN_IN_COOKIE"])


def _new_shoot(org_id: UUID) -> UUID:
    from deploy.bench.crowd import shoot_of

    return shoot_of(org_id)


def _pages(report: Report, browser: httpx.Client, shoot_id: UUID, count: int) -> None:
    listed = browser.get("/admin/people", headers={"Accept": "application/json"}).json()
    found = browser.post("/admin/people", data={"q": "person 777", "csrf_token": _secret(browser)})
    assert found.status_code == 303, found.text
    page = browser.get("/admin/people").text
    (department, *_) = re.findall(r'<option value="([0-9a-f]{18})"', page)
    for name, address in {
        "dashboard": "/admin/",
        "people": "/admin/people",
        "people further on": f"/admin/people?after={listed['after']}",
        "search": found.headers["location"],
        "people in a state": "/admin/people?state=ready",
        "people of a department": f"/admin/people?department={department}",
        "overdue people": "/admin/people?overdue=1",
        "shoot": f"/admin/shoots/{shoot_id}",
    }.items():
        taken = [_milliseconds(browser, address) for _ in range(ROUNDS)][2:]
        median, late = statistics.median(taken), statistics.quantiles(taken, n=20)[-1]
        report(
            {
                "figure": "page",
                "page": name,
                "members": count,
                "median_milliseconds": round(median, 1),
                "p95_milliseconds": round(late, 1),
            },
            f"{name} at {count:,} people: median {median:.0f} ms, p95 {late:.0f} ms",
        )


def _milliseconds(browser: httpx.Client, address: str) -> float:
    began = time.perf_counter()
    answer = browser.get(address)
    assert answer.status_code == 200, f"{answer.url}: {answer.status_code}"
    return (time.perf_counter() - began) * 1000


def _secret(browser: httpx.Client) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/admin/").text)
    assert found
    return found.group(1)


def _list(report: Report, browser: httpx.Client, shoot_id: UUID) -> None:
    rows = [f"L{n:05d},joiner{n}@northwind.example,First{n},Last{n},Research" for n in range(ROWS)]
    content = ("employee id,email,first name,last name,department\n" + "\n".join(rows)).encode()
    place = f"/admin/shoots/{shoot_id}/import"
    began = time.perf_counter()
    sent = browser.post(place, data={"csrf_token": _secret(browser)}, files={"roster": ("list.csv", content)})
    looked = browser.get(sent.headers["location"])
    assert looked.status_code == 200, looked.text
    dry_run = time.perf_counter() - began
    import_id = sent.headers["location"].rpartition("/")[2]
    began = time.perf_counter()
    begun = browser.post(f"{place}/commit", data={"csrf_token": _secret(browser), "import": import_id})
    done = _until_done(browser, begun.headers["location"])
    committed = time.perf_counter() - began
    assert done["invited"] == ROWS, done
    report(
        {
            "figure": "list_10000",
            "dry_run_seconds": round(dry_run, 2),
            "commit_seconds": round(committed, 2),
        },
        f"a list of 10,000: dry run {dry_run:.2f} s, all invited after {committed:.2f} s",
    )


def _remind(report: Report, browser: httpx.Client, org_id: UUID, shoot_id: UUID) -> None:
    _age_links(org_id)
    address = f"/admin/people/act?kind=remind&shoot={shoot_id}"
    began = time.perf_counter()
    seen = browser.get(address)
    preview = time.perf_counter() - began
    assert seen.status_code == 200, seen.text
    seal = browser.get(address, headers={"Accept": "application/json"}).json()["seen"]
    form = {"csrf_token": _secret(browser), "kind": "remind", "shoot": str(shoot_id), "seen": seal}
    began = time.perf_counter()
    begun = browser.post("/admin/people/act", data=form)
    assert begun.status_code == 303, begun.text
    asked = time.perf_counter() - began
    done = _until_done(browser, begun.headers["location"])
    took = time.perf_counter() - began
    assert done["counts"] == {"done": ROWS}, done["counts"]
    report(
        {
            "figure": "remind_10000",
            "preview_seconds": round(preview, 2),
            "request_seconds": round(asked, 2),
            "done_seconds": round(took, 2),
        },
        f"10,000 people reminded: preview {preview:.2f} s, confirmed in {asked:.2f} s, done after {took:.1f} s",
    )


def _age_links(org_id: UUID) -> None:
    """Have every link be days old: nobody is reminded who got one minutes ago."""
    from datetime import timedelta

    from sqlalchemy import update

    from core.clock import now
    from core.db import transaction
    from core.models import Invite

    with transaction(org_id) as session:
        session.execute(update(Invite).values(created_at=now() - timedelta(days=2)))


def _until_done(browser: httpx.Client, address: str) -> dict[str, Any]:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found: dict[str, Any] = browser.get(address, headers={"Accept": "application/json"}).json()
        assert found["failure"] is None, found
        if found["finished_at"]:
            return found
        time.sleep(EVERY)
    raise TimeoutError(address)
