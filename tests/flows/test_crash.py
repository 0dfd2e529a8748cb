"""The database's server is killed: names in plain text are gone with it, and pages say so until they are back."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import add_member, forget_process_state, settings_of
from sqlalchemy import select, text

from core.db import DirectoryEmpty, engine, transaction
from core.models import Member
from core.observe.health import State, health
from core.people import directory, organizations
from core.schema import migrate
from core.web.app import create_app
from deploy import installation
from deploy.local.services import LocalServices
from workers.process.scheduler import duties


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServices]:
    """Servers of this test's own, since all unlogged tables of a server that is killed are emptied.

    Not in pytest's own folder: each further pytest closes that to other users, and Postgres is one.
    """
    with (
        tempfile.TemporaryDirectory(prefix="headshots-test-") as home,
        LocalServices(Path(home)) as services,
    ):
        migrate(services.databases.owner)
        for name, value in (settings_of(tmp_path) | services.environment()).items():
            monkeypatch.setenv(name, value)
        forget_process_state()
        installation.initialize()
        yield services
        forget_process_state()


def test_a_killed_server_loses_no_name_and_nobody_is_said_to_be_unknown(own: LocalServices) -> None:
    org = organizations.create("acme", "Acme", contact_email="privacy@acme.example")
    ada = add_member(org, "Ada", employee_id="E-1").id
    add_member(org, "Grace")
    portal = create_app("portal", "portal")

    @portal.get("/somebody")
    def somebody() -> dict[str, object]:
        with transaction(org) as session:
            return {"name": session.get_one(Member, ada).full_name}

    browser = portal.test_client()
    assert browser.get("/somebody").json == {"name": "Ada Example"}
    own.postgres.kill()
    own.ensure_running()
    forget_process_state()  # as a restart; a process that goes on gets new connections as well
    with engine().connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM directory_state")) == 0
    with pytest.raises(DirectoryEmpty), transaction(org) as session:
        session.scalars(select(Member)).all()
    answer = browser.get("/somebody", headers={"Accept": "text/html"})
    assert answer.status_code == 503
    assert "directory of people" in answer.text
    report = health().report()
    assert report.state is State.UNREADY
    assert {part.name: part.error for part in report.parts}["directory"] == "DirectoryEmpty"
    installation.demand()  # a process starts meanwhile

    (duty,) = (one for one in duties() if one.name == "directory")
    duty.do()
    assert browser.get("/somebody").json == {"name": "Ada Example"}
    with transaction(org) as session:
        assert {one.full_name for one in session.scalars(select(Member))} == {"Ada Example", "Grace Example"}
        assert session.get_one(Member, ada).employee_id == "E-1"
    assert directory.rebuild() == 0
