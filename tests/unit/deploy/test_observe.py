"""Alerts and dashboard ask only for what the code tells, and each alert leads to a page that says what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase
from promql import Read, Wrong, read

from core.models import EngineName
from core.observe import figures, metrics
from core.observe.health import health
from core.queue import JobName, Lane
from workers.process.scheduler import duties

ROOT = Path(__file__).resolve().parents[3]
OBSERVE = ROOT / "deploy" / "observe"
SEVERITIES = {"critical", "warning"}


class Rule(NamedTuple):
    where: str
    query: str


def alerts() -> list[dict[str, Any]]:
    loaded = yaml.safe_load((OBSERVE / "alerts.yaml").read_text("utf-8"))
    return [rule for group in loaded["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = json.loads((OBSERVE / "dashboard.json").read_text("utf-8"))["panels"]
    return loaded


def queries() -> Iterator[Rule]:
    for rule in alerts():
        yield Rule(rule["alert"], rule["expr"])
    for panel in panels():
        for target in panel.get("targets", []):
            yield Rule(panel["title"], target["expr"])


QUERIES = list(queries())


@pytest.fixture
def told(org: UUID) -> dict[str, set[str]]:
    """Every series that the code exports, with its labels."""
    found: dict[str, set[str]] = {}
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            name, labels = metric._name, set(metric._labelnames)
            match metric._type:
                case "counter":
                    found[f"{name}_total"] = labels
                case "histogram":
                    found[f"{name}_bucket"] = labels | {"le"}
                    found[f"{name}_sum"] = found[f"{name}_count"] = labels
                case _:
                    found[name] = labels
    collector = figures.Figures()
    collector.take()
    for family in collector.collect():
        found[family.name] = set(family._labelnames)
    return found


@pytest.fixture
def values(org: UUID) -> dict[str, set[str]]:
    """What labels can say, where that is a closed set."""
    return {
        "lane": set(Lane),
        "job": set(JobName),
        "engine": set(EngineName),
        "company": set(figures.Company),
        "part": {part.name for part in health().report().parts},
        "duty": {duty.name for duty in duties()},
        "outcome": set(metrics.Outcome)
        | set(metrics.MailOutcome)
        | {"passed", "failed", "withheld", "not_measured", "accepted", "rejected", "asks"},
    }


def test_every_series_that_is_asked_for_is_told(told: dict[str, set[str]]) -> None:
    for where, query in QUERIES:
        asked: Read = read(query)
        assert asked.selectors, where
        labels: set[str] = set()
        for one in asked.selectors:
            assert one.name in told, f"{where}: nothing tells {one.name}"
            labels |= told[one.name]
            unknown = {label for label, _, _ in one.matchers} - told[one.name]
            assert not unknown, f"{where}: {one.name} has no {unknown}"
        assert asked.grouped_by <= labels, f"{where}: {asked.grouped_by - labels}"


def test_every_metric_is_documented_and_no_other(told: dict[str, set[str]]) -> None:
    page = (ROOT / "docs" / "metrics.md").read_text("utf-8")
    written = {
        row.group(1): set(re.findall(r"`(\w+)`", row.group(2)))
        for row in re.finditer(r"^\| `(headshots_\w+)` \|(?: \w+ \|)? ([^|]*)\|", page, re.MULTILINE)
    }
    ends = ("_bucket", "_sum", "_count")
    whole = {re.sub(r"(_bucket|_sum|_count)$", "", name): labels for name, labels in told.items()}
    assert set(written) == set(whole)
    for name, labels in told.items():
        if not name.endswith(ends):
            assert written[name] == labels, name


def test_what_only_grows_is_asked_for_its_rate(told: dict[str, set[str]]) -> None:
    for where, query in QUERIES:
        for one in read(query).selectors:
            grows = one.name.endswith(("_total", "_bucket", "_sum", "_count"))
            assert grows == one.ranged, f"{where}: {one.name}"


def test_labels_are_compared_with_what_they_can_say(values: dict[str, set[str]]) -> None:
    for where, query in QUERIES:
        for one in read(query).selectors:
            for label, operator, wanted in one.matchers:
                if label in values:
                    named = set(wanted.split("|")) if "~" in operator else {wanted}
                    assert named <= values[label], f"{where}: {named - values[label]}"


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_each_alert_says_how_bad_it_is_and_where_help_is(rule: dict[str, Any]) -> None:
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"Headshots[A-Z][A-Za-z]+", rule["alert"])
    assert rule["labels"]["severity"] in SEVERITIES
    assert rule["annotations"]["summary"]
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text("utf-8"), re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert anchor in anchors


def test_alerts_are_named_once() -> None:
    names = [rule["alert"] for rule in alerts()]
    assert len(names) == len(set(names))


def test_labels_in_words_are_there_after_grouping() -> None:
    for rule in alerts():
        named = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        assert named <= read(rule["expr"]).grouped_by, rule["alert"]


def test_panels_have_a_place_of_their_own() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in panels()}) == len(panels())


@pytest.mark.parametrize(
    "query",
    [
        "rate(headshots_jobs_total)",
        "sum by (lane (x)",
        "headshots_part_up{part=redis}",
        "x[5m]",
        "nonsense(x)",
        "1 +",
    ],
)
def test_the_reader_refuses_what_prometheus_would(query: str) -> None:
    with pytest.raises(Wrong):
        read(query)
