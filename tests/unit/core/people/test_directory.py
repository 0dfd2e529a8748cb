"""Names: sealed with their people, plain in the one table that no backup carries, and filled again when that is empty."""

from __future__ import annotations

import threading
from datetime import timedelta
from uuid import UUID

import pytest
from conftest import add_member
from sqlalchemy import create_engine, insert, select, text, update
from sqlalchemy.orm import Session

from compliance import retention, sealing
from core.db import DirectoryEmpty, engine, transaction
from core.models import Installation, Member, Person
from core.models.member import DIRECTORY, NAMES
from core.people import directory, members
from core.personal import Personal, declared
from core.vault import KeyErased, names, vault
from workers.process.scheduler import Duty
from workers.process.steady import SteadyClock

ADA = {
    "email": "ada@acme.example",
    "first_name": "Ada",
    "last_name": "Byron",
    "employee_id": "E-1",
    "department": "Engines",
    "idp_entity_id": "https://login.acme.example",
    "name_id": "byron",
    "place": "US-IL",
}


def of(member: Member) -> dict[str, str | None]:
    return {name: getattr(member, name) for name in NAMES}


def sealed_names(org: UUID, member_id: UUID) -> dict[str, str | None]:
    """What a backup can open with today's keys."""
    with transaction(org, nameless=True) as session:
        content = session.scalars(select(Person.sealed).where(Person.id == member_id)).one()
    assert content is not None
    return names.opened(org, member_id, content, vault().keys.data_key(member_id))


@pytest.fixture
def ada(org: UUID, member: Member) -> UUID:
    with transaction(org) as session:
        row = session.get_one(Member, member.id)
        for name, value in ADA.items():
            setattr(row, name, value)
    return member.id


def empty(environment: dict[str, str]) -> None:
    """Do as a crash does to unlogged tables."""
    owner = create_engine(environment["HEADSHOTS_DATABASE_OWNER_URL"])
    with owner.begin() as connection:
        connection.execute(text("TRUNCATE directory, directory_state"))
    owner.dispose()


def test_the_directory_holds_every_personal_column_of_a_name_and_nothing_else_does() -> None:
    personal = {one.name: one.computed for one in DIRECTORY.c if isinstance(declared(one), Personal)}
    assert {name for name, computed in personal.items() if computed is None} == set(NAMES)


def test_a_name_lies_sealed_in_the_row_of_its_person(org: UUID, ada: UUID) -> None:
    assert sealed_names(org, ada) == ADA
    with transaction(org) as session:
        row = session.scalars(text("SELECT t::text FROM members t")).one()
    assert [value for value in ADA.values() if value in row] == []


def test_whoever_changes_part_of_a_name_keeps_what_another_changed_meanwhile(org: UUID, ada: UUID) -> None:
    with transaction(org) as stale:
        here = stale.get_one(Member, ada)
        with transaction(org) as session:
            session.get_one(Member, ada).department = "Looms"
        here.last_name = "King"
    assert sealed_names(org, ada) == ADA | {"department": "Looms", "last_name": "King"}
    with transaction(org) as session:
        assert of(session.get_one(Member, ada)) == ADA | {"department": "Looms", "last_name": "King"}


def test_somebody_whose_key_is_destroyed_is_given_no_name_any_more(org: UUID, ada: UUID) -> None:
    vault().keys.destroy(ada)
    with pytest.raises(KeyErased), transaction(org) as session:
        session.get_one(Member, ada).last_name = "King"


def test_after_a_crash_nobody_is_said_to_be_unknown_until_everybody_is_back(
    org: UUID, ada: UUID, environment: dict[str, str]
) -> None:
    grace = add_member(org, "Grace")
    vault().keys.destroy(grace.id)
    empty(environment)
    with pytest.raises(DirectoryEmpty), transaction(org) as session:
        members.get(session, ada)
    assert directory.rebuild() == 2
    assert directory.rebuild() == 0
    with transaction(org) as session:
        assert of(session.get_one(Member, ada)) == ADA
        assert session.get_one(Member, grace.id).full_name == ""


def test_a_crash_before_it_was_said_that_names_are_sealed_loses_none(
    org: UUID, ada: UUID, environment: dict[str, str]
) -> None:
    not_sealed(org)
    with transaction(org) as session:
        session.get_one(Member, ada).last_name = "King"
    empty(environment)
    assert directory.rebuild() == 1
    with transaction(org) as session:
        assert of(session.get_one(Member, ada)) == ADA | {"last_name": "King"}


def not_sealed(org: UUID) -> None:
    with Session(engine()) as session, session.begin():
        session.execute(update(Installation).values(sealed_at=None))


def test_the_release_before_and_this_one_see_whom_the_other_adds_and_changes(org: UUID) -> None:
    not_sealed(org)
    ours = add_member(org, "Ours").id
    with transaction(org) as session:
        assert session.scalar(text("SELECT email FROM members")) == "ours@acme.example"
    theirs = UUID(int=7)
    with engine().begin() as connection:  # as the release before does it
        connection.execute(text("SELECT set_config('app.org_id', :id, true)"), {"id": str(org)})
        connection.execute(
            text(
                "INSERT INTO members (id, org_id, created_at, role, language, pseudonym, email, last_name)"
                " VALUES (:id, :org, now(), 'employee', 'en', 'p', 'theirs@acme.example', 'Theirs')"
            ),
            {"id": theirs, "org": org},
        )
        connection.execute(text("UPDATE members SET last_name = 'Changed' WHERE id = :id"), {"id": ours})
    vault().keys.create([theirs])
    with transaction(org) as session:
        assert members.by_email(session, "Theirs@acme.example") is not None
        assert session.get_one(Member, ours).last_name == "Changed"
    assert sealing.begin() == 2
    assert sealed_names(org, theirs)["last_name"] == "Theirs"
    assert sealed_names(org, ours)["last_name"] == "Changed"
    with transaction(org) as session:
        rows = session.scalars(text("SELECT t::text FROM members t")).all()
        assert [row for row in rows if "acme.example" in row] == []
        assert {one.last_name for one in session.scalars(select(Member))} == {"Theirs", "Changed"}


def test_the_app_cannot_fill_another_companys_directory(org: UUID, ada: UUID) -> None:
    with transaction(UUID(int=9)) as session:
        assert session.scalars(select(Member)).all() == []
        with pytest.raises(Exception, match="row-level security"):
            session.execute(insert(DIRECTORY).values(id=ada, org_id=org))


def test_after_a_crash_duties_wait_and_are_no_error_each(
    org: UUID, ada: UUID, environment: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    empty(environment)
    over, done = threading.Event(), []

    def sweep() -> None:
        over.set()
        done.append(True)
        retention.sweep_all()

    Duty("sweep", timedelta(hours=1), sweep).keep(over, SteadyClock())
    assert done
    said = capfd.readouterr()
    assert '"error"' not in said.out + said.err
