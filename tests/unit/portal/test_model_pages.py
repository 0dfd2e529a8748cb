"""A shoot with an image model, as its people see it: what is held, where it stands, why the studio took over."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from conftest import forget_process_state
from sealing import sealed
from sqlalchemy import select

from core import gpu, progress
from core.db import transaction
from core.models import Artifact, EngineName, Kind, Outbox, Participation, Shoot, State
from core.portraits import adapters, engines
from core.queue import JobName

WEIGHTS = b"what was learned of a face"


@pytest.fixture
def modelled(ada: Any, shoot: Shoot, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Somebody in a shoot with an image model who has agreed to everything and sent a photo."""
    monkeypatch.setenv("HEADSHOTS_DIFFUSION_BASE", "klein")
    forget_process_state()
    with transaction(ada.org_id) as session:
        session.get_one(Shoot, shoot.id).engine = EngineName.DIFFUSION
    ada.accept().consent(photo="yes", likeness="yes", paint="yes", adapter="yes")
    for key in ("key-00000001", "key-00000002"):
        ada.judge(ada.upload(key=key).json["id"])
    assert ada.post("/me/submit", "/me/photos").location == "/me/progress"
    return ada


def train(person: Any) -> None:
    """Keep an adapter and a checkpoint, as the worker would."""
    with transaction(person.org_id) as session:
        row = session.get_one(Participation, person.participation_id)
        adapters.keep_checkpoint(session, row, sealed(row.org_id, b"half", Kind.CHECKPOINT, row.member_id))
        adapters.store(
            session,
            row,
            sealed(row.org_id, WEIGHTS, Kind.ADAPTER, row.member_id),
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
    assert archive.namelist() == [
        "data.json",
        "photos/01.jpg",
        "photos/02.jpg",
        "report.json",
        "report.pdf",
    ]
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


@pytest.mark.parametrize("purpose", ["paint", "likeness"])
def test_taking_back_what_paints_or_compares_leads_to_the_studio(modelled: Any, purpose: str) -> None:
    modelled.fetch("/me/consent/withdraw", purpose="adapter")
    modelled.fetch("/me/consent/withdraw", purpose=purpose)
    assert owed(modelled) == [JobName.TRAIN, JobName.GENERATE, JobName.RENDER]


def test_progress_names_each_step_with_the_time_left_and_survives_a_reload(modelled: Any) -> None:
    gpu.report("gpu-1", 1, 8)
    page = modelled.browser.get("/me/progress").text
    assert "Waiting for your turn on the computer with the image model" in page
    assert "With an image model it takes some minutes to an hour" in page

    modelled.set_state(State.RENDERING)
    progress.report(modelled.participation_id, "train", 0.25, seconds_left=181)
    for _ in range(2):
        page = modelled.browser.get("/me/progress").text
        assert "The image model learns what you look like" in page
        assert "about 4 minutes left for this step" in page
        assert 'value="18"' in page
    polled = modelled.browser.get("/me/progress.json").json
    assert (polled["step"], polled["left"], polled["note"]) == (
        "train",
        "about 4 minutes left for this step",
        "",
    )

    progress.report(modelled.participation_id, "generate", 0.8)
    polled = modelled.browser.get("/me/progress.json").json
    assert (polled["label"], polled["left"]) == (
        "The image model makes your portraits, and each is checked",
        "",
    )


def test_the_whole_never_goes_back_from_learning_to_the_pictures(modelled: Any) -> None:
    gpu.report("gpu-1", 1, 8)
    modelled.set_state(State.RENDERING)
    reports = [("train", 0.0), ("train", 1.0), ("learned", 0.0), ("generate", 0.0), ("generate", 1.0)]
    percents = []
    for step, fraction in reports:
        progress.report(modelled.participation_id, step, fraction)
        percents.append(modelled.browser.get("/me/progress.json").json["percent"])
    assert percents == [0, 70, 70, 70, 100]


def test_how_long_it_takes_is_what_it_usually_took_here(modelled: Any, invited: Any) -> None:
    grace = invited("Grace")
    assert "some minutes to an hour" in grace.browser.get(grace.link()).text
    modelled.set_state(State.READY, gpu_seconds=400.0)
    assert "takes about 7 minutes, and longer" in grace.browser.get(grace.link()).text


def test_stream_tells_steps_time_left_and_why_the_studio_takes_over(modelled: Any) -> None:
    progress.report(modelled.participation_id, "train", 0.5, seconds_left=30)
    answer = modelled.browser.get("/me/progress/events")
    events = (json.loads(chunk[6:]) for chunk in answer.response if chunk.startswith(b"data: "))
    assert next(events)["left"] == "about 1 minute left for this step"
    with transaction(modelled.org_id) as session:
        row = session.get_one(Participation, modelled.participation_id)
        engines.fall_back(session, row, engines.Fallback.TOO_FEW_PASSED)
    told = next(events)
    answer.close()
    assert (told["step"], told["left"]) == ("fallback", "")
    assert "did not look enough like you" in told["note"]


def test_page_is_honest_when_no_gpu_worker_runs(modelled: Any) -> None:
    assert "is not running just now" in modelled.browser.get("/me/progress").text
    assert modelled.browser.get("/me/progress.json").json["step"] == "no_gpu"
    gpu.report("gpu-1", 1, 8)
    assert modelled.browser.get("/me/progress.json").json["step"] == "queued_gpu"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (engines.Fallback.ENGINE_OFF, "no image model is set up"),
        (engines.Fallback.NO_GPU_WORKER, "did not run"),
        (engines.Fallback.TOO_FEW_PASSED, "did not look enough like you"),
        (engines.Fallback.CLOTHES_OFF, "image model here does not paint clothes"),
        (engines.Fallback.CLOTHES, "clothes that the image model painted did not turn out well enough"),
        (engines.Fallback.CONSENT, "you took back your consent"),
        ("RuntimeError", "did not work this time"),
    ],
)
def test_result_says_why_the_studio_took_over_and_that_it_costs_nothing(
    modelled: Any, code: str, reason: str
) -> None:
    modelled.set_state(State.READY, fallback_code=code)
    page = modelled.browser.get("/me/result").text
    assert reason in page
    assert "costs nobody anything" in page


def test_result_of_the_model_itself_needs_no_excuse(modelled: Any) -> None:
    modelled.set_state(State.READY)
    assert "costs nobody anything" not in modelled.browser.get("/me/result").text


@pytest.mark.parametrize("seconds", [0, 59, 61, 3600, 90_000])
def test_time_left_is_read_as_it_was_told(modelled: Any, seconds: int) -> None:
    progress.report(modelled.participation_id, "train", 0.5, seconds_left=seconds)
    assert progress.read(modelled.participation_id) == progress.Progress("train", 50, seconds)
    said = modelled.browser.get("/me/progress.json").json["left"]
    minutes = -(-seconds // 60)
    expected = {0: "this step is almost done", 1: "about 1 minute left for this step"}.get(
        minutes, f"about {minutes} minutes left for this step"
    )
    assert said == (expected if minutes <= 60 else "more than an hour left for this step")
