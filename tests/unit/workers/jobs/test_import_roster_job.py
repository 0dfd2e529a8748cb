"""A confirmed list as a job: many rows, whatever happens in between."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

import pytest
from conftest import add_member, add_shoot
from sqlalchemy import func, select
from work import do_jobs

from core import audit
from core.clock import now
from core.db import transaction
from core.models import Artifact, Invite, Member, Outbox, Participation, RosterImport, Shoot
from core.people.roster import Choice
from core.queue import JobName
from core.shoots import commits, imports, shoots
from core.vault import ArtifactGone
from workers.jobs import import_roster
from workers.process.runner import AlreadyDone, JobRun

ROWS = 12


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of five rows, and one part a delivery."""
    monkeypatch.setattr(commits, "ROWS_AT_ONCE", 5)
    monkeypatch.setattr(import_roster, "SECONDS", 0.000_001)


def confirmed(org: UUID, rows: int = ROWS) -> UUID:
    shoot = add_shoot(org)
    lines = [f"person{n}@acme.example,First{n},Last{n}" for n in range(rows)]
    with transaction(org) as session:
        run = imports.upload(session, shoot, ("email,first name,last name\n" + "\n".join(lines)).encode())
        commits.start(session, shoot.id, run.import_id, Choice(), actor=audit.SYSTEM)
    return run.import_id


def outcome(org: UUID, import_id: UUID) -> commits.Outcome:
    with transaction(org) as session:
        found = commits.outcome(session, session.get_one(RosterImport, import_id).shoot_id, import_id)
        assert found is not None
        return found


def next_part(org: UUID) -> None:
    """Deliver what is owed now, once."""
    with transaction(org) as session:
        owed = session.scalars(
            select(Outbox).where(Outbox.job == JobName.IMPORT_ROSTER, Outbox.done_at.is_(None))
        ).one()
    import_roster.run(JobRun(owed.id, org, owed.subject_id, 1))


def test_each_part_is_a_delivery_of_its_own_and_everybody_is_invited_once(org: UUID) -> None:
    import_id = confirmed(org)
    done = []
    while not done or done[-1] < ROWS:
        next_part(org)
        done.append(outcome(org, import_id).done)
    assert done == [5, 10, 12]
    with transaction(org) as session:
        people = session.scalars(select(Participation.member_id)).all()
        assert len(people) == len(set(people)) == ROWS
        assert session.scalar(select(func.count()).select_from(Invite)) == ROWS
        owed = session.scalar(select(func.count()).where(Outbox.job == JobName.INVITE_MAIL))
        assert owed == ROWS
        assert session.get_one(Artifact, import_id).delete_requested_at is not None


@pytest.mark.parametrize("dies", ["before its rows", "after its rows", "at its end"])
def test_a_worker_that_dies_leaves_each_row_done_once(
    org: UUID, monkeypatch: pytest.MonkeyPatch, dies: str
) -> None:
    import_id = confirmed(org)
    next_part(org)
    real = commits.go_on

    def die(*arguments: object) -> bool:
        if dies != "before its rows":
            real(*arguments)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    if dies == "at its end":
        # Its rows are committed, and the mark on the outbox is not.
        with transaction(org) as session:
            parsed = commits.read(session, import_id)
            assert parsed is not None
            commits.go_on(session, import_id, parsed)
    else:
        with monkeypatch.context() as patched:
            patched.setattr(commits, "go_on", die)
            with pytest.raises(KeyboardInterrupt):
                next_part(org)
    do_jobs(org, JobName.IMPORT_ROSTER)
    found = outcome(org, import_id)
    assert (found.done, found.invited, found.rejected) == (ROWS, ROWS, 0)
    with transaction(org) as session:
        assert session.scalar(select(func.count()).select_from(Invite)) == ROWS


def test_a_shoot_that_is_closed_meanwhile_takes_nobody_more_and_says_so_for_each_row(org: UUID) -> None:
    import_id = confirmed(org)
    next_part(org)
    with transaction(org) as session:
        shoot = session.scalars(select(Shoot)).one()
        shoots.close(session, shoot, actor=audit.SYSTEM)
    do_jobs(org, JobName.IMPORT_ROSTER)
    found = outcome(org, import_id)
    assert (found.invited, found.rejected) == (5, 7)
    with transaction(org) as session:
        rows = commits.results_csv(session, session.scalars(select(Shoot.id)).one(), import_id).decode()
    assert Counter("closed" in row for row in rows.strip().splitlines()[1:]) == {False: 5, True: 7}


def test_somebody_who_is_added_meanwhile_is_invited_as_they_are_known(org: UUID) -> None:
    import_id = confirmed(org)
    next_part(org)
    known = add_member(org, "Known", email="person11@acme.example")
    do_jobs(org, JobName.IMPORT_ROSTER)
    assert outcome(org, import_id).invited == ROWS
    with transaction(org) as session:
        assert session.scalars(select(Participation).where(Participation.member_id == known.id)).one()
        assert session.get_one(Member, known.id).first_name == "Known"


def test_two_deliveries_of_the_same_part_do_it_once(org: UUID) -> None:
    import_id = confirmed(org, rows=3)
    with transaction(org) as session:
        owed = session.scalars(select(Outbox).where(Outbox.job == JobName.IMPORT_ROSTER)).one()
    import_roster.run(JobRun(owed.id, org, owed.subject_id, 1))
    with pytest.raises(AlreadyDone):
        import_roster.run(JobRun(owed.id, org, owed.subject_id, 2))
    assert outcome(org, import_id).invited == 3


def test_a_list_that_nobody_came_to_for_a_day_is_gone_and_says_so(org: UUID) -> None:
    import_id = confirmed(org)
    with transaction(org) as session:
        session.get_one(Artifact, import_id).delete_requested_at = now()
    do_jobs(org, JobName.IMPORT_ROSTER)
    found = outcome(org, import_id)
    assert found.failure == ArtifactGone.code
    assert not found.has_file
