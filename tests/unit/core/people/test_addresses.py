"""Which spellings of an address are one person's."""

from __future__ import annotations

from uuid import UUID

import lists
import pytest
from conftest import add_member, add_shoot
from sqlalchemy import func, select
from work import do_jobs

from core.db import transaction
from core.models import Member
from core.people import addresses, members
from core.queue import JobName

SAME = [
    ("Jürgen@Bücher.example", "jürgen@xn--bcher-kva.example"),
    ("ada@MÜLLER.example", "Ada@müller.example"),
    ("ada@mu\u0308ller.example", "ada@m\u00fcller.example"),  # two code points, and one
    ("ada@XN--MLLER-KVA.example", "ada@müller.example"),
    ("ada@例え。テスト", "ada@xn--r8jz45g.xn--zckzah"),
]
DIFFERENT = [
    ("ada@straße.example", "ada@strasse.example"),  # one to the standard of 2003, two to that of 2008
    ("ada@muller.example", "ada@müller.example"),
    ("jürgen@acme.example", "jurgen@acme.example"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_one_address_are_one(one: str, other: str) -> None:
    assert addresses.canonical(one) == addresses.canonical(other)
    assert addresses.canonical(one).rpartition("@")[2].isascii()
    assert set(addresses.spellings(one)) == set(addresses.spellings(other))
    assert len(addresses.spellings(one)) == 2


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_addresses_that_only_look_alike_are_two(one: str, other: str) -> None:
    assert not set(addresses.spellings(one)) & set(addresses.spellings(other))


@pytest.mark.parametrize("text", ["", "@", "ada", "ada@", "a_b@a_b.example", "ada@" + "x" * 70, "ada@\u2603"])
def test_what_is_no_address_is_left_alone(text: str) -> None:
    assert addresses.canonical(text).removeprefix("@") == text.removeprefix("@")


@pytest.mark.parametrize(("kept", "asked"), [*SAME, *(pair[::-1] for pair in SAME)])
def test_a_person_is_found_under_every_spelling(org: UUID, kept: str, asked: str) -> None:
    person = add_member(
        org, email=addresses.spellings(kept)[-1]
    )  # as a sign-in of before may have written it
    with transaction(org) as session:
        found = members.by_email(session, asked)
        assert found is not None
        assert found.id == person.id


@pytest.mark.parametrize("stored", addresses.spellings("ada@müller.example"))
@pytest.mark.parametrize("listed", ["ada@müller.example", "ADA@xn--mller-kva.example"])
def test_an_import_finds_whom_a_sign_in_added(org: UUID, stored: str, listed: str) -> None:
    add_member(org, email=stored)
    shoot_id = add_shoot(org).id
    lists.confirmed(org, shoot_id, f"email,first name,last name\n{listed},Ada,Example\n".encode())
    do_jobs(org, JobName.IMPORT_ROSTER)
    with transaction(org) as session:
        assert session.scalar(select(func.count()).select_from(Member)) == 1


@pytest.mark.parametrize(
    "written", ["İsmail@acme.example", "IŞIK@Acme.example", "ΟΔΥΣΣΕΥΣ@acme.example", "ẞ@Bücher.example"]
)
def test_letters_that_a_database_folds_otherwise_find_their_person(org: UUID, written: str) -> None:
    person = add_member(org, email=written)
    with transaction(org) as session:
        for asked in (written, addresses.folded(written), addresses.canonical(written)):
            found = members.by_email(session, asked)
            assert found is not None, asked
            assert found.id == person.id
        kept = session.get_one(Member, person.id).email
        assert kept == session.scalar(select(func.lower(Member.email)).where(Member.id == person.id))
