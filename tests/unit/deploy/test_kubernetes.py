"""The cluster's files: what each overlay comes to is valid, and keeps the promises of the other ways to run it."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from core.queue import CPU_LANES, Lane
from core.settings import Settings

DEPLOY = Path(__file__).parents[3] / "deploy"
OVERLAYS = ["small", "gpu-fleet"]
VERSION = "1.32"
POD = {"Deployment", "Job"}
pytestmark = pytest.mark.skipif(
    shutil.which("kubectl") is None, reason="needs kubectl, which brings Kustomize"
)
Thing = dict[str, Any]


@functools.cache
def built(overlay: str) -> tuple[Thing, ...]:
    folder = DEPLOY / "kubernetes" / "overlays" / overlay
    answer = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (0, "")
    return tuple(yaml.safe_load_all(answer.stdout))


def of_kind(overlay: str, *kinds: str) -> dict[str, Thing]:
    return {one["metadata"]["name"]: one for one in built(overlay) if one["kind"] in kinds}


def pods(overlay: str) -> dict[str, Thing]:
    """Return the specification of every pod by what makes it."""
    return {name: one["spec"]["template"]["spec"] for name, one in of_kind(overlay, *POD).items()}


def labels(overlay: str, name: str) -> dict[str, str]:
    found: dict[str, str] = of_kind(overlay, *POD)[name]["spec"]["template"]["metadata"]["labels"]
    return found


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kubernetes_takes_everything(overlay: str) -> None:
    checked = 0
    for one in built(overlay):
        if one["kind"] != "ScaledObject":  # KEDA's own kind, whose schema Kubernetes does not have
            kubernetes_validate.validate(one, VERSION, strict=True)
            checked += 1
    assert checked > 10


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_pod_has_no_rights_and_writes_to_memory_alone(overlay: str) -> None:
    for name, pod in pods(overlay).items():
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        (container,) = pod["containers"]
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"]
        assert not context["allowPrivilegeEscalation"]
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in container["resources"]["limits"], name
        for volume in pod["volumes"]:
            assert volume.get("emptyDir", {"medium": "Memory"})["medium"] == "Memory"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_serves_is_asked_how_it_is_on_a_port_that_nobody_publishes(overlay: str) -> None:
    published = [
        port["targetPort"] for one in of_kind(overlay, "Service").values() for port in one["spec"]["ports"]
    ]
    for name in of_kind(overlay, "Deployment"):
        (container,) = pods(overlay)[name]["containers"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        for probe in ("startupProbe", "livenessProbe"):
            assert container[probe]["httpGet"] == {"path": "/healthz", "port": "metrics"}
        assert ports["metrics"] == 9464
        assert not {"metrics", 9464} & set(published)
    (web,) = pods(overlay)["headshots-web"]["containers"]
    assert web["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "metrics"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_nodes_can_be_emptied_while_everything_goes_on(overlay: str) -> None:
    budgets = of_kind(overlay, "PodDisruptionBudget")
    deployments = of_kind(overlay, "Deployment")
    assert set(budgets) == set(deployments)
    for name, budget in budgets.items():
        assert budget["spec"]["selector"]["matchLabels"].items() <= labels(overlay, name).items()
        least = budget["spec"].get("minAvailable")
        if least is not None:
            assert 0 < least < deployments[name]["spec"]["replicas"]
        else:
            assert budget["spec"]["maxUnavailable"] == 1


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_nothing_is_reached_that_no_policy_names(overlay: str) -> None:
    policies = of_kind(overlay, "NetworkPolicy")
    everything = policies.pop("headshots-nothing")["spec"]
    assert everything == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for name in pods(overlay):
        chosen = {
            policy
            for policy, one in policies.items()
            if one["spec"]["podSelector"]["matchLabels"].items() <= labels(overlay, name).items()
        }
        wanted = {"headshots-metrics", "headshots-outside"} | (
            {"headshots-pages"} if name == "headshots-web" else set()
        )
        assert chosen == wanted, name
    for one in policies.values():
        for allowed in one["spec"].get("ingress", []):
            assert allowed["from"]
            assert allowed["ports"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_keys_are_written_where_they_are_made_and_turned(overlay: str) -> None:
    writing = {
        (name, mount["name"])
        for name, pod in pods(overlay).items()
        for mount in pod["containers"][0]["volumeMounts"]
        if not mount.get("readOnly") and mount["name"] in {"keyring", "signing"}
    }
    assert writing == {
        ("headshots-migrate", "keyring"),
        ("headshots-migrate", "signing"),
        ("headshots-scheduler", "keyring"),
    }


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_only_migrations_know_the_owner_of_the_tables(overlay: str) -> None:
    knowing = [name for name, pod in pods(overlay).items() if "headshots-owner" in str(pod)]
    assert knowing == ["headshots-migrate"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_setting_is_there_once_the_secrets_are(overlay: str) -> None:
    given = set(of_kind(overlay, "ConfigMap")["headshots-settings"]["data"])
    secret = (DEPLOY / "kubernetes" / "base" / "settings.yaml").read_text()
    secrets = set(re.findall(r"HEADSHOTS_[A-Z_]+", secret.split("apiVersion", maxsplit=1)[0]))
    known = {f"HEADSHOTS_{name.upper()}": field for name, field in Settings.model_fields.items()}
    assert given | secrets <= set(known)
    assert {name for name, field in known.items() if field.is_required()} <= given | secrets
    assert not [
        name for name in given if "password" in name.lower() or name.endswith(("_KEY", "_DATABASE_URL"))
    ]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_images_are_built_from_targets_that_exist(overlay: str) -> None:
    targets = set(re.findall(r" AS (\S+)", (DEPLOY / "images" / "Dockerfile").read_text()))
    for pod in pods(overlay).values():
        image = pod["containers"][0]["image"]
        name, _, tag = image.partition(":")
        assert name.removeprefix("headshots-") in targets
        assert tag not in {"", "latest"}


def test_workers_are_as_many_as_the_age_of_their_lanes_asks_for() -> None:
    from core.observe import figures

    measured = Path(figures.__file__).read_text()
    deployments = of_kind("gpu-fleet", "Deployment")
    lanes: dict[str, set[str]] = {}
    for one in of_kind("gpu-fleet", "ScaledObject").values():
        spec = one["spec"]
        target = spec["scaleTargetRef"]["name"]
        assert "replicas" not in deployments[target]["spec"], "two would decide how many there are"
        assert 0 < spec["minReplicaCount"] < spec["maxReplicaCount"]
        for trigger in spec["triggers"]:
            (metric, chosen) = re.fullmatch(
                r"max\(headshots_([a-z_]+)\{lane=~?\"([a-z|]+)\"\}\)", trigger["metadata"]["query"]
            ).groups()
            assert f'"{metric}"' in measured
            assert float(trigger["metadata"]["threshold"]) > 0
            lanes.setdefault(target, set()).update(chosen.split("|"))
    assert lanes == {
        "headshots-worker": {lane.value for lane in CPU_LANES},
        "headshots-gpu": {Lane.GPU.value},
    }


def test_a_gpu_worker_has_a_gpu_of_its_own_and_weights_that_it_cannot_change() -> None:
    pod = pods("gpu-fleet")["headshots-gpu"]
    (container,) = pod["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    (models,) = [mount for mount in container["volumeMounts"] if mount["name"] == "models"]
    assert models["readOnly"]
    settings = of_kind("gpu-fleet", "ConfigMap")["headshots-settings"]["data"]
    assert settings["HEADSHOTS_DIFFUSION_TRAIN_MODEL"].startswith(models["mountPath"])
