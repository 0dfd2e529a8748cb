"""One host with everything: the compose file and the example of its settings."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from core.settings import Settings

DEPLOY = Path(__file__).parents[3] / "deploy"
TEXT = (DEPLOY / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ["web", "worker", "scheduler", "migrate"]
KNOWN = {f"HEADSHOTS_{name.upper()}" for name in Settings.model_fields}


def test_it_is_what_the_compose_specification_allows() -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text())
    jsonschema.Draft201909Validator(schema).validate(COMPOSE)


@pytest.mark.parametrize("name", OURS)
def test_a_process_of_ours_may_do_little_and_leaves_nothing_on_a_disk(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"]
    assert service["user"].split(":")[0].isdigit()
    assert service["user"] != "0:0"
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["ulimits"]["core"] == 0
    assert service["memswap_limit"] == service["mem_limit"]


def test_every_service_comes_back_and_is_bounded() -> None:
    for name, service in SERVICES.items():
        assert service["restart"] == ("no" if name == "migrate" else "always"), name
        assert service["mem_limit"], name
        assert service["cap_drop"] == ["ALL"], name


def test_only_the_proxy_is_reached_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert COMPOSE["networks"]["inside"]["internal"]
    for name in ("database", "keys", "redis"):
        assert SERVICES[name]["networks"] == ["inside"]
    assert "inside" not in SERVICES["proxy"]["networks"]


def test_the_owner_of_the_tables_signs_in_where_migrations_run_and_nowhere_else() -> None:
    knowing = [name for name in OURS if "HEADSHOTS_DATABASE_OWNER_URL" in SERVICES[name]["environment"]]
    assert knowing == ["migrate"]


def test_keys_are_written_where_they_are_made_and_turned() -> None:
    writing = [name for name in OURS if "keyring:/var/lib/headshots/keyring" in SERVICES[name]["volumes"]]
    assert writing == ["scheduler", "migrate"]


def test_images_are_built_from_targets_that_exist() -> None:
    targets = set(re.findall(r" AS (\S+)", (DEPLOY / "images" / "Dockerfile").read_text()))
    built = {service["build"]["target"] for service in SERVICES.values() if "build" in service}
    assert built
    assert built <= targets
    images = {service["image"] for service in SERVICES.values() if "build" in service}
    assert SERVICES["migrate"]["image"] in images


def test_every_file_that_is_mounted_exists() -> None:
    mounted = re.findall(r"^\s+- (\./[^:]+):", TEXT, re.MULTILINE)
    assert mounted
    assert not [path for path in mounted if not (DEPLOY / path).exists()]


def example() -> dict[str, str]:
    lines = (DEPLOY / "settings.env").read_text().splitlines()
    return dict(
        re.match(r"#?([A-Z_]+)=(.*)", line).groups() for line in lines if re.match(r"#?[A-Z_]+=", line)
    )


def test_every_setting_that_is_given_exists() -> None:
    given = set(example())
    for service in SERVICES.values():
        given |= set(service.get("environment", {}))
    ours = {name for name in given if name.startswith("HEADSHOTS_")}
    # These speak to the proxy and to the databases' first start.
    other = {f"HEADSHOTS_{one}" for one in ("SITE", "UPSTREAM", "SERVER")}
    other |= {f"HEADSHOTS_{role}_PASSWORD" for role in ("OWNER", "APP", "BACKUP")}
    assert ours - other <= KNOWN


def test_the_example_of_settings_names_all_that_production_needs() -> None:
    required = {
        f"HEADSHOTS_{name.upper()}" for name, one in Settings.model_fields.items() if one.is_required()
    }
    assert required <= set(example())


def test_the_example_of_settings_is_taken_once_its_key_is_filled_in() -> None:
    values = {name.removeprefix("HEADSHOTS_").lower(): value for name, value in example().items()}
    values["secret_key"] = "x" * 48
    assert Settings(**{k: v for k, v in values.items() if k in Settings.model_fields}).is_production
