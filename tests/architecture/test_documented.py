"""What the code offers is written down: settings, commands, permissions, addresses, events, links."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask

from admin.app import create_app as create_admin
from admin.event_words import EVENTS
from core.audit import ABOUT_NOBODY, Tag
from deploy.reference import pages
from portal.app import create_app as create_portal

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
WRITTEN = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])


@pytest.fixture
def apps(environment: dict[str, str]) -> list[Flask]:
    return [create_portal(), create_admin()]


def test_settings_commands_permissions_and_addresses_are_documented(apps: list[Flask]) -> None:
    stale = [name for name, text in pages(apps).items() if (DOCS / name).read_text("utf-8") != text]
    assert not stale, f"run `python -m deploy.reference`: {stale}"


@pytest.mark.parametrize("tag", Tag)
def test_every_event_is_documented(tag: Tag) -> None:
    rows = [
        line
        for line in (DOCS / "audit-events.md").read_text("utf-8").splitlines()
        if line.startswith(f"| `{tag.value}` |")
    ]
    assert len(rows) == 1, f"give {tag.value} its row in docs/audit-events.md"
    _, _, meaning, about, _ = (cell.strip() for cell in rows[0].split("|"))
    assert meaning
    assert about == ("the company" if tag in ABOUT_NOBODY else "a person")


@pytest.mark.parametrize("tag", Tag)
def test_every_event_has_words_on_the_page_of_evidence(tag: Tag) -> None:
    assert tag in EVENTS, f"give {tag.value} its words in admin/event_words.py"


def test_no_documented_event_is_gone() -> None:
    listed = re.findall(r"^\| `([a-z_.]+)` \|", (DOCS / "audit-events.md").read_text("utf-8"), re.MULTILINE)
    assert set(listed) == {tag.value for tag in Tag}


@pytest.mark.parametrize("page", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8"))
    broken = [link for link in links if not re.match(r"[a-z]+:", link) and not (page.parent / link).exists()]
    assert not broken


def test_readme_is_what_a_newcomer_reads_in_a_few_minutes() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) < 130


def test_a_source_that_a_comment_names_is_there() -> None:
    sections = set(re.findall(r"^## (.+)$", (DOCS / "sources.md").read_text("utf-8"), re.MULTILINE))
    named = {
        (str(path.relative_to(ROOT)), section)
        for folder in ("core", "workers", "compliance", "sso", "portal", "admin", "deploy")
        for path in (ROOT / folder).rglob("*.py")
        for section in re.findall(r"docs/sources\.md, ([A-Z][a-z ]+)", path.read_text("utf-8"))
    }
    assert named
    assert not {one for one in named if not any(one[1].startswith(section) for section in sections)}
