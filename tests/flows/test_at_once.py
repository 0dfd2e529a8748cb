"""Every pair of verbs about one person at once: none waits for the other in a circle, and an erase always erases."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from threading import Barrier
from uuid import UUID

import numpy as np
import pytest
from conftest import add_member, add_shoot
from sealing import sealed
from sqlalchemy import select, update
from sqlalchemy.orm import Session

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
    Member,
    Participation,
    Photo,
    Shoot,
    SignInMethod,
    State,
    WebSession,
)
from core.people import access, sessions
from core.portraits import adapters, avatars, downloads, engines, headshots, photos, submission, verdicts
from core.shoots import devices, invites, participations, reminders, shoots
from core.style.spec import StyleSpec
from core.vault import vault
from workers.jobs import render as render_job
from workers.pipeline import assignment
from workers.pipeline.assignment import Assignment
from workers.pipeline.gates import GateReport
from workers.pipeline.render import Headshot as Made
from workers.pipeline.render import RenderResult


@dataclass(frozen=True)
class Stage:
    """One person in the middle of a shoot, and what there is of them."""

    org: UUID
    member_id: UUID
    participation_id: UUID
    photo_ids: list[UUID]
    headshot_id: UUID
    invite_id: UUID
    session_id: UUID

    def member(self, session: Session) -> Member:
        return session.get_one(Member, self.member_id)

    def participation(self, session: Session) -> Participation:
        return session.get_one(Participation, self.participation_id)

    def photo(self, session: Session) -> Photo:
        return session.get_one(Photo, self.photo_ids[0])

    def actor(self, session: Session) -> audit.Actor:
        return audit.actor_for(self.member(session))


def build(org: UUID, shoot: Shoot, state: State) -> Stage:
    """Put a person with two photos, a headshot, embeddings and a link into a shoot, or let them decline it then."""
    if state is not State.DECLINED:
        return _build(org, shoot, state)
    at = _build(org, shoot, State.READY)
    with transaction(org) as session:
        decline(session, at)
    return at


def _build(org: UUID, shoot: Shoot, state: State) -> Stage:
    member = add_member(org, email=f"{new_id().hex}@acme.example", employee_id=new_id().hex)
    with transaction(org) as session:

        def put(kind: Kind) -> UUID:
            return vault().put(session, b"x", kind=kind, media_type="image/png", member_id=member.id).id

        row = Participation(
            id=new_id(), org_id=org, shoot_id=shoot.id, member_id=member.id, state=state, changed_at=now()
        )
        session.add(row)
        session.flush()
        for purpose in Purpose:
            session.add(
                Consent(
                    id=new_id(),
                    org_id=org,
                    member_id=member.id,
                    participation_id=row.id,
                    purpose=purpose,
                    granted=True,
                    regime="gdpr",
                    language="en",
                    text_version="test",
                    text_sha256="0" * 64,
                )
            )
        taken = [
            Photo(
                id=new_id(),
                org_id=org,
                participation_id=row.id,
                member_id=member.id,
                artifact_id=put(Kind.PHOTO),
                preview_id=put(Kind.PREVIEW),
                likeness_id=put(Kind.LIKENESS),
                upload_key=f"photo-{number}",
                verdict={"accepted": True, "issues": []} if number else None,
                checked_at=now() if number else None,
            )
            for number in range(2)
        ]
        session.add_all(taken)
        session.flush()
        shot = Headshot(
            id=new_id(),
            org_id=org,
            participation_id=row.id,
            member_id=member.id,
            photo_id=taken[1].id,
            style_id=shoot.style_id,
            artifact_id=put(Kind.HEADSHOT),
            engine=EngineName.STUDIO,
            rank=0,
            gates={"gates": {"likeness": {"passed": True}}},
            seconds=1.0,
        )
        session.add(shot)
        if state in (State.RENDERING, State.APPROVED, State.DELIVERED):
            row.chosen_headshot_id, row.approved_at = shot.id, now() - timedelta(days=365)
        session.flush()
        (invite,) = invites.create_all(session, shoot, [row], actor=audit.SYSTEM)
        token = sessions.start(
            session, session.get_one(Member, member.id), SignInMethod.INVITE, participation=row
        )
        opened = sessions.row_of(session, token)
        devices.arrive(session, opened, secret=new_id().hex, agent="Windows")
        return Stage(org, member.id, row.id, [one.id for one in taken], shot.id, invite.id, opened.id)


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
        sealed(at.org_id, b"another photo", Kind.PHOTO, at.member_id),
        upload_key=new_id().hex,
        consent=agreed,
    )


def judge(session: Session, at: Stage) -> None:
    verdicts.record_verdict(
        session,
        at.photo(session),
        {"accepted": True, "issues": []},
        stripped=sealed(at.org_id, b"copy", Kind.PHOTO, at.member_id),
        likeness=sealed(at.org_id, b"[]", Kind.LIKENESS, at.member_id),
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
    held = [sealed(at.org_id, b"made", Kind.HEADSHOT, at.member_id, "image/png")]
    if assignment.keep(session, work, result, held, engine=EngineName.STUDIO, seconds=1.0):
        assignment.finished(session, at.participation_id, result)


def give_up(session: Session, at: Stage) -> None:
    render_job.failed(session, at.participation_id, "some_code")


def fall_back(session: Session, at: Stage) -> None:
    engines.fall_back(session, at.participation(session), "some_code")


def checkpoint(session: Session, at: Stage) -> None:
    adapters.keep_checkpoint(
        session, at.participation(session), sealed(at.org_id, b"half trained", Kind.CHECKPOINT, at.member_id)
    )


def approve(session: Session, at: Stage) -> None:
    shot = headshots.get(session, at.member_id, at.headshot_id)
    headshots.approve(session, at.participation(session), shot, actor=at.actor(session))


def download(session: Session, at: Stage) -> None:
    shot = headshots.get(session, at.member_id, at.headshot_id)
    headshots.download(session, at.participation(session), shot, "square", actor=at.actor(session))


def archive(session: Session, at: Stage) -> None:
    downloads.picture(session, at.participation_id)
    downloads.delivered(session, at.participation_id, actor=audit.SYSTEM)


def withdraw_likeness(session: Session, at: Stage) -> None:
    consent.withdraw(session, at.member(session), Purpose.LIKENESS)


def withdraw_adapter(session: Session, at: Stage) -> None:
    consent.withdraw(session, at.member(session), Purpose.ADAPTER)
    engines.choose_again(session, at.participation(session))


def agree(session: Session, at: Stage) -> None:
    words = notice("gdpr", "en", company="Acme", processor="Us", region="here", retention_days=30)
    consent.give(session, at.participation(session), dict.fromkeys(Purpose, True), words)


def own_picture(session: Session, at: Stage) -> None:
    participations.stand_in(session, at.participation(session), Alternative.OWN_PICTURE)
    avatars.keep_own_picture(
        session, at.member(session), sealed(at.org_id, b"mine", Kind.OWN_PICTURE, at.member_id)
    )


def accept(session: Session, at: Stage) -> None:
    row = invites.accept(session, invites.usable(session, at.invite_id))
    sessions.start(session, at.member(session), SignInMethod.INVITE, participation=row)


def renew(session: Session, at: Stage) -> None:
    invites.renew(session, at.invite_id)


def remind(session: Session, at: Stage) -> None:
    shoots.remind(session, at.participation(session), actor=audit.SYSTEM)


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
        select(Artifact)
        .where(Artifact.member_id == at.member_id, Artifact.delete_requested_at.is_not(None))
        .order_by(Artifact.id)
    )
    for artifact in marked.all():
        vault().purge(session, artifact)


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


@pytest.fixture(scope="module")
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


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


def run_pairs(org: UUID, threads: ThreadPoolExecutor, first: Verb, times: int) -> None:
    order = list(VERBS)
    shoot = add_shoot(org)
    for place, second in enumerate(order[order.index(first) :]):
        for number in range(times):
            at = build(org, shoot, VERBS[(first, second)[(place + number) % 2]])
            refused = together(threads, at, first, second)
            if erase in (first, second):
                assert refused[(first, second).index(erase)] is None
            assert_legal(at, erase in (first, second))
            with transaction(org) as session:  # a pair may have closed it
                session.execute(update(Shoot).where(Shoot.id == shoot.id).values(closed_at=None))


@pytest.mark.parametrize("first", VERBS, ids=lambda verb: verb.__name__)
def test_no_pair_of_verbs_about_one_person_is_given_up(
    org: UUID, threads: ThreadPoolExecutor, first: Verb
) -> None:
    run_pairs(org, threads, first, 4 if first is erase else 1)


@pytest.mark.slow
@pytest.mark.parametrize("first", VERBS, ids=lambda verb: verb.__name__)
def test_no_pair_of_verbs_is_given_up_in_fifty_tries(
    org: UUID, threads: ThreadPoolExecutor, first: Verb
) -> None:
    run_pairs(org, threads, first, 50)
