"""Lists of people end with whom they may name, with their hour, and with who may import them."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import lists
import pytest
from conftest import add_shoot
from sqlalchemy import func, select, update
from work import do_jobs

from compliance import erasure
from core import audit
from core.clock import now
from core.db import transaction
from core.models import Artifact, Invite, Kind, Member, Role, RosterImport
from core.queue import JobName
from core.shoots import commits
from core.vault import KeyErased, vault
from core.vault.crypto import CannotOpen, open_sealed
from core.vault.vault import Vault

LIST = b"email,first name,last name\ngrace@acme.example,Grace,Hopper\nemmy@acme.example,Emmy,Noether\n"


@pytest.fixture
def shoot(org: UUID) -> UUID:
    return add_shoot(org).id


def upload(browser: Any, shoot: UUID) -> str:
    answer = browser.post(f"/admin/shoots/{shoot}/import", {"roster": (io.BytesIO(LIST), "roster.csv")})
    return str(answer.json["import"])


def confirm(browser: Any, shoot: UUID, import_id: str) -> Any:
    return browser.post(f"/admin/shoots/{shoot}/import/commit", {"import": import_id})


def work(org: UUID) -> None:
    do_jobs(org, JobName.IMPORT_ROSTER)


def erase_grace(org: UUID) -> None:
    with transaction(org) as session:
        person = session.scalars(select(Member).where(Member.email == "grace@acme.example")).one()
        erasure.request(
            session,
            person,
            reason=erasure.ErasureReason.SELF_SERVICE,
            actor=audit.actor_for(person),
            language="en",
        )


def people(org: UUID) -> set[str]:
    with transaction(org) as session:
        found = session.scalars(select(Member.email).where(Member.role == Role.EMPLOYEE))
        return {email for email in found if email is not None}


def test_results_and_lists_that_may_name_an_erased_person_are_gone_at_once(
    org: UUID, shoot: UUID, browser: Any
) -> None:
    done, other = upload(browser, shoot), upload(browser, shoot)
    confirm(browser, shoot, done)
    work(org)
    address = f"/admin/shoots/{shoot}/import"
    assert "Hopper" in browser.get(f"{address}/{done}/results.csv").text
    erase_grace(org)
    for path in (f"{done}/results.csv", f"{done}/rejected.csv", other, f"{other}/rejected.csv"):
        answer = browser.get(f"{address}/{path}")
        assert (answer.status_code, "Hopper" in answer.text) == (410, False)
    assert "2 people are being invited." in browser.get(f"{address}/{done}/result").text
    assert confirm(browser, shoot, other).status_code == 410
    work(org)
    assert people(org) == {"emmy@acme.example"}


def test_a_list_that_waits_for_its_worker_does_not_bring_an_erased_person_back(
    org: UUID, shoot: UUID, browser: Any
) -> None:
    confirm(browser, shoot, upload(browser, shoot))
    work(org)
    second = add_shoot(org).id
    waiting = upload(browser, second)
    confirm(browser, second, waiting)
    erase_grace(org)
    work(org)
    assert people(org) == {"emmy@acme.example"}
    page = browser.get(f"/admin/shoots/{second}/import/{waiting}/result").text
    assert "The import has stopped" in page
    assert "was erased meanwhile" in page
    assert "Go on with the list" not in page
    confirm(browser, second, waiting)
    work(org)
    assert people(org) == {"emmy@acme.example"}


@pytest.mark.parametrize("how", ["erased", "imported", "crashed"])
def test_an_old_copy_of_a_list_opens_no_more_once_the_list_is_gone(
    org: UUID, shoot: UUID, browser: Any, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    confirm(browser, shoot, upload(browser, shoot))
    work(org)
    second = add_shoot(org).id
    run = UUID(upload(browser, second))
    with transaction(org) as session:
        row = session.get_one(Artifact, run)
        associated, name = Vault._associated(row), row.object_name
    copy = vault().store.get(name)
    assert b"shoot_id" in open_sealed(vault().keys.data_key(run), copy, associated)
    if how == "imported":
        confirm(browser, second, str(run))
        work(org)
        do_jobs(org, JobName.PURGE)
    else:
        with monkeypatch.context() as patched:
            if (
                how == "crashed"
            ):  # right after the commit; then the erasure's own job does it, whatever the others wait for
                patched.setattr(vault().keys, "forget", lambda _lists: 1 / 0)
            erase_grace(org)
        if how == "crashed":
            do_jobs(org, JobName.ERASE)
    with pytest.raises(KeyErased):
        vault().keys.data_key(run)
    with pytest.raises(CannotOpen):
        open_sealed(vault().keys.data_key(org), copy, associated)


def test_a_worker_that_has_read_the_list_stops_when_somebody_is_erased_meanwhile(
    org: UUID, shoot: UUID
) -> None:
    import_id = lists.confirmed(org, shoot, LIST)
    with transaction(org) as session:
        confirmed = commits.find(session, import_id)
    assert confirmed is not None
    parsed = commits.read(confirmed)
    with transaction(org) as session:
        commits.end_all(session, commits.Ended.ERASED)
    with transaction(org) as session:
        assert not commits.go_on(session, import_id, parsed)
        commits.give_up(session, import_id, "erased")
        assert session.get_one(RosterImport, import_id).failure == commits.Ended.ERASED
    assert people(org) == set()


def test_a_result_is_gone_after_its_hour_whenever_it_is_swept(org: UUID, shoot: UUID, browser: Any) -> None:
    run = upload(browser, shoot)
    confirm(browser, shoot, run)
    work(org)
    address = f"/admin/shoots/{shoot}/import/{run}"
    for minutes, status in ((59, 200), (61, 410)):
        with transaction(org) as session:
            aged = update(Artifact).where(Artifact.kind == Kind.ROSTER)
            session.execute(aged.values(created_at=now() - timedelta(minutes=minutes)))
        assert browser.get(f"{address}/results.csv").status_code == status
    assert ".csv" not in browser.get(f"{address}/result").text


@pytest.mark.parametrize("how", ["disabled", "demoted"])
def test_an_import_stops_with_its_admin_and_another_one_can_take_it_up(
    org: UUID, shoot: UUID, signed_in: Callable[[Role], Any], how: str
) -> None:
    owner, admin = signed_in(Role.OWNER), signed_in(Role.HR_ADMIN)
    run = upload(admin, shoot)
    confirm(admin, shoot, run)
    with transaction(org) as session:
        person = session.scalars(select(Member).where(Member.role == Role.HR_ADMIN)).one()
        if how == "disabled":
            person.disabled_at = now()
        else:
            person.role = Role.REVIEWER
    work(org)

    def invited() -> int | None:
        with transaction(org) as session:
            return session.scalar(select(func.count()).select_from(Invite))

    assert invited() == 0
    page = owner.get(f"/admin/shoots/{shoot}/import/{run}/result").text
    assert "may not invite people any more" in page
    assert "Go on with the list" in page
    confirm(owner, shoot, run)
    work(org)
    assert invited() == 2
