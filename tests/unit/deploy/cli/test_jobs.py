"""`headshots jobs`: what waits and fails is seen, tried again, and dropped only knowingly."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner, Result
from conftest import add_participation
from patience import owed_work
from work import do_all_work

from compliance import erasure
from core import audit, owed
from core.clock import now
from core.db import transaction
from core.ids import new_id
from core.models import Erasure, Member, Outbox, Participation, State
from core.queue import JobName, enqueue
from deploy.cli import main
from workers.process.runner import module_of


def headshots(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["jobs", *arguments])


def facts(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def owe(org: UUID, job: JobName, subject_id: UUID, **values: Any) -> Outbox:
    with transaction(org) as session:
        row = enqueue(session, job, subject_id)
        for name, value in values.items():
            setattr(row, name, value)
        return row


def failing(org: UUID, job: JobName, subject_id: UUID) -> Outbox:
    return owe(org, job, subject_id, outages=3, error_code="storage_away", first_failed_at=now())


def erase(org: UUID, member: Member) -> Erasure:
    with transaction(org) as session:
        person = session.get_one(Member, member.id)
        asked = erasure.request(
            session,
            person,
            reason=erasure.ErasureReason.SELF_SERVICE,
            actor=audit.SYSTEM,
            language="en",
        )
        return session.get_one(Erasure, asked.erasure_id)


def test_what_fails_is_listed_without_a_word_about_people(org: UUID, member: Member) -> None:
    bad = failing(org, JobName.PURGE, member.id)
    owe(org, JobName.PURGE, member.id)
    shown = headshots("list")
    assert shown.exit_code == 0
    (line,) = shown.stdout.splitlines()
    assert str(bad.id) in line
    assert "storage_away" in line
    (found,) = facts(headshots("list", "--json"))
    assert (found["id"], found["company"], found["state"], found["outages"]) == (
        str(bad.id),
        "acme",
        "failing",
        3,
    )
    assert not any(word in json.dumps(found) for word in ("Ada", "Example", "@"))
    assert len(facts(headshots("list", "--state", "waiting", "--json"))) == 1
    assert headshots("list", "--job", "erase").stdout == ""
    assert facts(headshots("list", "--company", "acme", "--json")) == [found]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("show", str(new_id())), 1),
        (("retry", str(new_id())), 1),
        (("drop", str(new_id())), 1),
        (("list", "--company", "nobody"), 1),
        (("list", "--job", "nothing"), 2),
        (("show", "no-id"), 2),
        (("retry",), 2),
        (("retry", "--all", str(new_id())), 2),
        (("drop",), 2),
    ],
)
def test_what_cannot_be_done_says_so(org: UUID, arguments: tuple[str, ...], status: int) -> None:
    answer = headshots(*arguments)
    assert answer.exit_code == status
    assert answer.stdout == ""
    assert answer.stderr


def test_all_that_waits_for_an_outage_can_be_tried_at_once(org: UUID, member: Member) -> None:
    row = failing(org, JobName.PURGE, member.id)
    with transaction(org) as session:
        session.get_one(Outbox, row.id).not_before = now().replace(year=now().year + 1)
    (again,) = facts(headshots("retry", "--all", "--json"))
    assert (again["id"], again["state"], again["attempts"], again["outages"]) == (
        str(row.id),
        "waiting",
        0,
        0,
    )
    do_all_work()
    assert owed_work(org)[0].done_at is not None
    assert headshots("retry", str(row.id)).exit_code == 1, "it is done"
    assert facts(headshots("show", str(row.id), "--json"))[0]["state"] == "done"


def test_headshots_that_were_given_up_are_made_again(org: UUID, member: Member) -> None:
    participation = add_participation(org, member, State.SUBMITTED)
    row = owe(org, JobName.RENDER, participation.id, failed_at=now(), first_failed_at=now(), deaths=3)
    with transaction(org) as session:
        module_of(JobName.RENDER).failed(session, participation.id, "worker_died")
    answer = headshots("retry", str(row.id))
    assert answer.exit_code == 0, answer.output
    with transaction(org) as session:
        assert session.get_one(Participation, participation.id).state == State.SUBMITTED
        begun = session.get_one(Outbox, row.id)
        assert (begun.failed_at, begun.deaths) == (None, owed.ALONE_AFTER), "it runs alone at once"
    assert headshots("retry", str(row.id)).exit_code == 0, "trying twice is fine"


@pytest.mark.parametrize("job", [JobName.TRAIN, JobName.GENERATE, JobName.PICTURES])
def test_what_has_another_answer_already_is_not_tried_again(org: UUID, member: Member, job: JobName) -> None:
    row = owe(org, job, add_participation(org, member).id, failed_at=now(), first_failed_at=now())
    answer = headshots("retry", str(row.id))
    assert answer.exit_code == 1
    assert "cannot_retry" in answer.stderr


def test_an_erasure_is_dropped_only_by_whoever_was_told_what_that_means(org: UUID, member: Member) -> None:
    record = erase(org, member)
    row = owed_work(org)[-1]
    assert row.job == JobName.ERASE
    refused = headshots("drop", str(row.id))
    assert refused.exit_code == 1
    assert "no certificate" in refused.stderr
    assert "--force" in refused.stderr
    assert owed_work(org)[-1].failed_at is None
    (dropped,) = facts(headshots("drop", str(row.id), "--force", "--json"))
    assert (dropped["state"], dropped["code"]) == ("given_up", "dropped")
    with transaction(org) as session:
        assert session.get_one(Erasure, record.id).failure == "dropped"
    assert headshots("drop", str(row.id), "--force").exit_code == 1, "it has ended"
    assert headshots("retry", str(row.id)).exit_code == 0
    do_all_work()
    with transaction(org) as session:
        found = session.get_one(Erasure, record.id)
        assert (found.failure, found.objects_destroyed_at is not None) == (None, True)


def test_dropped_headshots_leave_nobody_waiting(org: UUID, member: Member) -> None:
    participation = add_participation(org, member, State.SUBMITTED)
    row = owe(org, JobName.RENDER, participation.id)
    assert headshots("drop", str(row.id)).exit_code == 0
    with transaction(org) as session:
        found = session.get_one(Participation, participation.id)
        assert (found.state, found.failure_code) == (State.FAILED, "dropped")
