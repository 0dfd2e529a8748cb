"""The right engine for each person's consents, and nobody left waiting for one that does not come."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

import pytest
from conftest import add_member, add_participation, forget_process_state
from sealing import put, sealed
from sqlalchemy import select
from work import do_all_work

from compliance import consent as consents
from core import audit, gpu, progress
from core.clock import now
from core.consent import PAINTING, Purpose
from core.db import transaction
from core.ids import new_id
from core.models import (
    AuditEvent,
    EngineName,
    Kind,
    Member,
    Outbox,
    Participation,
    Photo,
    Shoot,
    State,
    Style,
)
from core.portraits import adapters, engines, submission, verdicts
from core.queue import JobName, Lane, lane_of
from core.shoots import shoots
from workers.diffusion.bases import BASES, INPAINTING
from workers.jobs import generate, train

EVERYTHING = tuple(Purpose)
NO_MODEL = (Purpose.PHOTO, Purpose.LIKENESS, Purpose.PAINT)


@pytest.fixture
def switched_on(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation that has an image model."""
    monkeypatch.setenv("HEADSHOTS_DIFFUSION_BASE", "klein")
    forget_process_state()


def add_person(
    org: UUID,
    purposes: Collection[Purpose] = EVERYTHING,
    *,
    first: str = "Ada",
    state: State = State.UPLOADING,
    engine: EngineName = EngineName.DIFFUSION,
    signs: tuple[str | None, ...] = (None, None),
) -> Participation:
    """Somebody with good photos: two, unless their signs are given."""
    participation = add_participation(org, add_member(org, first), state, engine=engine, purposes=purposes)
    with transaction(org) as session:
        for number, sign in enumerate(signs):
            file = put(
                session, b"x", kind=Kind.PHOTO, media_type="image/jpeg", member_id=participation.member_id
            )
            session.add(
                Photo(
                    id=new_id(),
                    org_id=org,
                    participation_id=participation.id,
                    member_id=participation.member_id,
                    artifact_id=file.id,
                    upload_key=f"photo-{number}",
                    verdict={"accepted": True, "phash": sign},
                    checked_at=now(),
                )
            )
    return participation


def submit(participation: Participation) -> None:
    with transaction(participation.org_id) as session:
        submission.submit(session, session.get_one(Participation, participation.id), actor=audit.SYSTEM)


def row_of(participation: Participation) -> Participation:
    with transaction(participation.org_id) as session:
        return session.get_one(Participation, participation.id)


def owed(participation: Participation) -> list[tuple[str, UUID]]:
    """The jobs that make pictures, as they were ordered, with their subjects."""
    making = (JobName.TRAIN, JobName.GENERATE, JobName.RENDER)
    with transaction(participation.org_id) as session:
        rows = session.scalars(select(Outbox).where(Outbox.job.in_(making)).order_by(Outbox.id))
        return [(row.job, row.subject_id) for row in rows]


def train_it(participation: Participation) -> None:
    """Keep an adapter, as the training would."""
    with transaction(participation.org_id) as session:
        adapters.store(
            session,
            session.get_one(Participation, participation.id),
            sealed(participation.org_id, b"weights", Kind.ADAPTER, participation.member_id),
            base="klein",
            revision="1",
            rank=4,
            steps=8,
            seed=1,
            photos=[],
            curve=[],
            seconds=1.0,
            watt_hours=None,
        )


def withdraw(participation: Participation, purpose: Purpose) -> None:
    with transaction(participation.org_id) as session:
        consents.withdraw(session, session.get_one(Member, participation.member_id), purpose)


@pytest.mark.parametrize(
    ("engine", "purposes", "job"),
    [
        (EngineName.DIFFUSION, EVERYTHING, JobName.TRAIN),
        (EngineName.DIFFUSION, NO_MODEL, JobName.GENERATE),
        (EngineName.DIFFUSION, (Purpose.PHOTO, Purpose.LIKENESS), JobName.RENDER),
        (EngineName.DIFFUSION, (Purpose.PHOTO,), JobName.RENDER),
        (EngineName.WARDROBE, (Purpose.PHOTO, Purpose.CLOTHES), JobName.GENERATE),
        (EngineName.WARDROBE, tuple(set(Purpose) - {Purpose.CLOTHES}), JobName.RENDER),
        (EngineName.STUDIO, EVERYTHING, JobName.RENDER),
    ],
)
def test_photos_go_where_engine_and_consents_say(
    org: UUID, switched_on: None, engine: EngineName, purposes: tuple[Purpose, ...], job: JobName
) -> None:
    person = add_person(org, purposes, engine=engine)
    submit(person)
    subject = person.shoot_id if job is JobName.GENERATE else person.id
    assert owed(person) == [(job, subject)]
    assert row_of(person).fallback_code is None
    seen = progress.read(person.id)
    assert (seen.step if seen else None) == (None if job is JobName.RENDER else "queued_gpu")


@pytest.mark.parametrize("purpose", sorted(PAINTING))
def test_what_paints_a_face_without_the_comparison_is_told_and_left_to_the_studio(
    org: UUID, switched_on: None, purpose: Purpose
) -> None:
    person = add_person(org, (Purpose.PHOTO, purpose))
    submit(person)
    assert owed(person) == [(JobName.RENDER, person.id)]
    assert row_of(person).fallback_code == engines.Fallback.NOT_COMPARED


@pytest.mark.parametrize(
    ("engine", "base", "more"),
    [
        (EngineName.STUDIO, "klein", ()),
        (EngineName.WARDROBE, "klein", (Purpose.CLOTHES,)),
        (EngineName.WARDROBE, "sdxl", ()),
        (EngineName.WARDROBE, "sdxl and inpainting", (Purpose.CLOTHES,)),
        (EngineName.WARDROBE, "", ()),
        (EngineName.DIFFUSION, "klein", (Purpose.PAINT, Purpose.ADAPTER)),
        (EngineName.DIFFUSION, "sdxl", (Purpose.ADAPTER,)),
        (EngineName.DIFFUSION, "z-image", (Purpose.ADAPTER,)),
        (EngineName.DIFFUSION, "", ()),
    ],
)
def test_a_shoot_asks_about_what_it_does_and_nothing_else(
    org: UUID,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    engine: EngineName,
    base: str,
    more: tuple[Purpose, ...],
) -> None:
    monkeypatch.setenv("HEADSHOTS_DIFFUSION_BASE", base.removesuffix(" and inpainting"))
    monkeypatch.setenv("HEADSHOTS_DIFFUSION_INPAINT_MODEL", "tiny" if "inpainting" in base else "")
    forget_process_state()
    person = add_participation(org, add_member(org), engine=engine)
    with transaction(org) as session:
        asked = engines.asks(session.get_one(Shoot, person.shoot_id))
    assert asked == (Purpose.PHOTO, Purpose.LIKENESS, *more)


def test_the_bases_that_can_be_shown_photos_are_known() -> None:
    assert {name for name, base in BASES.items() if base.references} == engines.SHOWS_PHOTOS
    assert {name for name, base in BASES.items() if base.repaints} == engines.REPAINTS
    assert set(INPAINTING) == engines.REPAINTED_FOR


def test_where_nothing_paints_clothes_who_agreed_reads_why_and_no_new_shoot_promises_any(
    org: UUID, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADSHOTS_DIFFUSION_BASE", "sdxl")
    forget_process_state()
    person = add_person(org, (Purpose.PHOTO, Purpose.CLOTHES), engine=EngineName.WARDROBE)
    submit(person)
    assert owed(person) == [(JobName.RENDER, person.id)]
    assert row_of(person).fallback_code == engines.Fallback.CLOTHES_OFF
    with transaction(org) as session, pytest.raises(shoots.ShootUnusable, match="does not paint clothes"):
        shoots.create(
            session,
            name="Dressed",
            style=session.get_one(Style, session.get_one(Shoot, person.shoot_id).style_id),
            deadline=now().date(),
            file_name="{employee_id}",
            engine=EngineName.WARDROBE,
            actor=audit.SYSTEM,
        )


def test_gpu_lane_carries_training_and_generating_only() -> None:
    on_gpu = {JobName.TRAIN, JobName.TRAIN_STYLE, JobName.GENERATE}
    assert {job for job in JobName if lane_of(job) is Lane.GPU} == on_gpu


def test_without_an_image_model_the_studio_takes_over_at_once(org: UUID, environment: dict[str, str]) -> None:
    person = add_person(org)
    submit(person)
    assert owed(person) == [(JobName.RENDER, person.id)]
    assert row_of(person).fallback_code == engines.Fallback.ENGINE_OFF
    with transaction(org) as session:
        told = session.scalars(select(AuditEvent).where(AuditEvent.tag == audit.Tag.ENGINE_FELL_BACK)).one()
        assert told.facts["reason"] == "engine_off"


@pytest.mark.parametrize("purposes", [EVERYTHING, NO_MODEL])
@pytest.mark.parametrize("signs", [(None,), ("0" * 16, "0" * 15 + "1")])
def test_with_one_shot_alone_nothing_is_learned_or_made_and_nobody_waits_for_a_gpu(
    org: UUID, switched_on: None, purposes: tuple[Purpose, ...], signs: tuple[str | None, ...]
) -> None:
    person = add_person(org, purposes, signs=signs)
    submit(person)
    assert owed(person) == [(JobName.RENDER, person.id)]
    assert row_of(person).fallback_code == engines.Fallback.TOO_FEW_PHOTOS


def test_a_photo_that_may_show_somebody_else_is_none_to_check_with(org: UUID, switched_on: None) -> None:
    person = add_person(org)
    with transaction(org) as session:
        photo = session.scalars(select(Photo).where(Photo.participation_id == person.id)).first()
        assert photo is not None
        photo.verdict = {"accepted": True, "issues": [{"code": verdicts.SOMEBODY_ELSE}]}
    submit(person)
    assert row_of(person).fallback_code == engines.Fallback.TOO_FEW_PHOTOS


def test_clothes_are_painted_on_one_photo(org: UUID, switched_on: None) -> None:
    person = add_person(org, (Purpose.PHOTO, Purpose.CLOTHES), engine=EngineName.WARDROBE, signs=(None,))
    submit(person)
    assert row_of(person).fallback_code is None


def test_sending_other_photos_ends_the_model_of_the_earlier_ones(org: UUID, switched_on: None) -> None:
    person = add_person(org)
    train_it(person)
    submit(person)
    with transaction(org) as session:
        assert adapters.live(session, person.id) is None


def test_parked_training_lets_the_studio_take_over_once(org: UUID, switched_on: None) -> None:
    person = add_person(org)
    submit(person)
    with transaction(org) as session:
        adapters.keep_checkpoint(
            session,
            session.get_one(Participation, person.id),
            sealed(org, b"half", Kind.CHECKPOINT, person.member_id),
        )
    for _ in range(2):
        with transaction(org) as session:
            train.failed(session, person.id, "RuntimeError")
    assert owed(person) == [(JobName.TRAIN, person.id), (JobName.RENDER, person.id)]
    after = row_of(person)
    assert (after.fallback_code, after.checkpoint_id) == ("RuntimeError", None)


def test_parked_generating_lets_the_studio_serve_whose_turn_it_was(org: UUID, switched_on: None) -> None:
    trained, training = add_person(org), add_person(org, first="Grace")
    with transaction(org) as session:
        session.get_one(Participation, training.id).shoot_id = trained.shoot_id
    submit(trained)
    submit(training)
    train_it(trained)
    with transaction(org) as session:
        assert [one.id for one in engines.waiting(session, trained.shoot_id)] == [trained.id]
        generate.failed(session, trained.shoot_id, "OutOfMemory")
    assert row_of(trained).fallback_code == "OutOfMemory"
    assert row_of(training).fallback_code is None


def test_who_refused_a_model_waits_for_generating_only(org: UUID, switched_on: None) -> None:
    person = add_person(org, NO_MODEL)
    submit(person)
    with transaction(org) as session:
        assert [one.id for one in engines.waiting(session, person.shoot_id)] == [person.id]


def test_withdrawing_the_model_while_it_trains_leaves_the_ways_that_need_none(
    org: UUID, switched_on: None
) -> None:
    person = add_person(org)
    submit(person)
    withdraw(person, Purpose.ADAPTER)
    with transaction(org) as session:
        train.failed(session, person.id, "consent_required")  # as the runner tells a job that met this
    assert owed(person)[1:] == [(JobName.GENERATE, person.shoot_id)]
    withdraw(person, Purpose.LIKENESS)
    with transaction(org) as session:
        engines.choose_again(session, session.get_one(Participation, person.id))
    assert owed(person)[2:] == [(JobName.RENDER, person.id)]
    assert row_of(person).fallback_code == engines.Fallback.CONSENT


def test_nobody_waits_longer_than_a_day_for_a_worker_that_does_not_run(org: UUID, switched_on: None) -> None:
    late, fresh = add_person(org), add_person(org, first="Grace")
    submit(late)
    submit(fresh)
    with transaction(org) as session:
        session.get_one(Participation, late.id).changed_at = now() - timedelta(hours=25)
    gpu.report("gpu-1", 0, 0)
    assert engines.end_waiting_all() == 0, "a worker runs: it will come to it"
    gpu.leave("gpu-1")
    assert engines.end_waiting_all() == 1
    assert row_of(late).fallback_code == engines.Fallback.NO_GPU_WORKER
    assert row_of(fresh).fallback_code is None


def test_worker_without_an_engine_passes_everybody_on(
    org: UUID, switched_on: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained, previewed = add_person(org), add_person(org, NO_MODEL, first="Grace")
    submit(trained)
    submit(previewed)
    with transaction(org) as session:
        rows = session.scalars(select(Outbox).where(Outbox.job == JobName.RENDER)).all()
        assert rows == []
    monkeypatch.delenv("HEADSHOTS_DIFFUSION_BASE")
    forget_process_state()
    do_all_work()
    assert row_of(trained).fallback_code == engines.Fallback.ENGINE_OFF
    assert row_of(previewed).fallback_code == engines.Fallback.ENGINE_OFF
    with transaction(org) as session:
        untried = select(Outbox).where(Outbox.done_at.is_(None), Outbox.first_failed_at.is_(None))
        assert session.scalars(untried).all() == []


def test_gpu_workers_are_known_until_they_leave(environment: dict[str, str]) -> None:
    assert gpu.alive() == []
    gpu.report("b/1", 4, 8)
    gpu.report("a/1", 1, 8)
    assert gpu.alive() == [gpu.GpuWorker("a/1", 1, 8), gpu.GpuWorker("b/1", 4, 8)]
    gpu.leave("a/1")
    assert [one.host for one in gpu.alive()] == ["b/1"]
