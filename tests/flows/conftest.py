"""A company with its identity provider; and places that a restore can fill."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from conftest import forget_process_state
from flask import Flask, jsonify
from flask_wtf.csrf import generate_csrf
from saml_site import IDP, Site, connect
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from core.web.app import create_app
from core.web.guards import me, signed_in
from deploy.local.services import Databases, LocalServices
from sso.devidp import app as devidp
from sso.devidp.people import ADMIN_GROUP, AUDITOR_GROUP, DevPerson
from sso.login import bp


@pytest.fixture(scope="session")
def sso_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys of both sides: making RSA keys anew in each test would take most of its time."""
    return tmp_path_factory.mktemp("sso")


@pytest.fixture
def keys(environment: dict[str, str], sso_keys: Path) -> Path:
    for part in Path(environment["HEADSHOTS_SIGNING_PATH"]).glob(
        "saml-sp.*"
    ):  # our side's, the same in every test
        shutil.copy(part, sso_keys)
    return sso_keys


@pytest.fixture
def site(org: UUID, keys: Path) -> Site:
    slug = "acme"
    connect(org, slug, keys)
    people = [
        DevPerson(slug, "hannah@acme.example", "Hannah", "Rivera", "HR admin", (ADMIN_GROUP,)),
        DevPerson(slug, "joe@acme.example", "Joe", "Doe", "Engineer"),
        DevPerson(slug, "ines@acme.example", "Inês", "Moreau", "Auditor", (AUDITOR_GROUP,)),
    ]
    app: Flask = create_app("admin", __name__)
    app.register_blueprint(bp)

    @app.get("/who")
    @signed_in
    def who():
        return jsonify(member=str(me().member_id), role=me().role, csrf=generate_csrf())

    wsgi = DispatcherMiddleware(app, {"/devidp": devidp.create_app(IDP, keys, people)})
    return Site(slug, org, keys, wsgi, people)


@pytest.fixture
def browser(site: Site) -> Client:
    return site.browser()


@pytest.fixture
def empty(services: LocalServices) -> Iterator[Databases]:
    """An empty pair of databases."""
    made = services.fresh_databases("empty")
    yield made
    forget_process_state()
    services.drop_databases(made)
