"""Locks: one order, names for the advisory ones, and one place where what lost is done again."""

from __future__ import annotations

import io
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from uuid import UUID

import pytest
from conftest import add_member
from flask import Flask, flash, get_flashed_messages, request
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core import locks
from core.db import engine, transaction
from core.ids import new_id
from core.models import Member
from core.web.app import create_app

ROOT = Path(__file__).resolve().parents[3]


def test_every_space_has_locks_of_its_own() -> None:
    subject = new_id().bytes
    numbers = {locks.number(space, about) for space in locks.Space for about in (subject, b"", b"other")}
    assert len(numbers) == 3 * len(locks.Space)
    assert all(-(2**63) <= one < 2**63 for one in numbers)


def test_an_advisory_lock_is_taken_by_one_and_freed_with_its_connection(org: UUID) -> None:
    with engine().connect() as mine, engine().connect() as other:
        assert locks.take(mine, locks.Space.WORK, org.bytes)
        assert not locks.take(other, locks.Space.WORK, org.bytes)
        assert locks.take(other, locks.Space.LOG, org.bytes)
        mine.invalidate()
        other.invalidate()


def test_what_is_known_of_a_person_is_read_anew_once_they_are_locked(org: UUID, member: Member) -> None:
    with transaction(org) as session:
        known = session.get_one(Member, member.id)
        with transaction(org) as other:
            other.get_one(Member, member.id).department = "Ships"
        assert known.department is None
        locks.person(session, member.id)
        assert known.department == "Ships"


def test_people_are_not_locked_one_after_the_other_against_the_order(org: UUID) -> None:
    first, second = sorted(add_member(org, name).id for name in ("Ada", "Bob"))
    with transaction(org) as session:
        locks.person(session, second)
        with pytest.raises(AssertionError):
            locks.person(session, first)


class Rivals:
    """Two people locked by two transactions against each other, on the first try of each only."""

    def __init__(self, org: UUID) -> None:
        self.org = org
        self.people = [add_member(org, name).id for name in ("Ada", "Bob")]
        self.met = Barrier(2, timeout=20)
        self.tries = [0, 0]

    def work(self, mine: int) -> int:
        """Lock one, wait for the rival, lock the other; return at which try that went well."""
        self.tries[mine] += 1
        with transaction(self.org) as session:
            self._touch(session, self.people[mine])
            if self.tries[mine] == 1:
                self.met.wait()
            self._touch(session, self.people[1 - mine])
        return self.tries[mine]

    @staticmethod
    def _touch(session: Session, member_id: UUID) -> None:
        session.execute(select(Member.id).where(Member.id == member_id).with_for_update(key_share=True))


def test_a_transaction_that_lost_a_deadlock_is_done_again(org: UUID) -> None:
    rivals = Rivals(org)
    with ThreadPoolExecutor(2) as pool:
        tried = list(pool.map(lambda mine: locks.again(lambda: rivals.work(mine)), range(2)))
    assert sorted(tried) == [1, 2]


def test_giving_up_comes_after_a_few_tries_and_at_once_for_another_reason(org: UUID) -> None:
    tries = []

    def always(code: str) -> None:
        tries.append(code)
        with transaction(org) as session:
            session.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$"))

    for code in ("40001", "23505"):
        with pytest.raises(DBAPIError):
            locks.again(lambda code=code: always(code))
    assert tries.count("40001") == 5
    assert tries.count("23505") == 1


def test_a_page_whose_transaction_lost_runs_again_on_the_same_request(org: UUID) -> None:
    rivals = Rivals(org)
    app: Flask = create_app("portal", "portal")
    app.config["WTF_CSRF_ENABLED"] = False

    @app.post("/rival/<int:mine>")
    def rival(mine: int) -> dict[str, object]:
        flash("once")
        content = request.files["photo"].read()
        tried = rivals.work(mine)
        return {"tried": tried, "content": content.decode(), "flashed": get_flashed_messages()}

    def send(mine: int) -> dict[str, object]:
        answer = app.test_client().post(
            f"/rival/{mine}", data={"photo": (io.BytesIO(b"a whole photo"), "a.jpg")}
        )
        assert answer.status_code == 200
        return dict(answer.json)

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(send, range(2)))
    assert sorted(answer["tried"] for answer in answers) == [1, 2]
    for answer in answers:
        assert answer["content"] == "a whole photo"
        assert answer["flashed"] == ["once"]


def written(pattern: re.Pattern[str]) -> dict[str, list[str]]:
    """Return where the product's code says it, by file."""
    found = {
        path.relative_to(ROOT).as_posix(): [one[0] for one in pattern.finditer(path.read_text("utf-8"))]
        for folder in ("core", "compliance", "workers", "portal", "admin", "sso", "deploy")
        for path in (ROOT / folder).rglob("*.py")
    }
    return {name: said for name, said in found.items() if said}


def test_rows_of_people_and_advisory_locks_are_locked_in_one_place() -> None:
    people = "Member|Participation|Photo|Headshot|Consent|Invite|WebSession"
    by_hand = re.compile(
        rf"pg_(try_)?advisory|select\(({people})\b[^)]*\)(?:(?!select\()[\s\S]){{0,300}}?with_for_update"
        r"|refresh\((member|participation|photo|headshot)\b[^)]*with_for_update"
    )
    assert written(by_hand).keys() == {"core/locks.py"}


def test_only_an_erasure_locks_the_key_of_a_row() -> None:
    """`FOR UPDATE` makes whoever inserts a row that points at the locked one wait; nobody else needs that."""
    strong = re.compile(r"with_for_update(=True|\(\)|=\{\}|\((?![^)]*(key_share|read)=True)[^)]*\))")
    assert written(strong) == {"core/locks.py": ["with_for_update()"]}


def test_what_lost_a_race_is_done_again_in_one_place() -> None:
    assert written(re.compile(r"40P01|40001|[dD]eadlockDetected|SerializationFailure")).keys() == {
        "core/locks.py"
    }
