"""A company that signs in as browsers do: our app and the development identity provider, mounted as one site."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from lxml import etree
from sqlalchemy import select
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client, TestResponse

from core import audit, clock
from core.db import transaction
from core.models import AuditEvent, Member, Role
from core.people import members
from sso import connections
from sso.credentials import load_or_create, sp_credentials
from sso.devidp import app as devidp
from sso.devidp import response as idp
from sso.devidp.people import DevPerson
from sso.redirect_binding import receive, signed_url
from sso.saml import (
    NAMESPACES,
    NS_ASSERTION,
    NS_PROTOCOL,
    new_message_id,
)

Change = Callable[[etree._Element], object]

BASE = "http://localhost"  # as the fixture `environment` says
IDP = f"{BASE}/devidp"


@dataclass
class Site:
    """A company, its people at the identity provider, and the whole site as one WSGI app."""

    slug: str
    org_id: UUID
    keys: Path
    wsgi: DispatcherMiddleware
    people: list[DevPerson] = field(default_factory=list)
    signing: str = "devidp"  # name of the key with which `told` signs

    def browser(self) -> Client:
        return Client(self.wsgi)

    def answer_for(self, browser: Client, person: DevPerson, path: str = "") -> dict[str, str]:
        """Go to the identity provider, choose `person`; return the form that it wants posted."""
        asked = browser.get(f"/sso/{person.org}/login{path}", base_url=BASE)
        assert asked.status_code == 302, asked.text
        page = browser.get(asked.location, base_url=BASE)
        action = unescape(re.search(r'<form method="post" action="([^"]*)"', page.text).group(1))
        told = browser.post(action, base_url=BASE, data={"person": person.name_id})
        assert f'action="{BASE}/sso/{person.org}/acs"' in told.text
        return {
            "SAMLResponse": unescape(re.search(r'name="SAMLResponse" value="([^"]*)"', told.text).group(1))
        }

    def sign_in(self, browser: Client, person: DevPerson, path: str = "") -> TestResponse:
        form = self.answer_for(browser, person, path)
        return browser.post(f"/sso/{person.org}/acs", base_url=BASE, data=form)

    def told(
        self, browser: Client, person: DevPerson, change: Change, *, asked: bool = True
    ) -> dict[str, str]:
        """The form with an answer whose assertion `change` has changed before it was signed."""
        request_id = ""
        if asked:
            query = urlsplit(browser.get(f"/sso/{person.org}/login", base_url=BASE).location).query
            ours = sp_credentials(self.keys).certificate_pem
            request_id = receive(query, "SAMLRequest", [ours]).document.get("ID")
        at = f"{BASE}/sso/{person.org}"
        answer = idp.Answer(f"{IDP}/metadata", f"{at}/metadata", f"{at}/acs", request_id)
        assertion = idp.assertion(answer, person)
        if not asked:
            for data in assertion.iter(f"{{{NS_ASSERTION}}}SubjectConfirmationData"):
                data.attrib.pop("InResponseTo", None)
        change(assertion)
        response = idp.response(
            answer, idp.sign(assertion, load_or_create(self.keys, self.signing, "unused"))
        )
        if not asked:
            del response.attrib["InResponseTo"]
        return {"SAMLResponse": base64.b64encode(etree.tostring(response)).decode()}

    def hand_in(self, browser: Client, person: DevPerson, change: Change) -> TestResponse:
        form = self.told(browser, person, change)
        return browser.post(f"/sso/{person.org}/acs", base_url=BASE, data=form)

    def who(self, browser: Client) -> dict[str, str] | None:
        response = browser.get("/who", base_url=BASE)
        return response.json if response.status_code == 200 else None

    def member(self, email: str) -> Member | None:
        with transaction(self.org_id) as session:
            return members.by_email(session, email)

    def hire(self, email: str, role: Role = Role.EMPLOYEE) -> Member:
        with transaction(self.org_id) as session:
            person = members.NewMember(email, "Imported", "Person", role=role)
            return members.add(session, [person], actor=audit.SYSTEM, tag=audit.Tag.MEMBER_IMPORTED)[0]

    def events(self, tag: audit.Tag) -> list[AuditEvent]:
        with transaction(self.org_id) as session:
            return list(session.scalars(select(AuditEvent).where(AuditEvent.tag == tag)))

    def logout_request(self, person: DevPerson, *, index: str | None = None, **changes: str) -> str:
        """A query with a logout request that the identity provider signs."""
        values = {
            "ID": new_message_id(),
            "Version": "2.0",
            "IssueInstant": clock.rfc3339(clock.now()),
            "Destination": f"{BASE}/sso/{self.slug}/sls",
        }
        request = etree.Element(f"{{{NS_PROTOCOL}}}LogoutRequest", values | changes, nsmap=NAMESPACES)
        etree.SubElement(request, f"{{{NS_ASSERTION}}}Issuer").text = f"{IDP}/metadata"
        etree.SubElement(request, f"{{{NS_ASSERTION}}}NameID").text = person.name_id
        if index:
            etree.SubElement(request, f"{{{NS_PROTOCOL}}}SessionIndex").text = index
        key = load_or_create(self.keys, "devidp", "unused").key_pem
        return urlsplit(signed_url(f"{BASE}/", "SAMLRequest", etree.tostring(request), key)).query


def connect(org_id: UUID, slug: str, keys: Path) -> None:
    with transaction(org_id) as session:
        connections.save(session, devidp.dev_connection(slug, BASE, IDP, keys))


def attribute(path: str, name: str, value: str | None) -> Change:
    """Set an attribute of the element at `path`, or take it away."""

    def change(assertion: etree._Element) -> None:
        element = assertion.find(path, NAMESPACES) if path else assertion
        element.attrib.pop(name, None)
        if value is not None:
            element.set(name, value)

    return change


def without(path: str) -> Change:
    """Take the element at `path` away."""

    def change(assertion: etree._Element) -> None:
        element = assertion.find(path, NAMESPACES)
        element.getparent().remove(element)

    return change


def text(path: str, value: str) -> Change:
    def change(assertion: etree._Element) -> None:
        assertion.find(path, NAMESPACES).text = value

    return change


def instead(path: str, name: str) -> Change:
    """Put an empty element `name` in the place of the one at `path`."""

    def change(assertion: etree._Element) -> None:
        element = assertion.find(path, NAMESPACES)
        element.getparent().replace(element, etree.Element(f"{{{NS_ASSERTION}}}{name}"))

    return change
