"""A browser at the admin app."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask import Flask, session
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from werkzeug.test import TestResponse

from admin.app import create_app
from core import audit
from core.db import transaction
from core.models import Role, SignInMethod
from core.people import members, sessions


@pytest.fixture
def app(environment: dict[str, str]) -> Flask:
    """The admin app."""
    return create_app()


class Browser:
    """Keeps cookies, and brings the form's secret along as a page would."""

    def __init__(self, client: FlaskClient) -> None:
        self._client = client

    def get(self, address: str, **options: Any) -> TestResponse:
        return self._client.get(address, **options)

    def post(self, address: str, values: dict[str, Any] | None = None, *, json: bool = True) -> TestResponse:
        if not hasattr(self, "_token"):
            self._token = self._secret()
        return self._client.post(
            address,
            data={**(values or {}), "csrf_token": self._token},
            content_type="multipart/form-data",
            headers={"Accept": "application/json"} if json else {},
        )

    def _secret(self) -> str:
        """What a page would bring, without making one."""
        with self._client.application.test_request_context():
            token = generate_csrf()
            secret = session["csrf_token"]
        with self._client.session_transaction() as kept:
            kept["csrf_token"] = secret
        return token


@pytest.fixture
def signed_in(app: Flask, org: UUID) -> Callable[[Role], Browser]:
    """Makes a browser that is signed in with a role."""

    def sign_in(role: Role = Role.HR_ADMIN) -> Browser:
        person = members.NewMember(
            email=f"{role.value}@acme.example", first_name="Robin", last_name=role.value, role=role
        )
        with transaction(org) as database:
            member = members.add(database, [person], actor=audit.SYSTEM, tag=audit.Tag.MEMBER_PROVISIONED)[0]
            token = sessions.start(database, member, SignInMethod.SAML)
        client = app.test_client()
        client.set_cookie(app.config["SIGN_IN_COOKIE"], token)
        return Browser(client)

    return sign_in


@pytest.fixture
def browser(signed_in: Callable[[Role], Browser]) -> Browser:
    """An HR admin's browser."""
    return signed_in(Role.HR_ADMIN)
