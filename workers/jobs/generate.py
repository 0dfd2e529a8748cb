"""`generate`: make the pictures of everybody in a shoot whose turn it is, several people in one batch."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy.orm import Session

from core import progress
from core.brand import look_training
from core.clock import now
from core.consent import ConsentRequired, Purpose
from core.logs import logger
from core.models import EngineName, Participation, Shoot, Style
from core.people import consents
from core.portraits import adapters, engines
from core.queue import JobName, enqueue
from core.shoots import participations
from core.vault import ArtifactGone, Held, vault
from workers.engines import Engine
from workers.pipeline import assignment
from workers.pipeline.render import render
from workers.process.runner import JobRun
from workers.process.single import only_one

if TYPE_CHECKING:
    from workers.diffusion.adapters import Adapter, Facts
    from workers.diffusion.engine import Order, Pool
    from workers.diffusion.resident import Resident

_PEOPLE: Final = 8  # of one batch; the bank's slots
_BUSY_SECONDS: Final = 5  # until a second worker looks again whether the shoot is free


@dataclass(frozen=True, slots=True)
class _Turn:
    """Whose pictures are made."""

    participation_id: UUID
    style_id: UUID  # that look and prompts are of
    adapter_id: UUID | None  # None: shown in their own photos instead
    held: Held | None  # the weights
    dressed: bool = False  # their own photos, with other clothes
    shown: bool = False  # the base sees their own photos, whether they are trained or not


def run(job: JobRun) -> None:
    """Generate for whoever waits in the shoot; a second delivery finds nobody and does nothing.

    Each person's result commits in a transaction of its own, so that one who fails costs the others
    nothing. One worker at a time serves a shoot: a second one would make the same pictures.
    """
    with job.step() as session:
        off = engines.off(EngineName(session.get_one(Shoot, job.subject_id).engine))
    if off is not None:
        with job.finish() as session:
            engines.fall_back_all(session, engines.waiting(session, job.subject_id), off)
        return
    with only_one(job.subject_id) as mine:
        if mine:
            with job.step() as session:
                turns = _turns(session, job.subject_id)
            if turns:
                _generate(job, turns)
        with job.finish() as session:
            if not mine or (turns and engines.waiting(session, job.subject_id)):
                later = now() + timedelta(seconds=0 if mine else _BUSY_SECONDS)
                enqueue(session, JobName.GENERATE, job.subject_id, not_before=later)


def failed(session: Session, subject_id: UUID, code: str) -> None:
    """Nobody is left waiting: the studio takes over for everybody whose turn it was."""
    engines.fall_back_all(session, engines.waiting(session, subject_id), code)


def _turns(session: Session, shoot_id: UUID) -> list[_Turn]:
    turns = []
    uncompared = []
    dressed = session.get_one(Shoot, shoot_id).engine == EngineName.WARDROBE
    for participation in engines.waiting(session, shoot_id)[:_PEOPLE]:
        style_id = assignment.style_row_of(session, participation.id).id
        if dressed:
            turns.append(_Turn(participation.id, style_id, None, None, dressed=True))
            continue
        adapter = adapters.live(session, participation.id)
        agreed = consents.agreed(session, participation.member_id)
        if Purpose.LIKENESS not in agreed:
            # Nobody may see a made face that was not compared.
            uncompared.append(participation)
        elif adapter is not None and Purpose.ADAPTER in agreed:
            # Who agreed to a model of their own has not thereby agreed that their photos are shown to one.
            shown = Purpose.PAINT in agreed and engines.shows_photos()
            held = vault().find(session, adapter.artifact_id)
            turns.append(_Turn(participation.id, style_id, adapter.id, held, shown=shown))
        elif adapter is None:
            turns.append(_Turn(participation.id, style_id, None, None, shown=True))
    engines.fall_back_all(session, uncompared, engines.Fallback.CONSENT)
    return turns


def _generate(job: JobRun, turns: list[_Turn]) -> None:
    # Here, so that workers without torch can name this job.
    from workers.diffusion.adapters import AdapterRefused, from_bytes
    from workers.diffusion.engine import DiffusionEngine, Order, Pool
    from workers.diffusion.resident import resident

    engine = resident()
    looks: dict[UUID, Adapter | None] = {}
    sampler = engine.painter if turns[0].dressed else engine.sampler  # all of one shoot, so of one kind
    orders: list[tuple[_Turn, Order, Facts | None]] = []
    try:
        for slot, turn in enumerate(turns, 1):
            if turn.held is None and not turn.dressed and not engine.base.references:
                _leave_to_studio(job, turn)
                continue
            known: Adapter | None = None
            look = _look(job, engine, turn, looks)
            try:
                if turn.held is not None:
                    known = from_bytes(
                        vault().open(turn.held), base=engine.base.name, revision=engine.revision
                    )
                sampler.load(slot, known, look)
            except AdapterRefused:
                _train_again(job, turn)
                continue
            order = Order(
                seed=0, slot=slot, trained=known is not None, shown=turn.shown, look=look is not None
            )
            if known is not None:
                order.worn = known.facts.worn
            orders.append((turn, order, known.facts if known is not None else None))
        _tell(engine, [order for _, order, _ in orders])
        pool = Pool(sampler, [order for _, order, _ in orders], DiffusionEngine.tries)
        for turn, order, facts in orders:
            _prompted(job, turn, order, facts.held_out if facts is not None else ())
        for turn, order, facts in orders:
            _one(job, pool, turn, order, facts)
    finally:
        engine.forget()


def _prompted(job: JobRun, turn: _Turn, order: Order, held_out: tuple[str, ...]) -> None:
    """Say what to ask for, so that others' batches can already hold this person's pictures.

    Of a trained person of whom no photo is left to compare with nothing is asked for.
    """
    from workers.diffusion.engine import wanted

    with job.step() as session:
        style = session.get_one(Style, turn.style_id).parsed
        if order.trained and not assignment.accepted(session, turn.participation_id) & set(held_out):
            participation = participations.get(session, turn.participation_id, lock=True)
            engines.fall_back(session, participation, engines.Fallback.TOO_FEW_PHOTOS)
            order.open = False
            return
    order.seed = assignment.seed_of(turn.participation_id)
    if not order.shown:  # what is asked of the others depends on the photos that they are shown in
        order.prompts = wanted(style, trained=order.trained, look=order.look, worn=order.worn)


def _tell(engine: Resident, orders: list[Order]) -> None:
    """Log how many are made from their model alone although the base can be shown photos; never who."""
    alone = sum(order.trained and not order.shown for order in orders)
    if alone and engine.base.references:
        logger().info("adapter_alone", count=alone, code=f"without_{Purpose.PAINT}")


def _one(job: JobRun, pool: Pool, turn: _Turn, order: Order, facts: Facts | None) -> None:
    """Make and keep one person's pictures, or let the studio do it."""
    from workers.diffusion.engine import DiffusionEngine, WardrobeEngine
    from workers.diffusion.examples import TooFewPhotos

    made_by: Engine
    if turn.dressed:
        made_by = WardrobeEngine(pool.sampler, order)
    elif facts is not None:
        made_by = DiffusionEngine(pool, order, facts.held_out, facts.photos)
    else:
        made_by = DiffusionEngine(pool, order)
    started = time.monotonic()
    try:
        with job.step() as session:
            participation = participations.get(session, turn.participation_id)
            expected = engines.expects(participation)
            planned = assignment.begin(session, turn.participation_id, _needs(turn)) if expected else None
            others = assignment.colleagues(session, turn.participation_id) if planned else []
        if planned is None or planned.style_id != turn.style_id:
            order.open = False  # in another style by now, whose look is loaded when their turn comes again
            return
        work = assignment.read(planned)

        def tell(fraction: float, _step: str) -> None:
            # One stage: each picture is made, finished and measured before the next, which would read as going back.
            progress.report(turn.participation_id, "generate", fraction)

        result = render(
            work.photos,
            work.style,
            work.consent,
            tell,
            work.backdrop,
            made_by,
            subjects=work.subjects,
            colleagues=assignment.embeddings(others),
            passed_over=work.passed_over if turn.dressed else (),
        )
        sealed = assignment.seal(job.org_id, work, result)
        with job.step() as session:
            participation = participations.get(session, turn.participation_id, lock=True)
            adapters.spend(session, participation, order.seconds, order.watt_hours)
            kept = assignment.keep(
                session,
                work,
                result,
                sealed,
                engine=made_by.name,
                seconds=time.monotonic() - started,
                adapter_id=turn.adapter_id,
            )
            if kept and result.headshots:
                assignment.finished(session, turn.participation_id, result)
            elif kept:
                code = engines.Fallback.CLOTHES if turn.dressed else engines.Fallback.TOO_FEW_PASSED
                engines.fall_back(session, participation, code)
    except TooFewPhotos as error:
        order.open = False
        with job.step() as session:
            engines.fall_back(
                session, participations.get(session, turn.participation_id, lock=True), error.code
            )
    except ConsentRequired:
        order.open = False
        with job.step() as session:
            engines.choose_again(session, participations.get(session, turn.participation_id, lock=True))


def _needs(turn: _Turn) -> frozenset[Purpose]:
    """Return the consents without which nobody may see what is made."""
    if turn.dressed:
        return frozenset({Purpose.PHOTO, Purpose.CLOTHES})
    if turn.held is None:
        return frozenset({Purpose.PHOTO, Purpose.LIKENESS, Purpose.PAINT})
    return assignment.MODEL | {Purpose.PAINT} if turn.shown else assignment.MODEL


def _look(job: JobRun, engine: Resident, turn: _Turn, read: dict[UUID, Adapter | None]) -> Adapter | None:
    """Return the look of the person's style, if it was learned on the weights that this worker runs.

    One that was learned on others is learned anew; nobody waits for it, since the finisher makes the team
    match in any case.

    Args:
        job: this one.
        engine: what the look must fit.
        turn: whose style.
        read: what was found for others' styles, so that each is opened once.
    """
    if turn.style_id not in read:
        read[turn.style_id] = _look_of(job, engine, turn.style_id)
    return read[turn.style_id]


def _look_of(job: JobRun, engine: Resident, style_id: UUID) -> Adapter | None:
    from workers.diffusion.adapters import AdapterRefused, from_bytes

    try:
        with job.step() as session:
            style = session.get_one(Style, style_id)
            found = look_training.learned(session, style)
        if found is None:
            return None
        row, held = found
        content = vault().open(held)
    except ArtifactGone:
        return None  # removed a moment ago
    try:
        look = from_bytes(content, base=engine.base.name, revision=engine.revision)
        engine.sampler.check(look)  # what does not fit must not be blamed on the people's own models
    except AdapterRefused:
        with job.step() as session:
            look_training.learn_again(session, style, row.id)
        return None
    return look


def _leave_to_studio(job: JobRun, turn: _Turn) -> None:
    """Let the studio serve who agreed to be shown to a base that cannot be shown anybody."""
    with job.step() as session:
        participation = participations.get(session, turn.participation_id, lock=True)
        engines.fall_back(session, participation, engines.Fallback.NOT_TRAINED)


def _train_again(job: JobRun, turn: _Turn) -> None:
    """Train on the weights that this worker runs: the base was changed since."""
    with job.step() as session:
        participation: Participation = participations.get(session, turn.participation_id, lock=True)
        adapters.end_of(session, [participation])
        enqueue(session, JobName.TRAIN, participation.id)
