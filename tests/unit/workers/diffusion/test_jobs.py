"""A person's way through the image model: real queue, database, vault and pictures, small random models."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

pytest.importorskip("torch", reason="needs torch, diffusers and peft: make setup-gpu")

import structlog
from conftest import add_member, add_participation, add_shoot, forget_process_state
from learning import style_picture
from sealing import got, opened, put, sealed
from sqlalchemy import select
from work import do_all_work, do_jobs

from compliance import consent as consents
from core import audit
from core.brand import look_reading, look_training, looks, styles
from core.brand.looks import Standing
from core.clock import now
from core.consent import Purpose
from core.db import transaction
from core.ids import new_id
from core.models import (
    Adapter,
    Artifact,
    EngineName,
    Headshot,
    Kind,
    Look,
    Member,
    Participation,
    Photo,
    Shoot,
    State,
    Style,
)
from core.portraits import adapters, engines, photos, submission
from core.queue import JobName
from core.style.spec import StyleSpec
from core.vault import vault
from workers.diffusion.adapters import Facts, from_bytes, to_bytes
from workers.diffusion.engine import references
from workers.diffusion.resident import resident
from workers.diffusion.sample import REFERENCES, Request, Sampler
from workers.diffusion.train import Trainer
from workers.folder.sample import sample_people
from workers.jobs import generate, train
from workers.vision.check import check

FILES = sample_people()["eileen"]
TRIES = 2  # pictures of one person: each is judged, which takes a second


@pytest.fixture
def tiny_worker(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("HEADSHOTS_DIFFUSION_BASE", "klein")
    monkeypatch.setenv("HEADSHOTS_DIFFUSION_TRAIN_MODEL", "tiny")
    monkeypatch.setenv("HEADSHOTS_DIFFUSION_SAMPLE_MODEL", "tiny")
    monkeypatch.setattr("workers.diffusion.engine.DiffusionEngine.tries", TRIES)
    monkeypatch.setattr("workers.diffusion.engine.DiffusionEngine.at_once", TRIES)
    monkeypatch.setattr("workers.diffusion.learn._JUDGED_BY", TRIES)
    monkeypatch.setattr(train, "_ASK_EVERY", 0.0)
    forget_process_state()
    yield
    resident.cache_clear()


MODELLED = tuple(set(Purpose) - {Purpose.PAINT})
SHOWN = (Purpose.PHOTO, Purpose.LIKENESS, Purpose.PAINT)
DRESSED = (Purpose.PHOTO, Purpose.CLOTHES)


def add_person(
    org: UUID,
    first: str = "Ada",
    *,
    purposes: tuple[Purpose, ...] = tuple(Purpose),
    files: Any = FILES,
    engine: EngineName = EngineName.DIFFUSION,
) -> Participation:
    person = add_participation(org, add_member(org, first), State.UPLOADING, engine=engine, purposes=purposes)
    with transaction(org) as session:
        agreed = consents.require(session, person.member_id)
        for name, content in files:
            kept = put(session, content, kind=Kind.PHOTO, media_type="image/jpeg", member_id=person.member_id)
            session.add(
                Photo(
                    id=new_id(),
                    org_id=org,
                    participation_id=person.id,
                    member_id=person.member_id,
                    artifact_id=kept.id,
                    upload_key=name,
                    verdict=check(content, agreed).model_dump(mode="json"),
                    checked_at=now(),
                )
            )
        session.flush()
        submission.submit(session, session.get_one(Participation, person.id), actor=audit.SYSTEM)
    return person


def row_of(person: Participation) -> Participation:
    with transaction(person.org_id) as session:
        return session.get_one(Participation, person.id)


def headshots_of(person: Participation, engine: str) -> list[Headshot]:
    with transaction(person.org_id) as session:
        rows = session.scalars(
            select(Headshot).where(Headshot.participation_id == person.id, Headshot.engine == engine)
        )
        return list(rows)


def held(org: UUID, *kinds: Kind) -> list[Artifact]:
    """What of these kinds can still be opened."""
    with transaction(org) as session:
        wanted = select(Artifact).where(Artifact.kind.in_(kinds), Artifact.delete_requested_at.is_(None))
        return list(session.scalars(wanted))


def test_noise_is_refused_and_the_studio_takes_over_with_everything_on_record(
    org: UUID, tiny_worker: None
) -> None:
    person = add_person(org)
    do_all_work()
    after = row_of(person)
    assert after.state == State.READY
    assert after.fallback_code == engines.Fallback.TOO_FEW_PASSED
    assert after.gpu_seconds > 0
    made = headshots_of(person, "diffusion")
    assert len(made) == TRIES, "the budget"
    assert all(one.withheld_code and one.artifact_id is None for one in made), "nobody sees one"
    assert len({one.seed for one in made}) == TRIES
    assert any(one.artifact_id for one in headshots_of(person, "studio"))
    with transaction(org) as session:
        adapter = adapters.live(session, person.id)
        assert adapter is not None
        assert {one.adapter_id for one in made} == {adapter.id}
        content = got(session, adapter.artifact_id)
        sent = {str(photo.id) for photo in photos.of_participation(session, person.id)}
    known = from_bytes(content, base="klein", revision="tiny-1")
    assert set(known.facts.photos) | set(known.facts.held_out) == sent
    assert known.facts.photos
    assert known.facts.held_out
    assert not set(known.facts.photos) & set(known.facts.held_out)
    assert adapter.photos == list(known.facts.photos)
    assert [point.step for point in known.facts.curve] == [12, 16, 20, 24]
    assert held(org, Kind.CHECKPOINT) == []


def test_a_trained_person_of_whom_nothing_is_left_to_compare_with_gets_no_picture_made(
    org: UUID, tiny_worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = add_person(org)
    do_jobs(org, JobName.TRAIN)
    with transaction(org) as session:
        adapter = adapters.live(session, person.id)
        assert adapter is not None
        known = from_bytes(got(session, adapter.artifact_id), base="klein", revision="tiny-1")
        for photo in photos.of_participation(session, person.id):
            if str(photo.id) in known.facts.held_out:
                photo.verdict = {**(photo.verdict or {}), "accepted": False}
    made: list[object] = []
    monkeypatch.setattr(Sampler, "sample", lambda _self, requests: made.append(requests) or iter(()))
    do_all_work()
    assert made == []
    assert row_of(person).fallback_code == engines.Fallback.TOO_FEW_PHOTOS
    assert headshots_of(person, "diffusion") == []
    assert row_of(person).state not in (State.SUBMITTED, State.RENDERING), "and the studio had its turn"


@pytest.mark.slow
def test_colleagues_share_a_batch_and_one_without_photos_costs_the_others_nothing(
    org: UUID, tiny_worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [add_person(org, "Ada"), add_person(org, "Bob", files=FILES[:1])]
    shoot_id = people[0].shoot_id
    with transaction(org) as session:
        session.get_one(Participation, people[1].id).shoot_id = shoot_id
    do_all_work()
    one, other = (row_of(person) for person in people)
    assert one.fallback_code == engines.Fallback.TOO_FEW_PASSED
    assert other.fallback_code == engines.Fallback.TOO_FEW_PHOTOS
    assert one.state == other.state == State.READY


def test_who_agrees_to_be_painted_but_not_to_a_model_is_shown_and_not_trained(
    org: UUID, tiny_worker: None
) -> None:
    person = add_person(org, purposes=SHOWN)
    do_all_work()
    assert row_of(person).state == State.READY
    made = headshots_of(person, "diffusion")
    assert len(made) == TRIES
    assert all(one.adapter_id is None for one in made)
    with transaction(org) as session:
        assert session.scalars(select(Adapter)).all() == []


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many photos the base saw in each pass."""
    counts: list[int] = []
    sample = Sampler.sample

    def listed(self: Sampler, requests: Any, references: Any = ()) -> Any:
        counts.append(len(references))
        return sample(self, requests, references)

    monkeypatch.setattr(Sampler, "sample", listed)
    return counts


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """What was logged, as an operator reads it."""
    monkeypatch.setenv("HEADSHOTS_LOG_LEVEL", "INFO")
    forget_process_state()
    structlog.reset_defaults()
    yield lambda: capsys.readouterr().err
    structlog.reset_defaults()


def test_who_agrees_to_both_is_trained_and_shown_the_photos_that_train(
    org: UUID, tiny_worker: None, seen: list[int], said: Callable[[], str]
) -> None:
    person = add_person(org)
    do_jobs(org, JobName.TRAIN)
    assert set(seen) == {0}, "checkpoints are judged without"
    seen.clear()
    do_all_work()
    made = headshots_of(person, "diffusion")
    assert len(made) == TRIES
    assert all(one.adapter_id is not None for one in made)
    with transaction(org) as session:
        adapter = adapters.live(session, person.id)
        assert adapter is not None
        trained_on = len(adapter.photos)
    assert set(seen) == {min(trained_on, REFERENCES)}
    assert "adapter_alone" not in said()


@pytest.mark.slow
def test_a_model_alone_makes_the_pictures_of_who_did_not_agree_to_be_shown_and_the_log_says_so(
    org: UUID, tiny_worker: None, seen: list[int], said: Callable[[], str]
) -> None:
    person = add_person(org, purposes=MODELLED)
    do_all_work()
    assert len(headshots_of(person, "diffusion")) == TRIES
    assert set(seen) == {0}
    (told,) = [json.loads(line) for line in said().splitlines() if "adapter_alone" in line]
    assert (told["count"], told["code"]) == (1, "without_paint")
    assert str(person.id) not in str(told)


@pytest.mark.slow
def test_taking_back_being_shown_in_the_middle_leaves_only_what_the_model_makes_alone(
    org: UUID, tiny_worker: None, seen: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    person = add_person(org)
    do_jobs(org, JobName.TRAIN)
    seen.clear()
    taken_back = []

    def withdrawn(*given: Any) -> Any:
        taken_back.append(len(seen))
        with transaction(org) as session:
            consents.withdraw(session, session.get_one(Member, person.member_id), Purpose.PAINT)
        return references(*given)

    monkeypatch.setattr("workers.diffusion.engine.references", withdrawn)
    do_all_work()
    assert taken_back == [0]
    assert seen[0] > 0
    assert seen[-1] == 0
    made = headshots_of(person, "diffusion")
    assert len(made) == TRIES, "what was made of shown photos is not kept"
    assert row_of(person).state == State.READY


@pytest.mark.slow
def test_a_base_that_cannot_be_shown_anybody_leaves_them_to_the_studio_and_serves_the_others(
    org: UUID, tiny_worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADSHOTS_DIFFUSION_BASE", "sdxl")
    forget_process_state()
    resident.cache_clear()
    shown = add_person(org, purposes=SHOWN)
    trained = add_person(org, "Grace")
    with transaction(org) as session:  # one shoot, so that one job serves both
        session.get_one(Participation, trained.id).shoot_id = shown.shoot_id
    do_all_work()
    assert row_of(shown).fallback_code == engines.Fallback.NOT_TRAINED
    assert row_of(shown).state == State.READY
    assert row_of(trained).fallback_code in (None, engines.Fallback.TOO_FEW_PASSED)
    assert headshots_of(trained, "diffusion"), "who was trained had their turn"


def test_clothes_are_painted_with_a_consent_of_their_own_and_the_face_stays(
    org: UUID, tiny_worker: None
) -> None:
    person = add_person(org, purposes=DRESSED, engine=EngineName.WARDROBE)
    do_all_work()
    assert row_of(person).state == State.READY
    made = headshots_of(person, "wardrobe")
    assert made
    assert all(one.adapter_id is None and one.seed is not None for one in made)
    assert row_of(person).gpu_seconds > 0


@pytest.mark.parametrize("inpainting", ["tiny", ""])
@pytest.mark.slow
def test_sdxl_paints_clothes_with_an_inpainting_network_or_not_at_all(
    org: UUID, tiny_worker: None, monkeypatch: pytest.MonkeyPatch, inpainting: str
) -> None:
    monkeypatch.setenv("HEADSHOTS_DIFFUSION_BASE", "sdxl")
    monkeypatch.setenv("HEADSHOTS_DIFFUSION_INPAINT_MODEL", "tiny")
    forget_process_state()
    resident.cache_clear()
    person = add_person(org, purposes=DRESSED, engine=EngineName.WARDROBE)
    monkeypatch.setenv("HEADSHOTS_DIFFUSION_INPAINT_MODEL", inpainting)  # perhaps taken away meanwhile
    forget_process_state()
    do_all_work()
    assert row_of(person).state == State.READY
    if inpainting:
        assert {one.engine for one in headshots_of(person, "wardrobe")} == {"wardrobe"}
        assert resident().painter.model.denoiser.config.in_channels == 9
    else:
        assert row_of(person).fallback_code == engines.Fallback.CLOTHES_OFF
        assert headshots_of(person, "wardrobe") == []
        assert row_of(person).gpu_seconds == 0
        assert resident.cache_info().currsize == 0, "said before anything is loaded"


def test_withdrawing_in_the_middle_of_training_leaves_nothing(
    org: UUID, tiny_worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = add_person(org)
    steps: list[int] = []
    step = Trainer._step

    def withdrawn_after_fifteen(self: Trainer, lessons: Any, seed: int, number: int) -> Any:
        steps.append(number)
        if number == 14:  # the first checkpoint is sealed
            assert len(held(org, Kind.CHECKPOINT)) == 1
            with transaction(org) as session:
                consents.withdraw(session, session.get_one(Member, person.member_id), Purpose.ADAPTER)
        return step(self, lessons, seed, number)

    monkeypatch.setattr(Trainer, "_step", withdrawn_after_fifteen)
    do_all_work()
    assert max(steps) == 14, "it stops before the next step"
    assert held(org, Kind.ADAPTER, Kind.CHECKPOINT) == []
    with transaction(org) as session:
        assert session.scalars(select(Adapter)).all() == []
    assert all(not parameter.any() for parameter in resident().trainer._learning.values())
    assert row_of(person).state == State.READY, "and the person still gets a headshot"


def test_a_job_that_died_goes_on_from_its_sealed_checkpoint(
    org: UUID, tiny_worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = add_person(org)
    steps: list[int] = []
    step = Trainer._step

    def died_once(self: Trainer, lessons: Any, seed: int, number: int) -> Any:
        steps.append(number)
        if number == 18 and steps.count(18) == 1:
            raise RuntimeError("the power went")
        return step(self, lessons, seed, number)

    monkeypatch.setattr(Trainer, "_step", died_once)
    monkeypatch.setattr("core.owed.PAUSES_SECONDS", (0,))
    do_jobs(org, JobName.TRAIN)
    assert steps[:19] == list(range(19))
    assert steps[19:] == list(range(12, 24)), "from the checkpoint at 12 steps"
    with transaction(org) as session:
        assert adapters.live(session, person.id) is not None


@pytest.mark.slow
def test_an_adapter_for_other_weights_is_trained_again(
    org: UUID, tiny_worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = add_person(org)
    kept: list[Facts] = []

    def of_other_weights_at_first(weights: Any, facts: Facts) -> bytes:
        kept.append(facts if kept else facts.model_copy(update={"revision": "of last year"}))
        return to_bytes(weights, kept[-1])

    monkeypatch.setattr("workers.diffusion.learn.to_bytes", of_other_weights_at_first)
    do_all_work()
    assert [facts.revision for facts in kept] == ["of last year", "tiny-1"]
    assert len(held(org, Kind.ADAPTER)) == 1, "the old one is erased"
    assert row_of(person).state == State.READY


def give_look(person: Participation, *, lock: bool = False) -> Look:
    """Give the style of a person's shoot a look to learn."""
    with transaction(person.org_id) as session:
        style = session.get_one(Style, session.get_one(Shoot, person.shoot_id).style_id)
        readable = look_reading.read([style_picture(seed) for seed in range(5)])
        pictures = [sealed(person.org_id, one, Kind.STYLE_PICTURE) for one in readable.usable]
        look = looks.give(session, style, readable, pictures, actor=audit.SYSTEM).look
        if lock:
            styles.lock(session, style)
        return look


def keep_look(org: UUID, look: Look, content: bytes, facts: Facts) -> None:
    """Keep a look as the training would."""
    with transaction(org) as session:
        look_training.store(
            session,
            look.id,
            sealed(org, content, Kind.ADAPTER),
            base=facts.base,
            revision=facts.revision,
            rank=facts.rank,
            steps=facts.steps,
            seed=facts.seed,
            seconds=1.0,
            watt_hours=None,
        )


def add_style(org: UUID) -> Style:
    with transaction(org) as session:
        style = styles.save(session, StyleSpec(name="Warm"), actor=audit.SYSTEM)
        readable = look_reading.read([style_picture(seed) for seed in range(5)])
        pictures = [sealed(org, one, Kind.STYLE_PICTURE) for one in readable.usable]
        return looks.give(session, style, readable, pictures, actor=audit.SYSTEM).style


def learned(style: Style) -> tuple[Adapter, bytes] | None:
    with transaction(style.org_id) as session:
        found = look_training.learned(session, session.get_one(Style, style.id))
        return (found[0], opened(found[1])) if found is not None else None


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str | None, str | None]]:
    """What was put into slots: kind of the person's adapter and of the look's."""
    seen: list[tuple[str | None, str | None]] = []
    load = Sampler.load

    def listed(self: Sampler, slot: int, person: Any, look: Any = None) -> None:
        seen.append((person and person.facts.kind, look and look.facts.kind))
        load(self, slot, person, look)

    monkeypatch.setattr(Sampler, "load", listed)
    return seen


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """Every picture that was asked for."""
    seen: list[Request] = []
    paint = Sampler._paint

    def listed(self: Sampler, requests: Any, *rest: Any, **more: Any) -> Any:
        seen.extend(requests)
        return paint(self, requests, *rest, **more)

    monkeypatch.setattr(Sampler, "_paint", listed)
    return seen


def test_a_look_is_learned_from_the_companys_pictures(org: UUID, tiny_worker: None) -> None:
    style = add_style(org)
    do_all_work()
    found = learned(style)
    assert found is not None
    row, content = found
    assert (row.kind, row.style_id, row.member_id, row.base, row.revision) == (
        "style",
        style.id,
        None,
        "klein",
        "tiny-1",
    )
    known = from_bytes(content, base="klein", revision="tiny-1")
    assert known.facts.kind == "style"
    assert list(known.facts.photos) == row.photos
    assert (row.rank, row.steps, row.seed) == (known.facts.rank, known.facts.steps, known.facts.seed)
    assert any(array.any() for array in known.weights.values())
    assert held(org, Kind.CHECKPOINT) == []


def test_a_look_whose_worker_died_goes_on_from_its_sealed_checkpoint(
    org: UUID, tiny_worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    style = add_style(org)
    steps: list[int] = []
    step = Trainer._step

    def died_once(self: Trainer, lessons: Any, seed: int, number: int) -> Any:
        steps.append(number)
        if number == 12 and steps.count(12) == 1:
            assert len(held(org, Kind.CHECKPOINT)) == 1
            raise RuntimeError("the power went")
        return step(self, lessons, seed, number)

    monkeypatch.setattr(Trainer, "_step", died_once)
    monkeypatch.setattr("core.owed.PAUSES_SECONDS", (0,))
    do_jobs(org, JobName.TRAIN_STYLE)
    assert steps == [*range(13), *range(8, 16)]
    assert learned(style) is not None


def test_removing_a_look_while_it_is_learned_leaves_nothing(
    org: UUID, tiny_worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    style = add_style(org)
    steps: list[int] = []
    step = Trainer._step

    def removed_in_the_middle(self: Trainer, lessons: Any, seed: int, number: int) -> Any:
        steps.append(number)
        if number == 9:
            with transaction(org) as session:
                looks.remove(session, session.get_one(Style, style.id), actor=audit.SYSTEM)
        return step(self, lessons, seed, number)

    monkeypatch.setattr(Trainer, "_step", removed_in_the_middle)
    do_all_work()
    assert max(steps) == 9
    assert held(org, Kind.ADAPTER, Kind.CHECKPOINT, Kind.STYLE_PICTURE) == []
    assert all(not parameter.any() for parameter in resident().trainer._learning.values())


@pytest.mark.parametrize(
    ("purposes", "engine", "kinds", "word"),
    [
        (
            tuple(Purpose),
            EngineName.DIFFUSION,
            ("person", "style"),
            "a photo of ohwx person in zwx style, the person from image 1,",
        ),
        (
            SHOWN,
            EngineName.DIFFUSION,
            (None, "style"),
            "a photo of the person from image 1, in zwx style,",
        ),
        (DRESSED, EngineName.WARDROBE, (None, "style"), "a photo of a person in zwx style,"),
    ],
)
def test_everybody_is_generated_in_the_look(
    org: UUID,
    tiny_worker: None,
    loaded: list[tuple[str | None, str | None]],
    asked: list[Request],
    purposes: tuple[Purpose, ...],
    engine: EngineName,
    kinds: tuple[str | None, str | None],
    word: str,
) -> None:
    person = add_person(org, purposes=purposes, engine=engine)
    keep_look(org, give_look(person), *a_look())  # learned before anybody is generated, as on any other day
    do_jobs(org, JobName.TRAIN)
    do_jobs(org, JobName.GENERATE)
    assert loaded[-1] == kinds
    made = [one for one in asked if "zwx" in one.prompt]
    assert made
    assert all(one.prompt.startswith(word) and one.slot == 1 for one in made)
    assert headshots_of(person, engine)


@pytest.mark.slow
def test_whose_style_changes_while_others_are_made_waits_for_its_look(
    org: UUID, tiny_worker: None, loaded: list[tuple[str | None, str | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    person = add_person(org, purposes=DRESSED, engine=EngineName.WARDROBE)
    other = add_shoot(org).style_id
    prompted = generate._prompted

    def changed(*given: Any) -> None:
        prompted(*given)
        with transaction(org) as session:
            session.get_one(Shoot, session.get_one(Participation, person.id).shoot_id).style_id = other

    monkeypatch.setattr(generate, "_prompted", changed)
    do_jobs(org, JobName.GENERATE)
    assert len(loaded) == 2, "once more, for the new style"
    with transaction(org) as session:
        made = session.scalars(select(Headshot).where(Headshot.participation_id == person.id)).all()
    assert {one.style_id for one in made} == {other}


def a_look() -> tuple[bytes, Facts]:
    """A look as another worker learned it."""
    from workers.diffusion.looks import learn_look

    pictures = [(str(seed), style_picture(seed)) for seed in range(5)]
    found = learn_look(
        resident(), pictures, 7, on_step=lambda _: None, stop=lambda: False, keep=lambda _: None
    )
    return found.content, found.adapter.facts


@pytest.mark.slow
def test_a_look_for_other_weights_is_left_out_and_learned_anew_and_nobody_waits(
    org: UUID, tiny_worker: None, loaded: list[tuple[str | None, str | None]]
) -> None:
    person = add_person(org, purposes=SHOWN)
    look = give_look(person, lock=True)
    content, facts = a_look()
    known = from_bytes(content)
    old = facts.model_copy(update={"revision": "of last year"})
    keep_look(org, look, to_bytes(known.weights, old), old)
    do_all_work()
    assert loaded[-1] == (None, None)
    assert row_of(person).state == State.READY
    (kept,) = held(org, Kind.ADAPTER)
    with transaction(org) as session:
        row = session.get_one(Look, look.id)
        assert looks.standing(row) is Standing.LEARNED
        assert row.adapter_id is not None
        adapter = session.get_one(Adapter, row.adapter_id)
    assert (adapter.revision, adapter.artifact_id) == ("tiny-1", kept.id)


@pytest.mark.slow
def test_a_look_that_does_not_fit_is_not_blamed_on_the_people(
    org: UUID, tiny_worker: None, loaded: list[tuple[str | None, str | None]]
) -> None:
    person = add_person(org)
    look = give_look(person, lock=True)
    content, facts = a_look()
    weights = {f"elsewhere.{name}": array for name, array in from_bytes(content).weights.items()}
    keep_look(org, look, to_bytes(weights, facts), facts)
    do_all_work()
    assert loaded[-1] == ("person", None)
    assert row_of(person).state == State.READY
    with transaction(org) as session:
        trained = session.scalars(select(Adapter).where(Adapter.kind == "person")).all()
    assert len(trained) == 1, "nobody is trained again for it"


@pytest.mark.slow
def test_a_look_that_was_removed_a_moment_ago_sends_nobody_to_the_studio(
    org: UUID, tiny_worker: None, loaded: list[tuple[str | None, str | None]]
) -> None:
    person = add_person(org, purposes=SHOWN)
    look = give_look(person, lock=True)
    keep_look(org, look, *a_look())
    (weights,) = held(org, Kind.ADAPTER)
    with transaction(org) as session:  # as far as a removal has come when its objects are gone
        vault().delete(session, [weights.id])
    do_all_work()
    assert loaded[-1] == (None, None)
    assert row_of(person).fallback_code == engines.Fallback.TOO_FEW_PASSED


_written: list[str] = []
_watching = False


def _audited(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and event == "open":
        path, mode, flags = arguments
        writes = (isinstance(mode, str) and set(mode) & set("wax+")) or (isinstance(flags, int) and flags & 3)
        if writes and isinstance(path, str | bytes):
            _written.append(path if isinstance(path, str) else path.decode())


def test_no_adapter_or_picture_appears_outside_the_vault(
    org: UUID, tiny_worker: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    global _watching
    sys.addaudithook(_audited)
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    person = add_person(org)
    give_look(person)
    _written.clear()
    _watching = True
    try:
        do_all_work()
    finally:
        _watching = False
    assert [path for path in _written if not path.startswith(("/dev/", "/proc/"))] == []
    assert list(scratch.iterdir()) == []
    stored = [path for path in (tmp_path / "storage").rglob("*") if path.is_file()]
    assert stored
    for path in stored:
        content = path.read_bytes()
        # Four letters at least: three are found in some of random bytes by chance.
        for plain in (b"lora_A", b"JFIF", b"\x89PNG", b"safetensors", b"headshots"):
            assert plain not in content[:4096], f"{path} is sealed"
