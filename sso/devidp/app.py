"""The development identity provider: real SAML, no passwords, never in production.

A WSGI application of its own, so that `headshots up` can mount it at `/devidp`:
`GET /metadata`, and `/sso`, which checks the signed AuthnRequest, lets one choose a person and posts the
signed answer back. It keeps nothing between requests: the signed query travels through the form.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, Response, g, render_template, request
from lxml import etree

from core.errors import AppError, ConfigurationError, InvalidInput
from core.settings import settings
from sso.credentials import Credentials, load_or_create, sp_credentials
from sso.devidp.people import ADMIN_GROUP, AUDITOR_GROUP, DevPerson
from sso.devidp.response import Answer, signed_response
from sso.errors import MessageMalformed
from sso.metadata import NS_METADATA
from sso.redirect_binding import receive
from sso.saml import BINDING_REDIRECT, FORMAT_PERSISTENT, NAMESPACES, NS_SIGNATURE, SamlConnection

MAX_FORM = 65_536  # bytes


def create_app(base_url: str, key_dir: Path, people: Sequence[DevPerson]) -> Flask:
    """Return the identity provider as a Flask app.

    Args:
        base_url: Its own address with the path it is mounted at, e.g. `http://127.0.0.1:8000/devidp`.
        key_dir: Where its signing key is kept, made on first use.
        people: Everyone who can be chosen; a company's sign-in page lists its own.

    Raises:
        ConfigurationError: this is a production environment.
    """
    if settings().is_production:
        raise ConfigurationError(
            "The development identity provider signs anyone in without a password and does not start in "
            "production. Set up your own identity provider instead."
        )
    base_url = base_url.rstrip("/")
    sp_base_url = settings().base_url.rstrip("/")
    credentials = _credentials(key_dir)
    sp_certificate = sp_credentials(settings().signing_path).certificate_pem
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_FORM

    @app.before_request
    def _make_nonce() -> None:
        g.nonce = secrets.token_urlsafe(16)

    @app.after_request
    def _protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = (
            f"default-src 'none'; style-src 'nonce-{g.nonce}'; script-src 'nonce-{g.nonce}'; "
            f"form-action 'self' {sp_base_url}; base-uri 'none'; frame-ancestors 'none'"
        )
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    @app.errorhandler(AppError)
    def _refuse(error: AppError) -> tuple[str, int]:
        return render_template("devidp/refused.html", message=error.message, code=error.code), error.status

    @app.get("/metadata")
    def metadata() -> Response:
        return Response(_metadata(base_url, credentials), mimetype="application/samlmetadata+xml")

    @app.get("/sso")
    def choose() -> str:
        org, _ = _asked(request.query_string.decode("latin-1"), base_url, sp_base_url, sp_certificate)
        return render_template(
            "devidp/choose.html",
            org=org,
            people=[person for person in people if person.org == org],
            query=request.query_string.decode("latin-1"),
            tags={ADMIN_GROUP: "HR admin", AUDITOR_GROUP: "Auditor"},
        )

    @app.post("/sso")
    def sign_in() -> str:
        org, answer = _asked(request.query_string.decode("latin-1"), base_url, sp_base_url, sp_certificate)
        chosen = request.form.get("person")
        person = next((p for p in people if p.org == org and p.name_id == chosen), None)
        if person is None:
            raise InvalidInput("Choose one of the people on the list, then press “Sign in”.")
        return render_template(
            "devidp/return.html",
            person=person,
            acs_url=answer.acs_url,
            saml_response=base64.b64encode(signed_response(answer, person, credentials)).decode("ascii"),
            host=urlsplit(answer.acs_url).netloc,
        )

    return app


def dev_connection(org: str, sp_base_url: str, base_url: str, key_dir: Path) -> SamlConnection:
    """Return the connection that lets company `org` sign in here; arguments as for `create_app`."""
    base_url = base_url.rstrip("/")
    return SamlConnection(
        org=org,
        idp_entity_id=_entity_id(base_url),
        idp_sso_url=_sso_url(base_url),
        idp_certificates=(_credentials(key_dir).certificate_pem,),
        sp_base_url=sp_base_url,
        admin_groups=frozenset({ADMIN_GROUP}),
        auditor_groups=frozenset({AUDITOR_GROUP}),
    )


def demo_people() -> list[DevPerson]:
    """Return who can sign in at the company that `headshots up` and `demo` set up; the admin comes first."""
    org, domain = "northwind", "northwind.example"
    return [
        DevPerson(org, f"hannah.rivera@{domain}", "Hannah", "Rivera", "Head of HR", (ADMIN_GROUP,)),
        DevPerson(org, f"tomasz.nowak@{domain}", "Tomasz", "Nowak", "HR partner", (ADMIN_GROUP,)),
        DevPerson(
            org, f"ines.moreau@{domain}", "Inês", "Moreau", "Data protection officer", (AUDITOR_GROUP,)
        ),
        DevPerson(org, f"amara.okafor@{domain}", "Amara", "Okafor", "Engineer, not in HR"),
    ]


def _credentials(key_dir: Path) -> Credentials:
    return load_or_create(key_dir, "devidp", "headshots development identity provider")


def _entity_id(base_url: str) -> str:
    return f"{base_url}/metadata"


def _sso_url(base_url: str) -> str:
    return f"{base_url}/sso"


def _asked(query: str, base_url: str, sp_base_url: str, sp_certificate: str) -> tuple[str, Answer]:
    """Check the AuthnRequest in `query`; return the asking company's slug and what an answer must say.

    Raises:
        SignInFailed: it is unsigned, changed, or asks to be answered at an address that is not ours.
    """
    asked = receive(query, "SAMLRequest", [sp_certificate]).document
    issuer = asked.findtext("saml:Issuer", namespaces=NAMESPACES) or ""
    org = issuer.removeprefix(f"{sp_base_url}/sso/").removesuffix("/metadata")
    acs_url, request_id = f"{sp_base_url}/sso/{org}/acs", asked.get("ID")
    if (
        etree.QName(asked).localname != "AuthnRequest"
        or issuer != f"{sp_base_url}/sso/{org}/metadata"
        or asked.get("AssertionConsumerServiceURL") != acs_url
        or asked.get("Destination") != _sso_url(base_url)
        or not request_id
    ):
        raise MessageMalformed
    return org, Answer(_entity_id(base_url), issuer, acs_url, request_id)


def _metadata(base_url: str, credentials: Credentials) -> bytes:
    root = etree.Element(
        f"{{{NS_METADATA}}}EntityDescriptor",
        {"entityID": _entity_id(base_url)},
        nsmap={"md": NS_METADATA, "ds": NS_SIGNATURE},
    )
    descriptor = etree.SubElement(
        root,
        f"{{{NS_METADATA}}}IDPSSODescriptor",
        {"WantAuthnRequestsSigned": "true", "protocolSupportEnumeration": NAMESPACES["samlp"]},
    )
    key = etree.SubElement(descriptor, f"{{{NS_METADATA}}}KeyDescriptor", {"use": "signing"})
    data = etree.SubElement(
        etree.SubElement(key, f"{{{NS_SIGNATURE}}}KeyInfo"), f"{{{NS_SIGNATURE}}}X509Data"
    )
    certificate = credentials.certificate_pem.split("-----")[2]  # what stands between the two marker lines
    etree.SubElement(data, f"{{{NS_SIGNATURE}}}X509Certificate").text = "".join(certificate.split())
    etree.SubElement(descriptor, f"{{{NS_METADATA}}}NameIDFormat").text = FORMAT_PERSISTENT
    etree.SubElement(
        descriptor,
        f"{{{NS_METADATA}}}SingleSignOnService",
        {"Binding": BINDING_REDIRECT, "Location": _sso_url(base_url)},
    )
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
