"""What our pages leave in a browser."""

from __future__ import annotations

from uuid import UUID

import pytest
from conftest import add_participation, forget_process_state
from flask import Flask

from admin.app import create_app as create_admin
from core import audit
from core.db import transaction
from core.models import Member
from core.shoots import invites
from portal.app import create_app as create_portal


@pytest.fixture
def production(org: UUID, monkeypatch: pytest.MonkeyPatch) -> list[Flask]:
    """Both apps as they run for a company."""
    monkeypatch.setenv("HEADSHOTS_ENVIRONMENT", "production")
    monkeypatch.delenv("HEADSHOTS_DEVELOPMENT_IDP_PATH")
    monkeypatch.setenv("HEADSHOTS_BASE_URL", "https://photos.example.com")
    forget_process_state()
    return [create_portal(), create_admin()]


def test_every_cookie_in_production_is_secure_and_closed_to_scripts(
    production: list[Flask], org: UUID, member: Member
) -> None:
    participation = add_participation(org, member)
    with transaction(org) as session:
        link = f"/i/{invites.token_of(invites.create(session, participation, actor=audit.SYSTEM))}"
    seen: dict[str, str] = {}
    for app in production:
        app.config["WTF_CSRF_ENABLED"] = False
        browser = app.test_client()
        for method, address in (
            ("GET", f"{link}?lang=de"),
            ("POST", f"{link}/accept"),
            ("GET", "/admin/sign-in?company=acme&lang=de"),
            ("GET", "/trust/acme"),
            ("GET", "/sso/"),
        ):
            answer = browser.open(address, method=method, base_url="https://photos.example.com")
            seen |= {line.split("=")[0]: line for line in answer.headers.getlist("Set-Cookie")}
    assert {"lang", "company", "__Host-portal_session"} <= set(seen)
    for line in seen.values():
        assert "; Secure" in line, line
        assert "; HttpOnly" in line, line
        assert "; SameSite=Lax" in line, line
