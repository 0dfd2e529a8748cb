"""Who is next in a lane: companies take turns, however much each has waiting, and taking costs the same."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import select, text

from core import relay
from core.clock import now
from core.db import engine, transaction
from core.ids import new_id
from core.models import Outbox
from core.people import organizations
from core.queue import JOBS, JobName, Lane, enqueue, enqueue_all, redis_client, take


@pytest.fixture
def companies(environment: dict[str, str]) -> list[UUID]:
    """Three companies, in the order of their turns."""
    return sorted(organizations.create(name, name) for name in ("acme", "birch", "cedar"))


def owe(org: UUID, count: int, job: JobName = JobName.RENDER) -> list[UUID]:
    with transaction(org) as session:
        return [row.id for row in enqueue_all(session, job, [new_id() for _ in range(count)])]


def taken(lane: Lane, most: int = 1000) -> list[UUID]:
    """Take what is due, as one free worker after another does."""
    found = []
    while len(found) < most and (one := take(lane)):
        found.append(one[0])
    return found


def test_companies_take_turns_whatever_each_has_waiting(companies: list[UUID]) -> None:
    large, small, other = companies
    rows = dict.fromkeys(owe(large, 30), large)
    rows |= dict.fromkeys(owe(small, 3), small)
    first = [rows[one] for one in taken(Lane.BATCH, 5)]
    assert first == [large, small, large, small, large]
    rows |= dict.fromkeys(owe(other, 1), other)  # comes last, and is next but one
    assert [rows[one] for one in taken(Lane.BATCH, 3)] == [small, other, large]
    rest = Counter(rows[one] for one in taken(Lane.BATCH))
    assert rest == {large: 26}


def test_work_of_a_company_goes_by_its_age_and_what_people_wait_for_before(companies: list[UUID]) -> None:
    company = companies[0]
    invites = [one for _ in range(3) for one in owe(company, 1, JobName.INVITE_MAIL)]
    (link,) = owe(company, 1, JobName.DATA_MAIL)
    assert taken(Lane.MAIL) == [link, *invites]


def test_work_for_later_is_left_and_keeps_nobody_waiting(companies: list[UUID]) -> None:
    with transaction(companies[0]) as session:
        later = enqueue(session, JobName.RENDER, new_id(), not_before=now() + timedelta(hours=1))
    (due,) = owe(companies[1], 1)
    assert relay.publish_due() == 1
    assert taken(Lane.BATCH) == [due]
    with transaction(companies[0]) as session:
        session.get_one(Outbox, later.id).not_before = now()
    assert relay.publish_due() == 0  # the first message was not heard yet
    assert taken(Lane.BATCH) == [later.id]


def test_what_is_taken_is_taken_by_one(companies: list[UUID]) -> None:
    rows = owe(companies[0], 20) + owe(companies[1], 20)
    found = taken(Lane.BATCH)
    assert sorted(found) == sorted(rows)


def test_lanes_hold_few_messages_however_much_waits(companies: list[UUID]) -> None:
    owe(companies[0], 3 * relay.WINDOW, JobName.INVITE_MAIL)
    owe(companies[0], 5, JobName.INTAKE)
    assert relay.publish_due() == relay.WINDOW + 5
    assert relay.publish_due() == 0
    queues = {lane: Queue(lane, connection=redis_client(), serializer=JSONSerializer) for lane in Lane}
    assert queues[Lane.MAIL].count == relay.WINDOW
    assert relay._publish() == (0, False)  # nobody takes any, so there is no hurry
    assert redis_client().lpop(queues[Lane.MAIL].key) is not None
    assert take(Lane.MAIL) is not None
    assert relay._publish() == (1, True)


def test_taking_reads_a_few_rows_where_three_hundred_companies_have_a_hundred_thousand(
    companies: list[UUID],
) -> None:
    for number in range(297):
        companies.append(organizations.create(f"company-{number}", "Company"))
    jobs = [job for lane in (Lane.MAIL, Lane.BATCH) for job in JOBS[lane]]
    for company in companies:
        with transaction(company) as session:
            session.execute(
                text(
                    "INSERT INTO outbox (id, org_id, created_at, job, subject_id, not_before, attempts)"
                    " SELECT gen_random_uuid(), :org, now(), (CAST(:jobs AS varchar[]))[1 + n % :kinds],"
                    " gen_random_uuid(), now(), 0 FROM generate_series(1, 334) n"
                ),
                {"org": company, "jobs": jobs, "kinds": len(jobs)},
            )
    read = text(
        "SELECT seq_scan, idx_tup_fetch + seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'outbox'"
    )
    with engine().begin() as connection:
        before = connection.execute(read).one()
        last, served = UUID(int=0), []
        for _ in range(20):
            found = connection.execute(
                text("SELECT org_id FROM take_outbox(:jobs, :after)"),
                {"jobs": list(JOBS[Lane.MAIL]), "after": last},
            ).one()
            last = found.org_id
            served.append(last)
        counted = connection.scalar(
            text("SELECT due_outbox(:jobs, :most)"), {"jobs": list(JOBS[Lane.BATCH]), "most": relay.WINDOW}
        )
        after = connection.execute(read).one()
    assert served == sorted(companies)[:20]
    assert counted == relay.WINDOW
    assert after.seq_scan == before.seq_scan
    assert after[1] - before[1] <= 20 * 20 + relay.WINDOW


def test_everything_is_taken_in_the_end(companies: list[UUID]) -> None:
    for job in JobName:
        owe(companies[2], 1, job)
    for lane in Lane:
        assert len(taken(lane)) == len(JOBS[lane])
    with transaction(companies[2]) as session:
        assert session.scalars(select(Outbox.id).where(Outbox.published_at.is_(None))).all() == []


@pytest.mark.parametrize("nonsense", [b"", b"x", b"x" * 17])
def test_a_turn_that_is_nobodys_stops_no_lane(companies: list[UUID], nonsense: bytes) -> None:
    rows = owe(companies[0], 2)
    redis_client().set("turn:batch", nonsense)
    assert set(taken(Lane.BATCH)) == set(rows)


def test_a_turn_of_another_kind_stops_no_lane(companies: list[UUID]) -> None:
    rows = owe(companies[0], 2)
    redis_client().hset("turn:batch", "a", "b")
    assert set(taken(Lane.BATCH)) == set(rows)
