"""Any order of what people, time and operators do: nothing stays readable that should be gone, and all else stays readable.

Each thing that is ever held is remembered with the sealed bytes as they lay in the storage, as a backup of it would have them. Once it
should be gone and the work is done, those bytes are put back and must not open. What should stay is read as the product reads it.
"""

from __future__ import annotations

import json
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
import verbs
from conftest import Template, add_member, add_shoot, installed
from erasing import erase
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from restores import back_up, good, main_of, move_to, run
from sealing import sealed
from sqlalchemy import select
from stage import Stage
from work import do_all_work

from compliance import consent, erasure, retention
from compliance.consent import leaving
from compliance.log import sequencer
from core import audit
from core.checks.report import Gate
from core.clock import now
from core.consent import Purpose, ValidConsent
from core.db import transaction
from core.ids import new_id
from core.models import (
    Artifact,
    EngineName,
    Headshot,
    Kind,
    Member,
    Participation,
    Photo,
    State,
)
from core.people import consents, organizations
from core.portraits import headshots, photos, submission, verdicts
from core.shoots import participations
from core.style.spec import StyleSpec
from core.vault import ArtifactGone, Held, KeyErased, vault
from core.vault.kms import EpochKeyGone
from deploy.local.services import LocalServices
from workers.pipeline import assignment
from workers.pipeline.assignment import Assignment
from workers.pipeline.gates import GateReport
from workers.pipeline.render import Headshot as Made
from workers.pipeline.render import RenderResult

# pyHanko's dependencies use what cryptography deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PEOPLE = ("Ada", "Grace")
people = st.sampled_from(PEOPLE)
LONG_AGO = timedelta(days=40)  # photos end 30 days after approval
GATE = Gate(value=0.4, unit="distance", limit=0.6, passed=True, why="a test")


@dataclass(frozen=True)
class Item:
    """Something that was held about a person."""

    held: Held
    bytes: bytes  # as they lay in the storage


@dataclass
class Model:
    """What should be readable now; a backup keeps a copy of it."""

    alive: set[UUID] = field(default_factory=set)  # artifacts
    figures: set[UUID] = field(default_factory=set)  # headshots that say what comparing faces gave
    agreed: dict[str, dict[Purpose, UUID]] = field(default_factory=lambda: {name: {} for name in PEOPLE})
    named: set[str] = field(default_factory=lambda: set(PEOPLE))

    def copy(self) -> Model:
        return Model(
            set(self.alive),
            set(self.figures),
            {name: dict(one) for name, one in self.agreed.items()},
            set(self.named),
        )


@dataclass
class Backup:
    folder: Path
    epoch: int
    model: Model


class Life(RuleBasedStateMachine):
    """Two people in one shoot, and whoever runs the installation."""

    services: LocalServices
    migrated: Template

    def __init__(self) -> None:
        super().__init__()
        self.at_end = ExitStack()
        self.home = Path(self.at_end.enter_context(tempfile.TemporaryDirectory(prefix="headshots-order-")))
        self.patch = self.at_end.enter_context(pytest.MonkeyPatch.context())
        self.at_end.enter_context(installed(self.services, self.migrated, self.home, self.patch))
        self.org = organizations.create("acme", "Acme")
        shoot = add_shoot(self.org)
        self.style = shoot.style_id
        self.ids, self.parts = {}, {}
        for name in PEOPLE:
            self.ids[name] = add_member(self.org, name).id
            with transaction(self.org) as session:
                row = Participation(
                    id=new_id(), org_id=self.org, shoot_id=shoot.id, member_id=self.ids[name],
                    state=State.INVITED, changed_at=now(),
                )  # fmt: skip
                session.add(row)
                self.parts[name] = row.id
        self.model = Model()
        self.items: dict[UUID, Item] = {}
        self.gone: set[UUID] = set()  # artifacts, figures and consents that never come back
        self.aged: set[UUID] = set()  # parts whose approval was long ago
        self.erased: set[str] = set()
        self.backups: list[Backup] = []
        self.epoch_turned = False

    def teardown(self) -> None:
        try:
            if self.backups:
                self._restore(self.backups[0])
            self._settle()
            self.all_is_as_it_should_be()
            self.sealed_bytes_of_what_is_gone_do_not_open()
            checked = run("drill", "check", "--json")
            assert checked.exit_code == 0, checked.output
        finally:
            self.at_end.close()

    # What people do

    @initialize()
    def everybody_takes_part(self) -> None:
        for name in PEOPLE:
            self.upload(name, likeness=True)
        self.render("Ada")
        assert {self.items[one].held.kind for one in self.model.alive} == {
            Kind.PHOTO,
            Kind.LIKENESS,
            Kind.HEADSHOT,
        }
        assert self.model.figures
        self.back_up()

    @rule(name=people, likeness=st.booleans())
    def upload(self, name: str, likeness: bool) -> None:
        if not self._is_here(name):
            return
        if self._state(name) in (State.INVITED, State.OPENED, State.DECLINED):
            self._agree(name, likeness)
        if self._state(name) not in photos.OPEN:
            return
        with transaction(self.org) as session:
            agreed = consents.agreed(session, self.ids[name])
            compared = (
                sealed(self.org, b"[0.5]", Kind.LIKENESS, self.ids[name])
                if Purpose.LIKENESS in agreed
                else None
            )
            stored = photos.store(
                session,
                session.get_one(Participation, self.parts[name]),
                sealed(self.org, b"as it came", Kind.PHOTO, self.ids[name]),
                upload_key=new_id().hex,
                consent=consent.require(session, self.ids[name]),
            )
            original = stored.photo.artifact_id
            verdicts.record_verdict(
                session,
                stored.photo,
                {"accepted": True, "issues": []},
                stripped=sealed(self.org, b"without metadata", Kind.PHOTO, self.ids[name]),
                likeness=compared,
            )
        self.gone.add(original)
        self._see_what_is_new()

    @rule(name=people)
    def render(self, name: str) -> None:
        if not self._is_here(name) or self._state(name) is not State.UPLOADING:
            return
        with transaction(self.org) as session:
            part = session.get_one(Participation, self.parts[name])
            held = photos.of_participation(session, part.id)
            if not held:
                return
            agreed = consents.agreed(session, self.ids[name])
            gates = {"edge": GATE} | ({"likeness": GATE} if Purpose.LIKENESS in agreed else {})
            submission.submit(session, part, actor=audit.SYSTEM)
            assignment.begin(session, part.id)
            report = GateReport(passed=True, gates=gates, figures={})
            made = Made(str(held[0].id), np.zeros((8, 8, 3), np.uint8), report, 1.0)
            work = Assignment(
                part.id, self.ids[name], self.style, StyleSpec(), ValidConsent(self.ids[name], agreed),
                frozenset({Purpose.PHOTO}), [], {}, None,
            )  # fmt: skip
            result = RenderResult((made,), (), {}, {})
            picture = sealed(self.org, b"a headshot", Kind.HEADSHOT, self.ids[name], "image/png")
            assert assignment.keep(session, work, result, [picture], engine=EngineName.STUDIO, seconds=1.0)
            assignment.finished(session, part.id, result)
        self._see_what_is_new()

    @rule(name=people)
    def approve(self, name: str) -> None:
        if not self._is_here(name) or self._state(name) is not State.READY:
            return
        with transaction(self.org) as session:
            part = session.get_one(Participation, self.parts[name])
            [shown, *_] = headshots.of_participation(session, part.id)
            headshots.approve(session, part, shown, actor=audit.SYSTEM)

    @rule(name=people)
    def remove_a_photo(self, name: str) -> None:
        if not self._is_here(name) or self._state(name) not in photos.OPEN:
            return
        with transaction(self.org) as session:
            held = photos.of_participation(session, self.parts[name])
            if not held:
                return
            ended = set(held[0].held)
            photos.remove(session, held[0], actor=audit.SYSTEM)
        self._end(ended)

    @rule(name=people)
    def take_comparing_back(self, name: str) -> None:
        if not self._is_here(name):
            return
        with transaction(self.org) as session:
            consent.withdraw(session, session.get_one(Member, self.ids[name]), Purpose.LIKENESS)
        self._end(self._held(name, Kind.LIKENESS) | self._figures(name))
        self._no_longer_agreed(name, Purpose.LIKENESS)

    @rule(name=people)
    def take_everything_back(self, name: str) -> None:
        if not self._is_here(name):
            return
        with transaction(self.org) as session:
            part = session.get_one(Participation, self.parts[name])
            leaving.withdraw_all(session, part, actor=audit.SYSTEM)
        self._end(self._held(name, *Kind) | self._figures(name))
        self._no_longer_agreed(name, *Purpose)
        self.aged.discard(self.parts[name])

    @rule(name=people)
    def erase(self, name: str) -> None:
        if not self._is_here(name):
            return
        erase(self.org, self.ids[name])
        self._end(self._held(name, *Kind) | self._figures(name))
        self._no_longer_agreed(name, *Purpose)
        self.erased.add(name)
        self.model.named.discard(name)

    # What time and operators do

    @rule(name=people)
    def time_passes_after_the_approval(self, name: str) -> None:
        if self._is_here(name) and self._state(name) is State.APPROVED:
            self.aged.add(self.parts[name])
            self._sweep()

    @rule()
    def work(self) -> None:
        do_all_work()
        sequencer.sequence_all()

    @rule()
    def turn_the_epoch(self) -> None:
        erasure.turn_epoch()
        do_all_work()
        for one in self.backups:
            with pytest.raises(EpochKeyGone):
                vault().keys.check_keyring(one.epoch)

    @precondition(lambda self: len(self.backups) < 2)
    @rule()
    def back_up(self) -> None:
        folder = back_up(self.home / f"backups-{len(self.backups)}", "--objects")
        epoch = json.loads((folder / "manifest.json").read_text())["epoch"]
        self.backups.append(Backup(folder, epoch, self.model.copy()))

    @precondition(lambda self: self.backups)
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        self._restore(data.draw(st.sampled_from(self.backups)))

    def _restore(self, backup: Backup) -> None:
        empty = self.services.fresh_databases("order")
        self.at_end.callback(self.services.drop_databases, empty)
        move_to(main_of(self.services, empty), self.patch)
        good("restore", str(backup.folder))
        self.model = backup.model.copy()
        self.model.alive -= self.gone
        self.model.figures -= self.gone
        self.model.named -= self.erased
        for agreed in self.model.agreed.values():
            for purpose, given in list(agreed.items()):
                if given in self.gone:
                    del agreed[purpose]
        self._sweep()

    # What should be so

    @invariant()
    def all_is_as_it_should_be(self) -> None:
        with transaction(self.org) as session:
            held = set(
                session.scalars(
                    select(Artifact.id).where(
                        Artifact.delete_requested_at.is_(None), Artifact.member_id.is_not(None)
                    )
                )
            )
            assert held == self.model.alive
            agreed = consents.agreed_by(session, list(self.ids.values()))
            assert agreed == {self.ids[name]: set(one) for name, one in self.model.agreed.items()}
            assert self._compared(session) == self.model.figures
            names = {row.first_name for row in session.scalars(select(Member))}
            assert names - {None} == self.model.named
        for one in self.model.alive:
            assert vault().open(self.items[one].held), "what should stay can be read"

    def sealed_bytes_of_what_is_gone_do_not_open(self) -> None:
        store = vault().store
        for one in self.gone & self.items.keys():
            item = self.items[one]
            lies_there = store.exists(
                item.held.object_name
            )  # until the sweep of strays, where a restore came before its purge
            if not lies_there:
                store.put(item.held.object_name, item.bytes)
            with pytest.raises((KeyErased, ArtifactGone)):
                vault().open(item.held)
            if not lies_there:
                store.delete(item.held.object_name)

    # Steps of these

    def _settle(self) -> None:
        do_all_work()
        sequencer.sequence_all()

    def _sweep(self) -> None:
        """Have the sweep find approvals as old as they are, also in a database that forgot how old."""
        with transaction(self.org) as session:
            for part in self.aged:
                row = session.get_one(Participation, part)
                if row.approved_at is not None:
                    row.approved_at = now() - LONG_AGO
            session.flush()
            over = select(Photo).join(Participation, Participation.id == Photo.participation_id)
            over = over.where(Photo.removed_at.is_(None), Participation.id.in_(self.aged))
            ended = {
                one
                for photo in session.scalars(over.where(Participation.state == State.APPROVED))
                for one in photo.held
            }
        retention.sweep_all()
        self._end(ended)
        self._settle()
        self.sealed_bytes_of_what_is_gone_do_not_open()

    def _is_here(self, name: str) -> bool:
        return name in self.model.named

    def _state(self, name: str) -> State:
        with transaction(self.org) as session:
            return State(session.get_one(Participation, self.parts[name]).state)

    def _agree(self, name: str, likeness: bool) -> None:
        at = Stage(self.org, self.ids[name], self.parts[name], [], new_id(), new_id(), new_id())
        with transaction(self.org) as session:
            row = session.get_one(Participation, self.parts[name])
            if row.state != State.OPENED:
                participations.move(session, row, State.OPENED, actor=audit.SYSTEM)
            verbs.agree(session, at, {Purpose.PHOTO: True, Purpose.LIKENESS: likeness})
            participations.move(session, row, State.CONSENTED, actor=audit.SYSTEM)
        with transaction(self.org) as session:
            standing = consents.standing(session, self.ids[name])
            agreed = consents.agreed(session, self.ids[name])
            self.model.agreed[name] = {
                purpose: row.id for purpose, row in standing.items() if purpose in agreed
            }
        assert Purpose.PHOTO in agreed
        assert (Purpose.LIKENESS in agreed) is likeness

    def _no_longer_agreed(self, name: str, *purposes: Purpose) -> None:
        for purpose in purposes:
            given = self.model.agreed[name].pop(purpose, None)
            if given is not None:
                self.gone.add(given)

    def _end(self, ended: set[UUID]) -> None:
        self.gone |= ended
        self.model.alive -= ended
        self.model.figures -= ended

    def _held(self, name: str, *kinds: Kind) -> set[UUID]:
        return {
            one
            for one in self.model.alive
            if (held := self.items[one].held).member_id == self.ids[name] and held.kind in kinds
        }

    def _figures(self, name: str) -> set[UUID]:
        with transaction(self.org) as session:
            whose = select(Headshot.id).where(Headshot.member_id == self.ids[name])
            return set(session.scalars(whose)) & self.model.figures

    @staticmethod
    def _compared(session: object) -> set[UUID]:
        rows = session.scalars(select(Headshot))  # type: ignore[attr-defined]
        return {row.id for row in rows if "likeness" in row.gates.get("gates", {})}

    def _see_what_is_new(self) -> None:
        with transaction(self.org) as session:
            rows = select(Artifact.id).where(
                Artifact.member_id.is_not(None), Artifact.delete_requested_at.is_(None)
            )
            new = [vault().find(session, one) for one in session.scalars(rows) if one not in self.items]
            self.model.figures |= self._compared(session) - self.gone
        for held in new:
            self.items[held.id] = Item(held, vault().store.get(held.object_name))
            self.model.alive.add(held.id)


def _run(services: LocalServices, migrated: Template, examples: int, steps: int) -> None:
    here = type("Life", (Life,), {"services": services, "migrated": migrated})
    run_state_machine_as_test(
        here,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_nothing_stays_readable_that_should_be_gone_and_all_else_does(
    services: LocalServices, migrated: Template
) -> None:
    _run(services, migrated, examples=4, steps=8)


@pytest.mark.slow
def test_the_same_for_many_more_orders(services: LocalServices, migrated: Template) -> None:
    _run(services, migrated, examples=60, steps=25)
