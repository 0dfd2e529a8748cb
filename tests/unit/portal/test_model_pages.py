"""A shoot with an image model, as its people see it: what is held, where it stands, why the studio took over."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from conftest import forget_process_state
from sqlalchemy import select

from core.db import transaction
from core.models import Artifact, EngineName, Kind, Outbox, Participation, Shoot, State
from core.queue import JobName
from core.services import adapters

WEIGHTS = b"what was learned of a face"


@pytest.fixture
def modelled(ada: Any, shoot: Shoot, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Somebody in a shoot with an image model who has agreed to everything and sent a photo."""
    monkeypatch.setenv("HEADSHOTS_DIFFUSION_BASE", "klein")
    forget_process_state()
    with transaction(ada.org_id) as session:
        session.get_one(Shoot, shoot.id).engine = EngineName.DIFFUSION
    ada.accept().consent(photo="yes", likeness="yes", adapter="yes")
    ada.judge(ada.upload().json["id"])
    assert ada.post("/me/submit", "/me/photos").location == "/me/progress"
    return ada


def train(person: Any) -> None:
    """Keep an adapter and a checkpoint, as the worker would."""
    with transaction(person.org_id) as session:
        row = session.get_one(Participation, person.participation_id)
        adapters.keep_checkpoint(session, row, b"half")
        adapters.store(
            session,
            row,
            WEIGHTS,
            base="klein",
            revision="abc",
            rank=16,
            steps=600,
            seed=2**62,
            photos=["one"],
            curve=[{"step": 600, "distance": 0.3}],
            seconds=90.0,
            watt_hours=None,
        )


def owed(person: Any) -> list[str]:
    with transaction(person.org_id) as session:
        making = (JobName.TRAIN, JobName.GENERATE, JobName.RENDER)
        return list(session.scalars(select(Outbox.job).where(Outbox.job.in_(making)).order_by(Outbox.id)))


def test_export_says_that_a_model_exists_but_never_hands_it_out(modelled: Any) -> None:
    train(modelled)
    answer = modelled.browser.get("/me/export.zip")
    assert WEIGHTS not in answer.data
    archive = zipfile.ZipFile(io.BytesIO(answer.data))
    assert archive.namelist() == ["data.json", "photos/01.jpg"]
    (model,) = json.loads(archive.read("data.json"))["models"]
    assert model["file"] is None
    assert (model["base"], model["steps"], model["learned_from"]) == ("klein", 600, ["one"])
    assert (model["bytes"], model["seed"], model["erased_at"]) == (len(WEIGHTS), str(2**62), None)


def test_privacy_page_lists_the_model_and_taking_it_back_erases_it(modelled: Any) -> None:
    train(modelled)
    page = modelled.browser.get("/me/privacy").text
    assert "Image models of you (only the program uses them)" in page
    assert "Take back: Train an image model of me" in page
    assert modelled.fetch("/me/consent/withdraw", purpose="adapter").status_code == 200
    with transaction(modelled.org_id) as session:
        models = session.scalars(
            select(Artifact).where(Artifact.kind.in_((Kind.ADAPTER, Kind.CHECKPOINT)))
        ).all()
        assert len(models) == 2
        assert all(one.delete_requested_at for one in models)
    assert modelled.state() is State.SUBMITTED
    assert owed(modelled) == [JobName.TRAIN, JobName.GENERATE]


def test_taking_both_optional_consents_back_leads_to_the_studio(modelled: Any) -> None:
    modelled.fetch("/me/consent/withdraw", purpose="adapter")
    modelled.fetch("/me/consent/withdraw", purpose="likeness")
    assert owed(modelled) == [JobName.TRAIN, JobName.GENERATE, JobName.RENDER]
