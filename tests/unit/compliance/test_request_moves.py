"""The states of a request: no way leads where none should, and each step stands in the log."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from conftest import add_member
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from compliance import erasure, farewells
from compliance.erasure import ErasureReason, LegalHold
from compliance.requests import answers, desk, metrics, moves, words
from compliance.requests.desk import Extension, Proof
from compliance.requests.refusals import Basis, offered
from compliance.requests.words import Words
from core import audit
from core.db import transaction
from core.errors import AppError
from core.models import AuditEvent, Channel, Erasure, Member, Right, Stage, SubjectRequest
from core.regimes import Regime
from core.vault import vault

Act = Callable[[Session, SubjectRequest, audit.Actor], None]


def refuse(decision: Stage) -> Act:
    def propose(session: Session, row: SubjectRequest, actor: audit.Actor) -> None:
        basis = next(iter(offered(Right(row.type), Regime(row.regime))))
        desk.propose_refusal(session, row, decision, basis, actor=actor)

    return propose


ACTS: dict[str, Act] = {
    "acknowledge": lambda session, row, actor: desk.acknowledge(session, row, actor=actor),
    "ask for proof": lambda session, row, actor: desk.ask_for_proof(session, row, actor=actor, said="How?"),
    "note proof": lambda session, row, actor: desk.note_proof(session, row, Proof.KNOWN, actor=actor),
    "start": lambda session, row, actor: desk.start(session, row, actor=actor),
    "extend": lambda session, row, actor: desk.extend(session, row, Extension.COMPLEX, actor=actor),
    "hold": lambda session, row, actor: desk.hold(session, row, Basis.LEGAL_CLAIMS, actor=actor),
    "lift": lambda session, row, actor: desk.lift(session, row, actor=actor),
    "propose to deny": refuse(Stage.DENIED),
    "propose to meet in part": refuse(Stage.PARTLY),
    "drop the proposal": lambda session, row, actor: desk.withdraw_proposal(session, row, actor=actor),
    "confirm the refusal": lambda session, row, actor: desk.confirm_refusal(
        session, row, desk.proposal_of(session, row), actor=actor
    ),
    "fulfil": lambda session, row, actor: answers.fulfil(session, row, actor=actor),
    "cancel": lambda session, row, actor: desk.cancel(session, row, actor=actor),
    "close": lambda session, row, actor: desk.close(session, row, actor=actor),
}


BEGUN = ("acknowledge", "note proof", "start")
BEGINNINGS = ((), ("cancel",), BEGUN, (*BEGUN, "propose to deny"), (*BEGUN, "hold"), (*BEGUN, "fulfil"))


class Undone(Exception):
    """Takes back what a try did."""


def state_of(row: SubjectRequest) -> dict[str, Any]:
    return {one.key: getattr(row, one.key) for one in inspect(SubjectRequest).columns}


def open_one(
    session: Session, member: Member | None, right: Right = Right.ACCESS, **more: Any
) -> SubjectRequest:
    return desk.open_for(
        session,
        right,
        Channel.HR,
        member=member,
        asked=Words(address="ada@home.example", name="Ada", text="Please."),
        language="en",
        actor=audit.SYSTEM,
        **more,
    )


@pytest.fixture
def staff(org: UUID) -> list[audit.Actor]:
    """Two who answer requests."""
    return [audit.actor_for(add_member(org, name, role="hr_admin")) for name in ("Robin", "Sam")]


def test_no_way_leads_to_a_state_that_may_not_be(org: UUID, member: Member, staff: list[audit.Actor]) -> None:
    seen: set[Stage] = set()

    @settings(max_examples=40, suppress_health_check=list(HealthCheck))
    @given(
        some.sampled_from(list(Right)),
        some.booleans(),
        some.sampled_from(BEGINNINGS),
        some.lists(some.tuples(some.sampled_from(sorted(ACTS)), some.integers(0, 1)), max_size=14),
    )
    def tries(right: Right, known: bool, begun: tuple[str, ...], acts: list[tuple[str, int]]) -> None:
        with suppress(Undone), transaction(org) as session:
            row = open_one(session, session.get_one(Member, member.id) if known else None, right)
            for name, who in [*((one, 0) for one in begun), *acts]:
                before, proposer = state_of(row), row.proposed_by
                try:
                    ACTS[name](session, row, staff[who])
                except AppError:
                    assert state_of(row) == before, f"{name} was refused, and changed something"
                    continue
                assert len(row.events) > len(before["events"]), f"{name} left nothing in the log"
                after = Stage(row.state)
                seen.add(after)
                if after != before["state"]:
                    assert after in moves.MOVES[Stage(before["state"])]
                if after in moves.REFUSALS and before["state"] != after:
                    assert proposer is not None
                    assert proposer != staff[who].member_id
                    assert row.basis in offered(right, Regime(row.regime))
                if after is Stage.IN_PROGRESS and right not in desk.clocks.STOPS:
                    assert row.verified
                if after is Stage.FULFILLED and right is Right.ERASURE and known:
                    assert row.erasure_id is not None
                if after is Stage.CLOSED:
                    assert row.sealed is None
            told = session.scalars(select(AuditEvent).where(AuditEvent.id.in_(row.events))).all()
            assert len(told) == len(row.events)
            steps = [one.facts for one in told if one.tag == audit.Tag.REQUEST_MOVED]
            assert [one["before"] for one in steps[1:]] == [one["after"] for one in steps[:-1]]
            assert not steps or steps[-1]["after"] == row.state
            raise Undone

    tries()
    assert {Stage.ACKNOWLEDGED, Stage.IN_PROGRESS, Stage.CANCELLED, Stage.FULFILLED} <= seen


def walk(session: Session, row: SubjectRequest, *names: str, by: audit.Actor) -> None:
    for name in names:
        ACTS[name](session, row, by)


def test_a_refusal_takes_two(org: UUID, member: Member, staff: list[audit.Actor]) -> None:
    with transaction(org) as session:
        row = open_one(session, session.get_one(Member, member.id))
        walk(session, row, *BEGUN, "propose to deny", by=staff[0])
        with pytest.raises(desk.SamePerson):
            desk.confirm_refusal(session, row, desk.proposal_of(session, row), actor=staff[0])
        assert row.state == Stage.IN_PROGRESS
        desk.confirm_refusal(session, row, desk.proposal_of(session, row), actor=staff[1])
        assert (row.state, row.decision) == (Stage.DENIED, "denied")


def test_an_erasure_waits_for_a_legal_hold(org: UUID, member: Member, staff: list[audit.Actor]) -> None:
    def erase(session: Session, reason: ErasureReason) -> None:
        person = session.get_one(Member, member.id)
        erasure.request(session, person, reason=reason, actor=staff[0], language="en")

    with transaction(org) as session:
        row = open_one(session, session.get_one(Member, member.id), Right.ERASURE)
        request_id = row.id
        walk(session, row, *BEGUN, "hold", by=staff[0])
    for reason in (ErasureReason.SELF_SERVICE, ErasureReason.EMPLOYER_REQUEST, ErasureReason.LEFT_COMPANY):
        with pytest.raises(LegalHold), transaction(org) as session:
            erase(session, reason)
    with transaction(org) as session:
        assert session.get_one(Member, member.id).erased_at is None
        row = moves.get(session, request_id)
        with pytest.raises(moves.NotAllowed):
            answers.fulfil(session, row, actor=staff[0])
        walk(session, row, "lift", "fulfil", by=staff[0])
        assert row.state == Stage.FULFILLED
        assert row.erasure_id is not None
    with transaction(org) as session:
        assert session.get_one(Member, member.id).erased_at is not None
        assert words.read(moves.get(session, request_id)) == Words()


def test_what_was_written_is_sealed_and_forgotten_in_the_end(
    org: UUID, member: Member, staff: list[audit.Actor]
) -> None:
    with transaction(org) as session:
        known = open_one(session, session.get_one(Member, member.id))
        unknown = open_one(session, None)
        assert words.read(known).text == words.read(unknown).text == "Please."
        assert b"Please" not in (known.sealed or b"") + (unknown.sealed or b"")
        assert vault().keys.among([known.id, unknown.id]) == {unknown.id}
        ids = known.id, unknown.id
    with transaction(org) as session:
        for request_id in ids:
            walk(session, moves.get(session, request_id), "cancel", "close", by=staff[0])
    with transaction(org) as session:
        assert [words.read(moves.get(session, one)) for one in ids] == [Words(), Words()]
    assert vault().keys.among(list(ids)) == set()


@pytest.mark.parametrize("right", [Right.ACCESS, Right.ERASURE])
def test_two_who_answer_at_once_answer_once(
    org: UUID, member: Member, staff: list[audit.Actor], right: Right
) -> None:
    with transaction(org) as session:
        row = open_one(session, session.get_one(Member, member.id), right)
        walk(session, row, *BEGUN, by=staff[0])
    both = Barrier(2)

    def answered(actor: audit.Actor) -> bool:
        with suppress(moves.NotAllowed), transaction(org) as session:
            found = moves.get(session, row.id)
            both.wait(timeout=20)
            answers.fulfil(session, found, actor=actor)
            return True
        return False

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(answered, staff)) == [False, True]
    with transaction(org) as session:
        found = moves.get(session, row.id)
        steps = [
            event.facts
            for event in session.scalars(select(AuditEvent).where(AuditEvent.id.in_(found.events)))
        ]
        assert [one["after"] for one in steps if "after" in one].count(Stage.FULFILLED) == 1


def test_what_is_corrected_is_nobody_elses_and_what_was_denied_lifts_nothing(
    org: UUID, member: Member, staff: list[audit.Actor]
) -> None:
    add_member(org, "Grace", employee_id="E7")
    with transaction(org) as session:
        person = session.get_one(Member, member.id)
        row = open_one(session, person, Right.RECTIFICATION)
        walk(session, row, *BEGUN, by=staff[0])
        with pytest.raises(answers.EmployeeIdTaken):
            answers.correct(session, row, {"employee_id": "E7"}, actor=staff[0])
        restricting, denied = (open_one(session, person, Right.RESTRICTION) for _ in range(2))
        walk(session, restricting, *BEGUN, "fulfil", by=staff[0])
        walk(session, denied, *BEGUN, "propose to deny", by=staff[0])
        with pytest.raises(moves.NotAllowed):  # the one that waits stays what its reader saw
            walk(session, denied, "propose to meet in part", by=staff[0])
        walk(session, denied, "confirm the refusal", by=staff[1])
        with pytest.raises(moves.NotAllowed):
            answers.unrestrict(session, denied, actor=staff[0])
        answers.unrestrict(session, restricting, actor=staff[0])


def test_what_somebody_asked_ends_with_their_erasure(
    org: UUID, member: Member, staff: list[audit.Actor]
) -> None:
    with transaction(org) as session:
        person = session.get_one(Member, member.id)
        rows = [open_one(session, person, right) for right in (Right.ACCESS, Right.ERASURE)]
        walk(session, rows[1], *BEGUN, "fulfil", by=staff[0])
        assert [row.state for row in rows] == [Stage.CANCELLED, Stage.FULFILLED]
        assert rows[0].decided_at is not None


@pytest.mark.parametrize(("done", "left"), [((), False), (BEGUN, False), (BEGUN[:1], True)])
def test_an_erasure_meets_the_request_for_it_whoever_presses(
    org: UUID, member: Member, staff: list[audit.Actor], done: tuple[str, ...], left: bool
) -> None:
    reason = ErasureReason.LEFT_COMPANY if left else ErasureReason.EMPLOYER_REQUEST
    actor = audit.SYSTEM if left else staff[0]
    with transaction(org) as session:
        person = session.get_one(Member, member.id)
        other, asked = (open_one(session, person, right) for right in (Right.ACCESS, Right.ERASURE))
        walk(session, asked, *done, by=staff[0])
        erasure.request(session, person, reason=reason, actor=actor, language="en")
        ids = other.id, asked.id
    with transaction(org) as session:
        other, asked = (moves.get(session, one) for one in ids)
        assert (other.state, asked.state, asked.decision) == (Stage.CANCELLED, Stage.FULFILLED, "fulfilled")
        erased = session.scalars(select(Erasure)).one()
        assert (asked.erasure_id, erased.reason) == (erased.id, ErasureReason.SELF_SERVICE)
        assert farewells.of(session, erased.id) is not None, "whom others erase is told, asked or not"
        year = metrics.of_year(session, asked.received_at.year, of_people=False)
        (figures,) = (one for one in year if one.right is Right.ERASURE)
        assert (figures.received, figures.complied) == (1, 1)


def test_nobody_is_said_to_have_asked_for_an_erasure_who_did_not(org: UUID, member: Member) -> None:
    with transaction(org) as session:
        person = session.get_one(Member, member.id)
        open_one(session, person)
        reason = ErasureReason.EMPLOYER_REQUEST
        erasure.request(session, person, reason=reason, actor=audit.SYSTEM, language="en")
        assert session.scalars(select(Erasure.reason)).one() == reason
