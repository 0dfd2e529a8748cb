"""Who does what: CPU workers leave the GPU's work alone, GPU workers do nothing else and say that they are there."""

from __future__ import annotations

import subprocess
from uuid import UUID

import pytest
from click.testing import CliRunner
from conftest import add_participation
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import select

from core import gpu, relay
from core.db import transaction
from core.models import EngineName, Member, Outbox, Participation, State
from core.portraits.engines import Fallback
from core.queue import JOBS, JobName, Lane, enqueue, lane_of, redis_client
from deploy.cli import main
from deploy.local.processes import child_environment, python_module
from workers.process import run

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def participation(org: UUID, member: Member) -> Participation:
    """Somebody who waits for a model."""
    return add_participation(org, member, State.SUBMITTED, engine=EngineName.DIFFUSION)


def waiting(lane: Lane) -> int:
    return Queue(lane, connection=redis_client(), serializer=JSONSerializer).count


def owe_both(participation: Participation) -> None:
    with transaction(participation.org_id) as session:
        enqueue(session, JobName.TRAIN, participation.id)
        enqueue(session, JobName.PURGE, participation.member_id)
    relay.publish_due()
    assert (waiting(Lane.GPU), waiting(Lane.PROOF)) == (1, 1)


def done(participation: Participation) -> set[str]:
    with transaction(participation.org_id) as session:
        return set(session.scalars(select(Outbox.job).where(Outbox.done_at.is_not(None))))


def test_cpu_worker_does_not_take_gpu_work(environment: dict[str, str], participation: Participation) -> None:
    owe_both(participation)
    subprocess.run(
        python_module("deploy.cli", "worker", "--burst"),
        env=child_environment(environment),
        check=True,
        timeout=120,
    )
    assert done(participation) == {JobName.PURGE}
    assert waiting(Lane.GPU) == 1


def test_gpu_worker_takes_gpu_work_only_and_is_seen(participation: Participation) -> None:
    owe_both(participation)
    with run.present():
        run._serve([Lane.GPU], burst=True)
        (seen,) = gpu.alive()
        assert seen.memory_used <= seen.memory_total
    assert gpu.alive() == []
    assert done(participation) == {JobName.TRAIN}
    assert waiting(Lane.PROOF) == 1
    with transaction(participation.org_id) as session:
        assert session.get_one(Participation, participation.id).fallback_code == Fallback.ENGINE_OFF


def test_gpu_work_is_given_the_time_that_training_takes(participation: Participation) -> None:
    owe_both(participation)
    (job,) = Queue(Lane.GPU, connection=redis_client(), serializer=JSONSerializer).jobs
    assert job.timeout == 7200


def test_a_lane_that_redis_forgot_is_told_again(participation: Participation) -> None:
    owe_both(participation)
    assert relay.publish_due() == 0
    redis_client().flushall()
    assert relay.publish_due() == 2
    assert (waiting(Lane.GPU), waiting(Lane.PROOF)) == (1, 1)


def test_without_the_packages_the_command_says_what_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.cli.group.find_spec", lambda name: None if name == "torch" else object())
    for command in (["worker"], ["demo", "--models", "tiny"]):
        answer = CliRunner().invoke(main, [*command, "--engine", "diffusion"])
        assert answer.exit_code == 2
        assert "make setup-gpu" in answer.stderr


def test_gpu_worker_has_no_other_lanes() -> None:
    answer = CliRunner().invoke(main, ["worker", "--engine", "diffusion", "--lane", "mail"])
    assert answer.exit_code == 2
    assert "--lane" in answer.stderr


def test_gpu_worker_without_a_model_names_the_setting(environment: dict[str, str]) -> None:
    with pytest.raises(run.ConfigurationError, match="HEADSHOTS_DIFFUSION_BASE"):
        run.work_on_gpu()


def test_every_job_has_one_lane() -> None:
    carried = [job for jobs in JOBS.values() for job in jobs]
    assert sorted(carried) == sorted(JobName)
    assert set(JOBS) == set(Lane)
    assert all(lane_of(job) is lane for lane, jobs in JOBS.items() for job in jobs)
