"""With Postgres stopped, or Redis, every kind of address still has its written answer."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Iterator
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from conftest import add_participation, forget_process_state
from flask import Flask
from servers.cable import Cable, Way
from werkzeug.test import Client

from admin.app import create_app as create_admin
from core import audit
from core.db import transaction
from core.models import Member, Role, SignInMethod, State
from core.people import data_links, members, sessions
from core.shoots import devices, reminders
from deploy.local.services import LocalServices
from deploy.wsgi import create_application
from portal.app import create_app as create_portal

SOME_ID = "01a20aac-06e6-71c1-bad5-30a9025795b2"
WRITTEN = {"en": "The service is restarting", "de": "Der Dienst startet gerade neu"}
# What needs no database: files of ours, and pages that only say something.
STILL = {
    "static",
    "shared.static",
    "start",
    "strangers.left",
    "trust.ask",
    "sso.choose",
    "sign_in.sign_in",
    "trust.verify",
    "own_copy.schema",
    "nowhere",
}

# Forms that are refused for what they lack before anybody is asked.
FORMS = {"data_link.send": {"email": "boss@acme.example"}}


def _value(rule: str, name: str) -> int | str:
    """Return something that a route takes for an argument of its own, so that only the database can know better."""
    if name == "size" or f"int:{name}>" in rule:
        return 1
    if f"uuid:{name}>" in rule:
        return SOME_ID
    # A tile's name is its number in threes of digits (C2SP tlog-tiles).
    return {"filename": "app.css", "path": "000"}.get(name, "acme")


def addresses(app: Flask, proven: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield (method, address, endpoint) of every route, and of an address that does not exist.

    Args:
        app: whose.
        proven: genuine addresses by their endpoints. They carry their own proof, so made-up ones are refused
            without asking.
    """
    for rule in app.url_map.iter_rules():
        values = {name: _value(rule.rule, name) for name in rule.arguments}
        for method in sorted({"GET", "POST"} & (rule.methods or set())):
            address = app.url_map.bind("localhost").build(rule.endpoint, values, method=method)
            yield method, proven.get(rule.endpoint, address), rule.endpoint
    yield "GET", "/nowhere", "nowhere"


@pytest.fixture
def apps(org: UUID, services: LocalServices) -> Iterator[dict[str, tuple[Flask, str, dict[str, str]]]]:
    """Both apps with the token of somebody signed in, and addresses from mails to them; warm connections, and then no Postgres."""
    person = members.NewMember("boss@acme.example", "Robin", "Boss", role=Role.HR_ADMIN)
    with transaction(org) as session:
        (boss,) = members.add(session, [person], actor=audit.SYSTEM, tag=audit.Tag.MEMBER_IMPORTED)
    participation = add_participation(org, boss, State.UPLOADING)
    proven = {}
    made = {}
    for app, method, page in (
        (create_portal(), SignInMethod.INVITE, "/me/privacy"),
        (create_admin(), SignInMethod.SAML, "/admin/people"),
    ):
        app.config["WTF_CSRF_ENABLED"] = False
        with transaction(org) as session:
            token = sessions.start(session, session.get_one(Member, boss.id), method)
            opened = devices.link_of(sessions.row_of(session, token))
            data = data_links.link_of(session.get_one(Member, boss.id))
        reminder = reminders.link_of(participation)
        for endpoint, link in (
            ("reminders.show", reminder),
            ("reminders.change", reminder),
            ("data_link.show", data),
            ("data_link.accept", data),
            ("strangers.show", opened),
            ("strangers.shut_out", opened),
        ):
            proven[endpoint] = urlsplit(link).path
        browser = app.test_client()
        browser.set_cookie(app.config["SIGN_IN_COOKIE"], token)
        assert browser.get(page).status_code == 200
        made[app.name] = app, token, proven
    yield made
    services.ensure_running()


@pytest.mark.parametrize("name", ["portal", "admin"])
def test_every_address_answers_503_without_postgres(
    apps: dict[str, tuple[Flask, str, dict[str, str]]],
    services: LocalServices,
    name: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    services.postgres.stop()
    app, token, proven = apps[name]
    asked = 0
    for (method, address, endpoint), signed_in, language, as_json in itertools.product(
        list(addresses(app, proven)), (True, False), ("en", "de"), (False, True)
    ):
        if as_json and language == "de":
            continue
        browser = app.test_client()
        browser.set_cookie("company", "acme")
        browser.set_cookie("lang", language)
        if signed_in:
            browser.set_cookie(app.config["SIGN_IN_COOKIE"], token)
        kind = "application/json" if as_json else "text/html"
        form = FORMS.get(endpoint) if method == "POST" else None
        answer = browser.open(address, method=method, headers={"Accept": kind}, data=form)
        asked += 1
        where = (method, address, signed_in, kind, answer.status_code)
        answer.close()
        if answer.status_code == 503:
            assert WRITTEN[language] in (answer.json["error"]["message"] if as_json else answer.text), where
        else:
            assert answer.status_code < 500, where
            # Where OpenDSR is off, that is said without asking anybody.
            assert not signed_in or endpoint in STILL or endpoint.startswith("opendsr."), where
    assert asked > 100
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR and one.exc_info]


@pytest.mark.parametrize("name", ["portal", "admin"])
def test_pages_still_come_without_redis(
    apps: dict[str, tuple[Flask, str, dict[str, str]]], services: LocalServices, name: str
) -> None:
    services.redis.stop()
    app, token, proven = apps[name]
    for method, address, _endpoint in addresses(app, proven):
        browser = app.test_client()
        browser.set_cookie(app.config["SIGN_IN_COOKIE"], token)
        answer = browser.open(address, method=method)
        answer.close()
        assert answer.status_code != 500, (method, address)
        if answer.status_code == 503:
            assert WRITTEN["en"] in answer.text
    assert app.test_client().get("/me/privacy" if name == "portal" else "/admin/people").status_code != 503


def test_a_redis_that_hangs_holds_a_page_for_seconds_and_not_for_its_whole_patience(
    environment: dict[str, str], org: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    sockets = environment["HEADSHOTS_REDIS_URL"].removeprefix("unix://").split("?")[0]
    with Cable(sockets) as cable:
        monkeypatch.setenv("HEADSHOTS_REDIS_URL", f"redis://127.0.0.1:{cable.port}/0")
        forget_process_state()
        application = Client(create_application())
        assert application.get("/trust/acme").status_code == 200
        for way in (Way.SILENT, Way.SILENT):  # on the connection that is there, and on a new one
            cable.turn(way)
            begun = time.monotonic()
            assert application.get("/trust/acme").status_code == 200
            assert time.monotonic() - begun < 5
    forget_process_state()
