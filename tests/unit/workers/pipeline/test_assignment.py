"""Consent asked again before anything of a person's work is kept."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pytest
from conftest import add_participation
from sealing import put
from seen import add_photo
from sqlalchemy import select

from compliance import consent as consents
from core import audit
from core.checks.report import LOOK_ALIKE, Gate, GateName, GateReport
from core.clock import now
from core.consent import ConsentRequired, Purpose
from core.db import transaction
from core.ids import new_id
from core.models import (
    Artifact,
    AuditEvent,
    EngineName,
    Headshot,
    Kind,
    Member,
    Participation,
    Photo,
    State,
    Style,
)
from core.people import consents as answers
from core.portraits import edits
from core.style.spec import StyleSpec, Variants
from core.style.variants import Variant
from workers.pipeline import assignment
from workers.pipeline.assignment import Assignment
from workers.pipeline.render import Headshot as Made
from workers.pipeline.render import RenderResult, Withheld

NEEDS = [
    frozenset({Purpose.PHOTO}),
    frozenset({Purpose.PHOTO, Purpose.CLOTHES}),
    frozenset({Purpose.PHOTO, Purpose.LIKENESS, Purpose.PAINT}),
    assignment.MODEL,
]


@pytest.fixture
def waiting(org: UUID, member: Member) -> Participation:
    """Somebody with one accepted photo, who agreed to everything."""
    row = add_participation(org, member, State.SUBMITTED, purposes=list(Purpose))
    with transaction(org) as session:
        kept = put(session, b"photo", kind=Kind.PHOTO, media_type="image/jpeg", member_id=member.id)
        session.add(
            Photo(
                id=new_id(),
                org_id=org,
                participation_id=row.id,
                member_id=member.id,
                artifact_id=kept.id,
                upload_key="one",
                verdict={"accepted": True, "issues": []},
                checked_at=now(),
            )
        )
    return row


def begin(waiting: Participation, needs: frozenset[Purpose]) -> Assignment:
    with transaction(waiting.org_id) as session:
        planned = assignment.begin(session, waiting.id, needs)
    assert planned is not None
    return assignment.read(planned)


def withdraw(waiting: Participation, purpose: Purpose) -> None:
    with transaction(waiting.org_id) as session:
        consents.withdraw(session, session.get_one(Member, waiting.member_id), purpose)


def keep(waiting: Participation, work: Assignment, photo_id: str | None = None) -> None:
    """Keep a result of the only photo, or of another, whose report says everything that can be measured."""
    photo_id = photo_id or work.photos[0][0]
    gate = Gate(value=0.1, unit="", limit=1.0, passed=True, why="")
    report = GateReport(
        passed=True, gates=dict.fromkeys(GateName, gate), figures={}, notes=("off_centre", LOOK_ALIKE)
    )
    made = Made(photo_id, np.zeros((8, 8, 3), np.uint8), report, 1.0)
    result = RenderResult((made,), (), {}, {})
    sealed = assignment.seal(waiting.org_id, work, result)
    with transaction(waiting.org_id) as session:
        assert assignment.keep(session, work, result, sealed, engine=EngineName.STUDIO, seconds=1.0)


def results(waiting: Participation) -> list[Headshot]:
    with transaction(waiting.org_id) as session:
        rows = list(session.scalars(select(Headshot)))
        held = session.scalars(select(Artifact.id).where(Artifact.kind == Kind.HEADSHOT)).all()
    assert sorted(held) == sorted(row.artifact_id for row in rows if row.artifact_id)
    return rows


@pytest.mark.parametrize("needs", NEEDS, ids=lambda one: "+".join(sorted(one)))
@pytest.mark.parametrize("purpose", list(Purpose))
def test_nothing_is_kept_whose_consent_was_taken_back_while_it_was_made(
    waiting: Participation, needs: frozenset[Purpose], purpose: Purpose
) -> None:
    work = begin(waiting, needs)
    withdraw(waiting, purpose)
    if purpose in needs:
        with pytest.raises(ConsentRequired):
            keep(waiting, work)
        assert results(waiting) == []
    else:
        keep(waiting, work)
        assert len(results(waiting)) == 1


@pytest.mark.parametrize("needs", NEEDS, ids=lambda one: "+".join(sorted(one)))
@pytest.mark.parametrize("purpose", list(Purpose))
def test_no_work_begins_without_what_it_needs(
    waiting: Participation, needs: frozenset[Purpose], purpose: Purpose
) -> None:
    withdraw(waiting, purpose)
    with transaction(waiting.org_id) as session:
        agreed = answers.agreed(session, waiting.member_id)
    if needs <= agreed:
        assert begin(waiting, needs).consent.purposes == agreed
    else:
        with pytest.raises(ConsentRequired):
            begin(waiting, needs)
    assert purpose not in agreed


def test_figures_of_comparing_faces_go_with_that_consent_before_or_after_they_are_kept(
    waiting: Participation,
) -> None:
    first = begin(waiting, frozenset({Purpose.PHOTO}))
    keep(waiting, first)
    (before,) = results(waiting)
    assert set(before.gates["gates"]) == set(GateName)
    assert LOOK_ALIKE in before.notes
    withdraw(waiting, Purpose.LIKENESS)
    keep(waiting, first)
    compared = {"likeness", "held_out", "nearest", "copy_paste", "face_shape"}
    for row in results(waiting):
        assert set(row.gates["gates"]) == set(GateName) - compared
        assert row.gates["passed"] is True
        assert row.notes == ("off_centre",)


def test_who_declined_meanwhile_gets_nothing_kept(waiting: Participation) -> None:
    work = begin(waiting, frozenset({Purpose.PHOTO}))
    with transaction(waiting.org_id) as session:
        session.get_one(Participation, waiting.id).state = State.DECLINED
        assert not assignment.keep(
            session, work, RenderResult((), (), {}, {}), [], engine=EngineName.STUDIO, seconds=1.0
        )
        assert session.scalars(select(Headshot)).all() == []
        assert audit.Tag.HEADSHOTS_RENDERED not in session.scalars(select(AuditEvent.tag)).all()


@pytest.mark.parametrize(
    ("engines", "shown", "runs"),
    [
        ((EngineName.STUDIO, EngineName.STUDIO), (True, True), [1, 2]),
        ((EngineName.DIFFUSION, EngineName.STUDIO), (False, True), [1, 1]),
        ((EngineName.DIFFUSION, EngineName.STUDIO), (True, True), [1, 2]),
        ((EngineName.STUDIO, EngineName.STUDIO), (False, True), [1, 2]),
    ],
    ids=["other photos", "takes over", "another time by another engine", "failed and tried again"],
)
def test_a_run_ends_with_something_to_see_or_with_other_photos(
    waiting: Participation, engines: tuple[EngineName, ...], shown: tuple[bool, ...], runs: list[int]
) -> None:
    work = begin(waiting, frozenset({Purpose.PHOTO}))
    ((photo_id, _),) = work.photos
    made = Made(photo_id, np.zeros((8, 8, 3), np.uint8), GateReport(passed=True, gates={}, figures={}), 1.0)
    for engine, seen in zip(engines, shown, strict=True):
        result = (
            RenderResult((made,), (), {}, {})
            if seen
            else RenderResult((), (Withheld(photo_id, "gates", None),), {}, {})
        )
        sealed = assignment.seal(waiting.org_id, work, result)
        with transaction(waiting.org_id) as session:
            assert assignment.keep(session, work, result, sealed, engine=engine, seconds=1.0)
    assert [row.run for row in sorted(results(waiting), key=lambda row: row.created_at)] == runs


def test_what_its_person_did_not_like_is_passed_over(waiting: Participation) -> None:
    other = add_photo(waiting.org_id, waiting, "two", phash="f" * 16)
    work = begin(waiting, NEEDS[0])
    assert work.passed_over == frozenset()
    keep(waiting, work, str(other.id))
    with transaction(waiting.org_id) as session:
        session.scalars(select(Headshot)).one().rejected_code = "hair"
        session.get_one(Participation, waiting.id).state = State.SUBMITTED
    again = begin(waiting, NEEDS[0])
    assert again.passed_over == {str(other.id)}
    assert len(again.photos) == 2, "all of them are checked and compared with"


def test_an_edit_that_does_not_pass_leaves_what_was_there(waiting: Participation) -> None:
    work = begin(waiting, NEEDS[0])
    keep(waiting, work)
    nothing = RenderResult((), (Withheld(work.photos[0][0], "gates", None),), {}, {})
    with transaction(waiting.org_id) as session:
        assignment.finished(session, waiting.id, nothing, edited=True)
        assert session.get_one(Participation, waiting.id).state == State.READY


def test_what_was_asked_for_is_made_of_its_own_photo_alone(waiting: Participation) -> None:
    add_photo(waiting.org_id, waiting, "two", phash="f" * 16)
    work = begin(waiting, NEEDS[0])
    keep(waiting, work)
    with transaction(waiting.org_id) as session:
        made = session.scalars(select(Headshot)).one()
        style = session.get_one(Style, made.style_id)
        style.spec = StyleSpec(variants=Variants(edits=True)).model_dump(mode="json")
        participation = session.get_one(Participation, waiting.id)
        participation.state = State.READY
        edits.ask(session, participation, made, closer=-1, lighter=0, actor=audit.SYSTEM)
    again = begin(waiting, NEEDS[0])
    assert again.edit == Variant(closer=-0.06)
    assert again.passed_over == {key for key, _ in again.photos} - {work.photos[0][0]}
