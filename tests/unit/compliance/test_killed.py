"""A process that ends at any step of an erasure leaves one right certificate of each kind once work goes on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from conftest import add_member, add_participation
from sealing import put
from sqlalchemy import select, update
from work import do_all_work

from compliance import erasure, evidence, recall
from compliance.certificate import issuing, keeping, lines
from compliance.certificate.kept import kept
from compliance.log import sequencer
from compliance.verify import verify_file
from core import audit
from core.clock import now
from core.db import transaction
from core.ids import new_id
from core.models import AuditEvent, Certificate, Erasure, Kind, Member, Outbox, Participation, Recall, State
from core.portraits import downloads
from core.vault import vault

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Killed(BaseException):
    """What no handler of the program's catches: the process is gone."""


class Guillotine:
    """Falls at the `number`-th step of those that it watches."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.number, self.steps = 0, 0
        self._patch = monkeypatch

    def watch(self, place: Any, name: str) -> None:
        """Count each call of a function, and end the process before it or after it."""
        real: Callable[..., Any] = getattr(place, name)

        def step(*given: Any, **named: Any) -> Any:
            self._step()
            made = real(*given, **named)
            self._step()
            return made

        self._patch.setattr(place, name, step)

    def _step(self) -> None:
        self.steps += 1
        if self.steps == self.number:
            raise Killed


@pytest.fixture
def guillotine(org: UUID, monkeypatch: pytest.MonkeyPatch) -> Guillotine:
    found = Guillotine(monkeypatch)
    for place, name in (
        (vault().keys, "destroy"),
        (vault().keys, "forget"),
        (vault().store, "delete"),
        (vault(), "note_destroyed"),
        (lines, "look_for"),
        (lines, "read"),
        (issuing, "kept"),
        (issuing, "render_certificate"),
        (sequencer, "sequence"),
        (keeping, "keep_after_commit"),
    ):
        found.watch(place, name)
    assert issuing.kept is not kept
    return found


def erase_with_a_copy(org: UUID, member: Member, guillotine: Guillotine, at: int) -> int:
    """Erase somebody, with the process killed at step `at`; return how many steps there were."""
    part = add_participation(org, member, State.APPROVED)
    with transaction(org) as session:
        put(session, b"a face", kind=Kind.PHOTO, media_type="image/jpeg", member_id=member.id)
        session.get_one(Participation, part.id).chosen_headshot_id = new_id()
        downloads.handed(session, part.id, is_master=True, actor=audit.SYSTEM)
    guillotine.number, guillotine.steps = at, 0

    def press() -> None:
        with transaction(org) as session:
            person = session.get_one(Member, member.id)
            erasure.request(
                session,
                person,
                reason=erasure.ErasureReason.SELF_SERVICE,
                actor=audit.actor_for(person),
                language="en",
            )

    for work in (press, do_all_work, erasure.turn_epoch, do_all_work):
        with suppress(Killed):  # RQ takes note of it, too, and goes on
            work()
        if 0 < guillotine.number <= guillotine.steps:
            guillotine.number = 0  # the next process lives
            with transaction(org) as session:
                session.execute(update(Outbox).values(not_before=now(), published_at=None, started_at=None))
            work()
    return guillotine.steps


@pytest.mark.parametrize("stride", [9, pytest.param(1, marks=pytest.mark.slow)])
def test_killed_at_any_step_there_is_one_right_certificate_of_each_kind(
    org: UUID, guillotine: Guillotine, stride: int
) -> None:
    total = erase_with_a_copy(org, add_member(org, "Ada"), guillotine, 0)
    assert total > 20
    for step in range(1, total + 1, stride):
        member = add_member(org, f"Grace{step}")
        erase_with_a_copy(org, member, guillotine, step)
        with transaction(org) as session:
            requests = select(Erasure.id).where(Erasure.member_id == member.id)
            found = session.scalars(select(Certificate).where(Certificate.erasure_id.in_(requests))).all()
            assert sorted(one.status for one in found) == ["COMPLETE", "PENDING"], step
            for one in found:
                assert verify_file(one.pdf, evidence.published_keys(org)).ok, step
            events = session.scalars(select(AuditEvent.tag).where(AuditEvent.subject_id == member.id)).all()
            for tag in ("erasure.executed", "erasure.completed", "recall.asked"):
                assert events.count(tag) == 1, (step, tag)
            assert events.count("certificate.issued") == 2, step
            (asked,) = session.scalars(select(Recall).where(Recall.erasure_id.in_(requests)))
            assert recall.read(session, asked.id).files, step
    sequencer.sequence_all()
