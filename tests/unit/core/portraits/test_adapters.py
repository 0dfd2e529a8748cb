"""Trained models of people: sealed, counted, and gone the moment their person says so."""

from __future__ import annotations

import io
import json
import threading
import time
from uuid import UUID

import pypdf
import pytest
from conftest import add_participation
from sealing import got, opened, put, sealed
from sqlalchemy import select
from sqlalchemy.orm import Session
from work import do_all_work

from compliance import consent as consents
from compliance import erasure, evidence
from compliance.verify import verify_file
from core import audit
from core.consent import ConsentRequired, Purpose
from core.db import transaction
from core.ids import new_id
from core.models import (
    Adapter,
    Artifact,
    AuditEvent,
    Certificate,
    EngineName,
    Kind,
    Member,
    Participation,
    Photo,
    State,
)
from core.portraits import adapters, photos
from core.vault import Sealed, vault

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

WEIGHTS = b"what was learned of a face"
HALF = b"half of that"


@pytest.fixture
def participation(org: UUID, member: Member) -> Participation:
    """Somebody whose model is being trained."""
    return add_participation(
        org, member, State.RENDERING, engine=EngineName.DIFFUSION, purposes=list(Purpose)
    )


def row_of(session: Session, participation: Participation) -> Participation:
    return session.get_one(Participation, participation.id)


def store(participation: Participation, photo_ids: tuple[str, ...] = (), content: bytes = WEIGHTS) -> Adapter:
    with transaction(participation.org_id) as session:
        return adapters.store(
            session,
            row_of(session, participation),
            sealed(participation.org_id, content, Kind.ADAPTER, participation.member_id),
            base="klein",
            revision="abc",
            rank=16,
            steps=600,
            seed=7,
            photos=photo_ids,
            curve=[{"step": 600, "distance": 0.31}],
            seconds=90.0,
            watt_hours=None,
        )


def half(participation: Participation, content: bytes = HALF) -> Sealed:
    return sealed(participation.org_id, content, Kind.CHECKPOINT, participation.member_id)


def keep(participation: Participation, content: bytes = HALF) -> None:
    with transaction(participation.org_id) as session:
        adapters.keep_checkpoint(session, row_of(session, participation), half(participation, content))


def withdraw(participation: Participation, purpose: Purpose = Purpose.ADAPTER) -> None:
    with transaction(participation.org_id) as session:
        consents.withdraw(session, session.get_one(Member, participation.member_id), purpose)


def objects(participation: Participation) -> dict[str, str]:
    """Name in the storage and kind of everything that was ever stored."""
    with transaction(participation.org_id) as session:
        return {one.object_name: one.kind for one in session.scalars(select(Artifact))}


def test_stored_adapter_is_found_with_its_facts_and_its_bytes_are_sealed(
    participation: Participation,
) -> None:
    stored = store(participation, ("photo",))
    with transaction(participation.org_id) as session:
        found = adapters.live(session, participation.id)
        assert found is not None
        assert found.id == stored.id
        assert (found.base, found.revision, found.rank, found.steps, found.seed) == (
            "klein",
            "abc",
            16,
            600,
            7,
        )
        assert (found.photos, found.curve) == (["photo"], [{"step": 600, "distance": 0.31}])
        assert got(session, found.artifact_id) == WEIGHTS
        assert vault().inventory(session, participation.member_id) == {Kind.ADAPTER: (1, len(WEIGHTS))}
    (name,) = objects(participation)
    assert WEIGHTS not in vault().store.get(name)


def test_new_adapter_takes_the_place_of_the_one_before(participation: Participation) -> None:
    first, second = store(participation), store(participation, content=b"better")
    do_all_work()
    with transaction(participation.org_id) as session:
        found = adapters.live(session, participation.id)
        assert found is not None
        assert found.id == second.id
        gone = session.get_one(Artifact, first.artifact_id)
        assert gone.destroyed_at is not None
    assert not vault().store.exists(gone.object_name)


def test_one_checkpoint_is_kept_at_a_time_and_none_after_training(participation: Participation) -> None:
    keep(participation, b"at 200")
    keep(participation, b"at 400")
    do_all_work()
    with transaction(participation.org_id) as session:
        row = row_of(session, participation)
        assert opened(adapters.checkpoint(session, row)) == b"at 400"
        assert vault().inventory(session, participation.member_id) == {Kind.CHECKPOINT: (1, 6)}
        adapters.drop_checkpoint(session, row)
        assert adapters.checkpoint(session, row) is None
        adapters.drop_checkpoint(session, row)
    do_all_work()
    assert not any(vault().store.exists(name) for name in objects(participation))


def test_withdrawing_destroys_adapter_and_checkpoint_at_once(participation: Participation) -> None:
    store(participation)
    keep(participation)
    withdraw(participation)
    with transaction(participation.org_id) as session:
        assert adapters.live(session, participation.id) is None
        assert adapters.checkpoint(session, row_of(session, participation)) is None
        assert session.scalars(select(Adapter)).one().curve == []
        tags = session.scalars(select(AuditEvent.tag)).all()
        assert audit.Tag.CONSENT_WITHDRAWN in tags
        assert audit.Tag.ADAPTER_ERASED in tags
    do_all_work()
    kept = objects(participation)
    assert sorted(kept.values()) == [Kind.ADAPTER, Kind.CHECKPOINT]
    assert not any(vault().store.exists(name) for name in kept)


def test_nothing_can_be_kept_once_the_consent_is_taken_back(participation: Participation) -> None:
    withdraw(participation)
    with pytest.raises(ConsentRequired):
        store(participation)
    with pytest.raises(ConsentRequired):
        keep(participation)
    do_all_work()
    assert objects(participation) == {}


def test_worker_that_stores_while_the_person_withdraws_leaves_nothing(participation: Participation) -> None:
    """The withdrawal waits for what is just being committed, and then finds it."""
    withdrawing = threading.Thread(target=withdraw, args=(participation,))
    with transaction(participation.org_id) as session:
        row = row_of(session, participation)
        adapters.keep_checkpoint(session, row, half(participation))
        withdrawing.start()
        time.sleep(0.3)
        assert withdrawing.is_alive(), "the withdrawal did not wait"
    withdrawing.join(timeout=10)
    with transaction(participation.org_id) as session:
        assert adapters.checkpoint(session, row_of(session, participation)) is None
    do_all_work()
    assert not any(vault().store.exists(name) for name in objects(participation))


def test_taking_back_the_comparison_of_faces_drops_its_figures_but_not_the_model(
    participation: Participation,
) -> None:
    store(participation)
    withdraw(participation, Purpose.LIKENESS)
    with transaction(participation.org_id) as session:
        found = adapters.live(session, participation.id)
        assert found is not None
        assert found.curve == []


def test_deleting_a_photo_destroys_what_learned_from_it(participation: Participation) -> None:
    with transaction(participation.org_id) as session:
        file = put(session, b"x", kind=Kind.PHOTO, media_type="image/jpeg", member_id=participation.member_id)
        photo = Photo(
            id=new_id(),
            org_id=participation.org_id,
            participation_id=participation.id,
            member_id=participation.member_id,
            artifact_id=file.id,
            upload_key="one",
        )
        session.add(photo)
    store(participation, (str(new_id()), str(photo.id)))
    with transaction(participation.org_id) as session:
        photos.end(session, [session.get_one(Photo, photo.id)])
        assert adapters.live(session, participation.id) is None


def test_certificate_counts_adapters_and_checkpoints(participation: Participation) -> None:
    store(participation)
    keep(participation)
    with transaction(participation.org_id) as session:
        person = session.get_one(Member, participation.member_id)
        erasure.request(
            session,
            person,
            reason=erasure.ErasureReason.SELF_SERVICE,
            actor=audit.actor_for(person),
            language="de",
        )
    do_all_work()
    with transaction(participation.org_id) as session:
        pdf = session.scalars(select(Certificate)).one().pdf
    attached = json.loads(dict(pypdf.PdfReader(io.BytesIO(pdf)).attachments)["evidence.json"][0])
    lines = attached["certificate"]["locations"]
    found = {one["category"]: one for one in lines if one["where"] == "objects"}
    assert found["adapter"]["bytes"] == len(WEIGHTS)
    assert found["checkpoint"]["bytes"] == len(HALF)
    for one in (found["adapter"], found["checkpoint"]):
        assert (one["verification"]["read"], one["verification"]["left"]) == (1, 0)
    assert verify_file(pdf, evidence.published_keys(participation.org_id)).ok


def test_cost_adds_up_and_names_no_energy_that_was_not_measured(
    org: UUID, member: Member, participation: Participation
) -> None:
    with transaction(org) as session:
        row = row_of(session, participation)
        nothing = adapters.cost(session, row.shoot_id)
        assert (nothing.people, nothing.gpu_seconds, nothing.watt_hours) == (1, 0.0, None)
        adapters.spend(session, row, 60.0, 12.5)
        adapters.spend(session, row, 30.0, 7.5)
        measured = adapters.cost(session, row.shoot_id)
        assert (measured.people, measured.gpu_seconds, measured.watt_hours) == (1, 90.0, 20.0)
        adapters.spend(session, row, 10.0, None)
        adapters.spend(session, row, 10.0, 5.0)
        unknown = adapters.cost(session, row.shoot_id)
        assert (unknown.people, unknown.gpu_seconds, unknown.watt_hours) == (1, 110.0, None)
