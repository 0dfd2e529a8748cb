"""What can be done about one person in a shoot, done at once with something else, and what must hold afterwards."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
from sealing import sealed
from sqlalchemy import select
from sqlalchemy.orm import Session
from stage import Stage

from compliance import consent, erasure, retention
from compliance.consent import leaving
from compliance.consent.texts import notice
from core import audit
from core.clock import now
from core.consent import Purpose, ValidConsent
from core.db import transaction
from core.errors import AppError
from core.ids import new_id
from core.models import (
    Alternative,
    Artifact,
    AuditEvent,
    Consent,
    EngineName,
    Erasure,
    Headshot,
    Invite,
    Kind,
    SignInMethod,
    State,
    WebSession,
)
from core.people import access, sessions
from core.portraits import adapters, avatars, downloads, engines, headshots, photos, submission, verdicts
from core.shoots import devices, invites, participations, reminders, reminding, shoots
from core.style.spec import StyleSpec
from core.vault import vault
from workers.jobs import render as render_job
from workers.pipeline import assignment
from workers.pipeline.assignment import Assignment
from workers.pipeline.gates import GateReport
from workers.pipeline.render import Headshot as Made
from workers.pipeline.render import RenderResult

Verb = Callable[[Session, Stage], object]


def erase(session: Session, at: Stage) -> None:
    erasure.request(
        session,
        at.member(session),
        reason=erasure.ErasureReason.SELF_SERVICE,
        actor=at.actor(session),
        language="en",
    )


def decline(session: Session, at: Stage) -> None:
    leaving.decline(session, at.participation(session), Alternative.INITIALS, actor=at.actor(session))


def withdraw_all(session: Session, at: Stage) -> None:
    leaving.withdraw_all(session, at.participation(session), actor=at.actor(session))


def step_back(session: Session, at: Stage) -> None:
    submission.step_back(session, at.participation(session), actor=at.actor(session))


def upload(session: Session, at: Stage) -> None:
    agreed = consent.require(session, at.member_id)
    photos.store(
        session,
        at.participation(session),
        sealed(at.org, b"another photo", Kind.PHOTO, at.member_id),
        upload_key=new_id().hex,
        consent=agreed,
    )


def judge(session: Session, at: Stage) -> None:
    verdicts.record_verdict(
        session,
        at.photo(session),
        {"accepted": True, "issues": []},
        stripped=sealed(at.org, b"copy", Kind.PHOTO, at.member_id),
        likeness=sealed(at.org, b"[]", Kind.LIKENESS, at.member_id),
    )


def remove(session: Session, at: Stage) -> None:
    photos.remove(session, at.photo(session), actor=at.actor(session))


def submit(session: Session, at: Stage) -> None:
    submission.submit(session, at.participation(session), actor=at.actor(session))


def reopen(session: Session, at: Stage) -> None:
    submission.reopen(session, at.participation(session), actor=at.actor(session))


def begin(session: Session, at: Stage) -> None:
    assignment.begin(session, at.participation_id)


def keep(session: Session, at: Stage) -> None:
    work = Assignment(
        at.participation_id,
        at.member_id,
        session.get_one(Headshot, at.headshot_id).style_id,
        StyleSpec(),
        ValidConsent(at.member_id, frozenset(Purpose)),
        frozenset({Purpose.PHOTO}),
        [],
        {},
        None,
    )
    made = Made(
        str(at.photo_ids[1]),
        np.zeros((8, 8, 3), np.uint8),
        GateReport(passed=True, gates={}, figures={}),
        1.0,
    )
    result = RenderResult((made,), (), {}, {})
    held = [sealed(at.org, b"made", Kind.HEADSHOT, at.member_id, "image/png")]
    if assignment.keep(session, work, result, held, engine=EngineName.STUDIO, seconds=1.0):
        assignment.finished(session, at.participation_id, result)


def give_up(session: Session, at: Stage) -> None:
    render_job.failed(session, at.participation_id, "some_code")


def fall_back(session: Session, at: Stage) -> None:
    engines.fall_back(session, at.participation(session), "some_code")


def checkpoint(session: Session, at: Stage) -> None:
    adapters.keep_checkpoint(
        session, at.participation(session), sealed(at.org, b"half trained", Kind.CHECKPOINT, at.member_id)
    )


def approve(session: Session, at: Stage) -> None:
    shot = headshots.get(session, at.member_id, at.headshot_id)
    headshots.approve(session, at.participation(session), shot, actor=at.actor(session))


def download(session: Session, at: Stage) -> None:
    shot = headshots.get(session, at.member_id, at.headshot_id)
    headshots.download(session, at.participation(session), shot, "square", actor=at.actor(session))


def archive(session: Session, at: Stage) -> None:
    downloads.picture(session, at.participation_id)
    downloads.handed(session, at.participation_id, is_master=True, actor=audit.SYSTEM)


def withdraw_likeness(session: Session, at: Stage) -> None:
    consent.withdraw(session, at.member(session), Purpose.LIKENESS)


def withdraw_adapter(session: Session, at: Stage) -> None:
    consent.withdraw(session, at.member(session), Purpose.ADAPTER)
    engines.choose_again(session, at.participation(session))


def agree(session: Session, at: Stage, answers: Mapping[Purpose, bool] | None = None) -> None:
    words = notice(
        "gdpr",
        "en",
        company="Acme",
        processor="Us",
        region="here",
        retention_days=30,
        headshot_days=30,
        leaver_days=90,
        latest=now().date(),
        today=now().date(),
    )
    consent.give(session, at.participation(session), answers or dict.fromkeys(Purpose, True), words)


def own_picture(session: Session, at: Stage) -> None:
    participations.stand_in(session, at.participation(session), Alternative.OWN_PICTURE)
    avatars.keep_own_picture(
        session, at.member(session), sealed(at.org, b"mine", Kind.OWN_PICTURE, at.member_id)
    )


def accept(session: Session, at: Stage) -> None:
    row = invites.accept(session, invites.usable(session, at.invite_id))
    sessions.start(session, at.member(session), SignInMethod.INVITE, participation=row)


def renew(session: Session, at: Stage) -> None:
    invites.renew(session, at.invite_id)


def remind(session: Session, at: Stage) -> None:
    reminding.remind(session, at.participation(session), actor=audit.SYSTEM)


def revoke(session: Session, at: Stage) -> None:
    invites.revoke(session, at.participation_id, actor=audit.SYSTEM)


def close(session: Session, at: Stage) -> None:
    shoot = shoots.get(session, at.participation(session).shoot_id, lock=True)
    shoots.close(session, shoot, actor=audit.SYSTEM)


def end_reminders(session: Session, at: Stage) -> None:
    reminders.end(session, at.participation_id)


def disable(session: Session, at: Stage) -> None:
    access.disable(session, at.member(session), actor=audit.SYSTEM)


def enable(session: Session, at: Stage) -> None:
    access.enable(session, at.member(session), actor=audit.SYSTEM)


def arrive(session: Session, at: Stage) -> None:
    token = sessions.start(
        session, at.member(session), SignInMethod.DATA, participation=at.participation(session)
    )
    devices.arrive(session, sessions.row_of(session, token), secret=new_id().hex, agent="iPhone")


def disown(session: Session, at: Stage) -> None:
    devices.disown(session, at.session_id)


def shut_out(session: Session, at: Stage) -> None:
    devices.shut_out(session, at.session_id)


def sweep(session: Session, at: Stage) -> None:
    retention.sweep(session)


def purge(session: Session, at: Stage) -> None:
    marked = session.scalars(
        select(Artifact.id).where(
            Artifact.member_id == at.member_id, Artifact.delete_requested_at.is_not(None)
        )
    )
    vault().note_destroyed(session, marked.all())


VERBS: dict[Verb, State] = {  # each with a state in which it has something to do
    erase: State.UPLOADING,
    decline: State.READY,
    withdraw_all: State.DELIVERED,
    step_back: State.RENDERING,
    upload: State.UPLOADING,
    judge: State.UPLOADING,
    remove: State.UPLOADING,
    submit: State.UPLOADING,
    reopen: State.DELIVERED,
    begin: State.SUBMITTED,
    keep: State.RENDERING,
    give_up: State.RENDERING,
    fall_back: State.RENDERING,
    checkpoint: State.RENDERING,
    approve: State.READY,
    download: State.APPROVED,
    archive: State.APPROVED,
    withdraw_likeness: State.UPLOADING,
    withdraw_adapter: State.RENDERING,
    agree: State.OPENED,
    own_picture: State.DECLINED,
    accept: State.INVITED,
    renew: State.OPENED,
    remind: State.OPENED,
    revoke: State.OPENED,
    close: State.UPLOADING,
    end_reminders: State.OPENED,
    disable: State.UPLOADING,
    enable: State.OPENED,
    arrive: State.READY,
    disown: State.UPLOADING,
    shut_out: State.READY,
    sweep: State.DELIVERED,
    purge: State.DECLINED,
}


def together(threads: ThreadPoolExecutor, at: Stage, *verbs: Verb) -> list[BaseException | None]:
    """Do verbs at once, each in a transaction that is not tried again; return what refused each."""
    start = Barrier(len(verbs), timeout=30)

    def do(verb: Verb) -> BaseException | None:
        with transaction(at.org) as session:
            start.wait()
            verb(session, at)
        return None

    def caught(verb: Verb) -> BaseException | None:
        try:
            return do(verb)
        except AppError as error:  # a rule of ours; anything else, a deadlock above all, fails the test
            return error

    return list(threads.map(caught, verbs))


def leads_to(state: str, steps: list[tuple[str, str]]) -> bool:
    """Whether the steps, in some order, are one way that ends in `state`; ids of one millisecond have no order."""
    return any(
        all(earlier[1] == later[0] for earlier, later in itertools.pairwise([*order, (state, state)]))
        for order in itertools.permutations(steps)
    )


def assert_legal(at: Stage, erased: bool) -> None:
    with transaction(at.org) as session:
        row = at.participation(session)
        steps = [
            (event.facts["before"], event.facts["after"])
            for event in session.scalars(
                select(AuditEvent).where(
                    AuditEvent.subject_id == at.member_id, AuditEvent.tag == audit.Tag.PARTICIPATION_MOVED
                )
            )
        ]
        assert leads_to(row.state, steps), steps
        readable = {
            artifact.kind
            for artifact in session.scalars(
                select(Artifact).where(
                    Artifact.member_id == at.member_id, Artifact.delete_requested_at.is_(None)
                )
            )
        }
        agreed = session.scalars(
            select(Consent.id).where(Consent.member_id == at.member_id, Consent.withdrawn_at.is_(None))
        ).all()
        if row.state in (State.DECLINED, State.ERASED):
            assert row.chosen_headshot_id is None
        if row.state == State.DECLINED:
            assert readable <= {Kind.OWN_PICTURE}, readable
        if row.state in participations.SETTLED:
            assert row.chosen_headshot_id == at.headshot_id
        if not erased:
            return
        assert row.state == State.ERASED
        assert readable == set()
        assert not agreed
        assert session.scalars(select(Erasure).where(Erasure.member_id == at.member_id)).one()
        assert at.member(session).email is None
        assert not session.scalars(
            select(WebSession.id).where(
                WebSession.member_id == at.member_id,
                WebSession.ended_at.is_(None) | WebSession.device_sha256.is_not(None),
            )
        ).all(), "a session outlived its person"
        assert not session.scalars(
            select(Invite).where(Invite.member_id == at.member_id, Invite.revoked_at.is_(None))
        ).all()
        assert not vault().keys.exists(at.member_id)
