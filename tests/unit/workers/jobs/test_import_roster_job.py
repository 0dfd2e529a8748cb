"""A confirmed list as a job: many rows, whatever happens in between."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

import lists
import pytest
from conftest import add_member, add_shoot
from sqlalchemy import func, select
from work import do_jobs

from core import audit
from core.clock import now
from core.db import transaction
from core.models import Artifact, AuditEvent, Invite, Member, Outbox, Participation, RosterImport, Shoot
from core.queue import JobName
from core.shoots import commits, import_results, shoots
from core.vault import ArtifactGone, KeyErased, Sealed, vault
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
    return lists.confirmed(org, shoot.id, ("email,first name,last name\n" + "\n".join(lines)).encode())


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
            found = commits.find(session, import_id)
        assert found is not None
        parsed = commits.read(found)
        with transaction(org) as session:
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


def stored() -> set[str]:
    return {name for name, _ in vault().store.names()}


def known_to(org: UUID) -> set[str]:
    with transaction(org) as session:
        return set(session.scalars(select(Artifact.object_name).where(Artifact.destroyed_at.is_(None))))


@pytest.mark.parametrize("verb", ["result", "finish"])
def test_a_worker_that_dies_after_the_last_row_leaves_the_end_to_the_next(
    org: UUID, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    import_id = confirmed(org, rows=5)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(commits, verb, die)
        with pytest.raises(KeyboardInterrupt):
            next_part(org)
    found = outcome(org, import_id)
    assert (found.done, found.percent, found.finished_at, found.failure) == (5, 100, None, None)
    assert found.has_file
    assert stored() == known_to(org)
    do_jobs(org, JobName.IMPORT_ROSTER)
    found = outcome(org, import_id)
    assert (found.done, found.invited, found.finished_at is not None) == (5, 5, True)
    with transaction(org) as session:
        assert session.scalar(select(func.count()).select_from(Invite)) == 5
        imported = select(func.count()).where(AuditEvent.tag == audit.Tag.ROSTER_IMPORTED)
        assert session.scalar(imported) == 1
        left = select(Artifact.id).where(Artifact.delete_requested_at.is_(None))
        assert session.scalars(left).all() == [session.get_one(RosterImport, import_id).result_id]


def test_a_result_that_is_not_kept_lies_nowhere(org: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody is erased after the result was sealed, or another worker was faster."""
    import_id = confirmed(org, rows=5)
    real = import_results.seal

    def erased_after(org_id: UUID, result: import_results.Result) -> Sealed:
        sealed = real(org_id, result)
        with transaction(org) as session:
            commits.end_all(session, commits.Ended.ERASED)
        made.append(sealed)
        return sealed

    made: list[Sealed] = []
    with monkeypatch.context() as patched:
        patched.setattr(import_results, "seal", erased_after)
        next_part(org)
    found = outcome(org, import_id)
    assert (found.failure, found.finished_at, found.has_file) == (commits.Ended.ERASED, None, False)
    [sealed] = made
    assert sealed.object_name not in stored()
    with pytest.raises(KeyErased):
        vault().keys.data_key(sealed.id)


def test_of_two_workers_at_the_end_the_slower_leaves_nothing(
    org: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirmed(org, rows=5)
    real = import_results.seal

    def overtaken(org_id: UUID, result: import_results.Result) -> Sealed:
        monkeypatch.setattr(import_results, "seal", real)
        sealed = real(org_id, result)
        next_part(org)
        return sealed

    monkeypatch.setattr(import_results, "seal", overtaken)
    with pytest.raises(AlreadyDone):
        next_part(org)
    assert stored() == known_to(org)
    with transaction(org) as session:
        imported = select(func.count()).where(AuditEvent.tag == audit.Tag.ROSTER_IMPORTED)
        assert session.scalar(imported) == 1


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
        held = import_results.find(session, session.scalars(select(Shoot.id)).one(), import_id)
    rows = import_results.read_csv(held).decode()
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
