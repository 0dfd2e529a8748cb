"""Which engine makes a person's headshots, and the studio that takes over when that one cannot."""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, gpu, locks, progress
from core.checks.shots import FEWEST, by_shot
from core.clock import now
from core.consent import PAINTING, Purpose
from core.db import Lookup, transaction
from core.models import EngineName, Member, Participation, Shoot, State
from core.people import consents
from core.portraits import adapters, photos, verdicts
from core.queue import JobName, enqueue
from core.settings import diffusion_settings

# The states in which a person waits for pictures.
MOVING = (State.SUBMITTED, State.RENDERING)
# While no GPU worker runs, nobody waits longer than this: a worker that is started every night is in time.
PATIENCE = timedelta(hours=24)
BATCH = 500
# Bases that can be shown a person's photos without training on them, as `workers.diffusion.bases` says.
SHOWS_PHOTOS = frozenset({"klein"})
# Bases that paint clothes themselves, as it says as well; another one needs a network of its own for that.
REPAINTS = frozenset({"klein"})
# Those for which another network does it.
REPAINTED_FOR = frozenset({"sdxl"})


class Fallback(StrEnum):
    """Why the studio took over, as far as we have words for it; a job that was given up adds its own code."""

    ENGINE_OFF = "engine_off"
    NO_GPU_WORKER = "no_gpu_worker"
    TOO_FEW_PASSED = "too_few_passed"
    CLOTHES_OFF = "clothes_off"  # the base does not paint them, and no network that does is named
    CLOTHES = "clothes"  # the wardrobe's pictures did not pass; their face is the photo's own
    TOO_FEW_PHOTOS = "too_few_photos"
    NOT_TRAINED = "not_trained"  # the base has to be trained on a person, who did not agree to that
    NOT_COMPARED = "not_compared"
    CONSENT = "consent_required"


# What is about the answers that a person gave is told to that person only.
_THEIRS_ALONE = frozenset({Fallback.NOT_TRAINED, Fallback.NOT_COMPARED, Fallback.CONSENT})


def shows_photos() -> bool:
    """Return whether the base of this installation can be shown a person's photos."""
    return diffusion_settings().diffusion_base in SHOWS_PHOTOS


def paints_clothes() -> bool:
    """Return whether clothes can be painted on this installation."""
    found = diffusion_settings()
    by_another = found.diffusion_base in REPAINTED_FOR and bool(found.diffusion_inpaint_model)
    return found.diffusion_base in REPAINTS or by_another


def off(engine: EngineName) -> Fallback | None:
    """Return why an engine can do nothing on this installation; `None` where it can."""
    if not engine.needs_gpu:
        return None
    if not diffusion_settings().diffusion_base:
        return Fallback.ENGINE_OFF
    return Fallback.CLOTHES_OFF if engine is EngineName.WARDROBE and not paints_clothes() else None


def possible() -> tuple[Purpose, ...]:
    """Return what people can be asked to agree to on this installation at all, whichever shoot it is."""
    always = (Purpose.PHOTO, Purpose.LIKENESS)
    if not diffusion_settings().diffusion_base:
        return always
    return (
        *always,
        *((Purpose.PAINT,) if shows_photos() else ()),
        *((Purpose.CLOTHES,) if paints_clothes() else ()),
        Purpose.ADAPTER,
    )


def asks(shoot: Shoot) -> tuple[Purpose, ...]:
    """Return what the people of a shoot are asked to agree to: what is really done there, and nothing else."""
    engine = EngineName(shoot.engine)
    wanted = {Purpose.PHOTO, Purpose.LIKENESS}
    if engine is EngineName.WARDROBE:
        wanted |= {Purpose.CLOTHES}
    elif engine.needs_gpu:
        wanted |= {Purpose.PAINT, Purpose.ADAPTER}
    return tuple(one for one in possible() if one in wanted)


def job_for(session: Session, participation: Participation) -> tuple[JobName, UUID]:
    """Return the job that makes this person's headshots, and its subject.

    A shoot with the engine `diffusion` trains a model only of those who agreed to that and to the comparison
    of faces, without which nobody may see a made face; who agreed to being painted and to the comparison gets
    pictures from references, without training; everybody else gets the studio's. With the engine `wardrobe`
    the photos of those who agreed to it go to the worker that paints clothes.
    """
    shoot = session.get_one(Shoot, participation.shoot_id)
    job = _job(shoot, consents.agreed(session, participation.member_id))
    return job, shoot.id if job is JobName.GENERATE else participation.id


def _job(shoot: Shoot, agreed: Set[Purpose]) -> JobName:
    if shoot.engine == EngineName.WARDROBE:
        return JobName.GENERATE if Purpose.CLOTHES in agreed else JobName.RENDER
    if shoot.engine != EngineName.DIFFUSION or Purpose.LIKENESS not in agreed:
        return JobName.RENDER
    if Purpose.ADAPTER in agreed:
        return JobName.TRAIN
    return JobName.GENERATE if Purpose.PAINT in agreed else JobName.RENDER


def _is_held_back(session: Session, participation: Participation) -> bool:
    """Whether someone agreed to a painted face but not to the check without which none is shown."""
    shoot = session.get_one(Shoot, participation.shoot_id)
    agreed = consents.agreed(session, participation.member_id)
    return shoot.engine == EngineName.DIFFUSION and Purpose.LIKENESS not in agreed and bool(PAINTING & agreed)


def is_modelled(session: Session, participation: Participation) -> bool:
    """Whether an image model makes this person's headshots, as far as engine and consents go."""
    return job_for(session, participation)[0] is not JobName.RENDER


def is_of_photos(session: Session, participation: Participation) -> bool:
    """Whether each of this person's headshots is of one photo of theirs, and no model paints their face."""
    shoot = session.get_one(Shoot, participation.shoot_id)
    return shoot.engine != EngineName.DIFFUSION or not is_modelled(session, participation)


def has_enough_photos(session: Session, participation: Participation) -> bool:
    """Whether a made face could be checked with a photo that nothing was learned from.

    Two of one shot count once, and one that may show somebody else does not count. Small random models, which learn
    nothing, are tried out with photos of one shot.
    """
    signs = [
        (photo.verdict or {}).get("phash")
        for photo in photos.of_participation(session, participation.id)
        if verdicts.standing_of(photo) is verdicts.Standing.ACCEPTED
    ]
    if diffusion_settings().diffusion_train_model == "tiny":
        return len(signs) >= FEWEST
    return len(by_shot(signs)) >= FEWEST


def send(session: Session, participation: Participation) -> None:
    """Owe the job that makes the headshots of someone who has just sent their photos.

    An adapter of an earlier try ends here: it knows other photos.
    """
    participation.fallback_code = None
    adapters.end_of(session, [participation])
    job, subject_id = job_for(session, participation)
    if job is JobName.RENDER:
        if _is_held_back(session, participation):
            fall_back(session, participation, Fallback.NOT_COMPARED)
        else:
            enqueue(session, job, subject_id)
    elif code := off(EngineName(session.get_one(Shoot, participation.shoot_id).engine)):
        fall_back(session, participation, code)
    elif not is_of_photos(session, participation) and not has_enough_photos(session, participation):
        # Before anything is learned or made, and before anybody waits for a GPU.
        fall_back(session, participation, Fallback.TOO_FEW_PHOTOS)
    else:
        progress.report(participation.id, "queued_gpu", 0.0)
        enqueue(session, job, subject_id)


def expects(participation: Participation) -> bool:
    """Whether the person still waits, and the studio has not taken over."""
    return participation.state in MOVING and participation.fallback_code is None


def fall_back(session: Session, participation: Participation, code: str) -> None:
    """Let the studio make the headshots, at no charge; `code` tells the person why, and the admin without a name.

    Does nothing for someone who does not wait any more, or whom the studio serves already.
    """
    locks.person(session, participation.member_id)
    if not expects(participation):
        return
    participation.fallback_code = code[:64]
    adapters.drop_checkpoint(session, participation)
    progress.report(participation.id, "fallback", 0.0)
    audit.record(
        session,
        audit.Tag.ENGINE_FELL_BACK,
        actor=audit.SYSTEM,
        subject=session.get_one(Member, participation.member_id),
        participation=str(participation.id),
        reason=participation.fallback_code,
    )
    enqueue(session, JobName.RENDER, participation.id)


def fall_back_all(session: Session, rows: Sequence[Participation], code: str) -> None:
    """Let the studio make the headshots of many; see `fall_back`."""
    locks.people(session, {row.member_id for row in rows})
    for row in rows:
        fall_back(session, row, code)


def failures(session: Session, shoot_id: UUID) -> list[str]:
    """Return for what reasons the studio took over in a shoot, without who; never what somebody agreed to.

    Beside a name each of them would say that this person agreed to the comparison of faces, and where all who
    agreed met the same trouble, a name without a reason would say that this one refused.
    """
    codes = session.scalars(
        select(Participation.fallback_code)
        .where(Participation.shoot_id == shoot_id, Participation.fallback_code.is_not(None))
        .distinct()
        .order_by(Participation.fallback_code)
    ).all()
    return [code for code in codes if code is not None and code not in _THEIRS_ALONE]


def choose_again(session: Session, participation: Participation) -> None:
    """Take the way that the consents still allow, after one was taken back while the person waits."""
    locks.person(session, participation.member_id)
    shoot = session.get_one(Shoot, participation.shoot_id)
    if not EngineName(shoot.engine).needs_gpu or not expects(participation):
        return
    job, subject_id = job_for(session, participation)
    if job is JobName.GENERATE:
        enqueue(session, job, subject_id)
    elif job is JobName.RENDER:
        fall_back(session, participation, Fallback.CONSENT)


def waiting(session: Session, shoot_id: UUID) -> list[Participation]:
    """Return whose pictures can be generated now, longest waiting first: trained, or from references."""
    rows = session.scalars(
        select(Participation)
        .where(
            Participation.shoot_id == shoot_id,
            Participation.state.in_(MOVING),
            Participation.fallback_code.is_(None),
        )
        .order_by(Participation.changed_at, Participation.id)
    ).all()
    shoot = session.get_one(Shoot, shoot_id)
    trained = adapters.trained(session, shoot_id)
    agreed = consents.agreed_by(session, [row.member_id for row in rows])
    return [
        row for row in rows if row.id in trained or _job(shoot, agreed[row.member_id]) is JobName.GENERATE
    ]


def end_waiting(session: Session) -> int:
    """Let the studio serve whoever has waited for a GPU worker for too long; return how many that are."""
    rows = session.scalars(
        select(Participation)
        .join(Shoot, Shoot.id == Participation.shoot_id)
        .where(
            Shoot.engine.in_([engine for engine in EngineName if engine.needs_gpu]),
            Participation.state.in_(MOVING),
            Participation.fallback_code.is_(None),
            Participation.changed_at < now() - PATIENCE,
        )
        .limit(BATCH)
    ).all()
    ended = [row for row in rows if is_modelled(session, row)]
    fall_back_all(session, ended, Fallback.NO_GPU_WORKER)
    return len(ended)


def end_waiting_all() -> int:
    """Do so wherever somebody waits, each organization in a transaction of its own, while no GPU worker runs."""
    if gpu.alive():
        return 0
    total = 0
    generating = [engine for engine in EngineName if engine.needs_gpu]
    for org_id in Lookup.waiting_since(now() - PATIENCE, engines=generating, states=MOVING):
        with transaction(org_id) as session:
            total += end_waiting(session)
    return total
