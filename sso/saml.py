"""One company's SAML connection: its settings, our metadata and the request that starts a sign-in.

What comes back is judged in `sso.assertion`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from lxml import etree
from onelogin.saml2.settings import OneLogin_Saml2_Settings
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from core import clock
from sso import redirect_binding
from sso.credentials import Credentials

NS_PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
NS_ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion"
NS_SIGNATURE = "http://www.w3.org/2000/09/xmldsig#"
NAMESPACES = {"samlp": NS_PROTOCOL, "saml": NS_ASSERTION, "ds": NS_SIGNATURE}

BINDING_POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
BINDING_REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
FORMAT_UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
FORMAT_EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
FORMAT_PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
FORMAT_TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"

MIN_RSA_BITS = 2048  # NIST SP 800-131A rev. 2: the least that is acceptable for signatures
DEFAULT_RETURN = "/admin"
AUDITOR_RETURN = "/admin/audit"  # instead, for whom the shoots are not the work

# What python3-saml and XML take literally must be free of anything that ends an attribute.
_PLAIN_URL = re.compile(r"https?://[^\s\"'<>\\^`{|}\x00-\x1f]+")


class AttributeMapping(BaseModel):
    """The `Name` of the SAML attribute that carries each fact; as it is here, all that `sso.claims` knows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    email: str = Field(default="email", min_length=1, max_length=255)
    first_name: str = Field(default="firstName", min_length=1, max_length=255)
    last_name: str = Field(default="lastName", min_length=1, max_length=255)
    groups: str = Field(default="groups", min_length=1, max_length=255)


class ServiceProvider(BaseModel):
    """Us, as one company's identity provider knows us."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    org: str = Field(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$", description="slug in our addresses")
    sp_base_url: str = Field(max_length=255, description="our own public address, never the Host header")

    @field_validator("sp_base_url")
    @classmethod
    def _is_origin(cls, url: str) -> str:
        parts = urlsplit(_plain_url(url).rstrip("/"))
        if parts.path or parts.query or parts.fragment:
            raise ValueError("must be an address without a path, such as https://photos.example.com")
        return f"{parts.scheme}://{parts.netloc.lower()}"

    @property
    def sp_entity_id(self) -> str:
        """Our name at the identity provider; also where our metadata is."""
        return f"{self.sp_base_url}/sso/{self.org}/metadata"

    @property
    def acs_url(self) -> str:
        """Where responses are posted to."""
        return f"{self.sp_base_url}/sso/{self.org}/acs"

    @property
    def login_url(self) -> str:
        """Where people of the company begin to sign in."""
        return f"{self.sp_base_url}/sso/{self.org}/login"

    @property
    def sls_url(self) -> str:
        """Where logout requests arrive."""
        return f"{self.sp_base_url}/sso/{self.org}/sls"


class SamlConnection(ServiceProvider):
    """How one company signs in. Everything here comes from our own database and settings."""

    # Lengths of the columns in `saml_connections`.
    idp_entity_id: str = Field(min_length=1, max_length=512)
    idp_sso_url: str = Field(max_length=2048, description="HTTP-Redirect binding")
    idp_certificates: tuple[str, ...] = Field(
        min_length=1, max_length=10, description="X.509, PEM or its bare base64; several while one is renewed"
    )
    attributes: AttributeMapping = AttributeMapping()
    admin_groups: frozenset[str] = Field(
        default=frozenset(), description="members of one of these groups become HR admins"
    )
    auditor_groups: frozenset[str] = Field(
        default=frozenset(),
        description="members of one of these groups, and of no admin group, become auditors",
    )
    allow_unsolicited: bool = Field(
        default=False, description="accept sign-ins that start at the identity provider; open to login CSRF"
    )

    @field_validator("idp_sso_url")
    @classmethod
    def _is_plain_url(cls, url: str) -> str:
        return _plain_url(url)

    @field_validator("idp_certificates")
    @classmethod
    def _are_usable(cls, certificates: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(_normalized(certificate) for certificate in certificates))

    @model_validator(mode="after")
    def _is_encrypted_in_transit(self) -> SamlConnection:
        # Plain http is for a development machine, where our own address is plain as well.
        if self.sp_base_url.startswith("https:") and not self.idp_sso_url.startswith("https:"):
            raise ValueError("the identity provider's address must begin with https://")
        return self


@dataclass(frozen=True)
class NameId:
    """By what an identity provider knows a person."""

    value: str
    is_address: bool = False  # then in its canonical spelling, and the same in any other


@dataclass(frozen=True)
class Identity:
    """Who signed in, as a verified assertion says it. Accounts are keyed by (idp_entity_id, name_id)."""

    idp_entity_id: str
    name_id: NameId
    session_index: str | None
    session_end: datetime | None  # by the identity provider's own clock; ours ends no later
    email: str  # in its canonical spelling; a fact about the person, never the key of an account
    first_name: str
    last_name: str
    groups: tuple[str, ...]
    all_groups: bool  # whether the provider sent all of them; where not, none that is missing counts as left


@dataclass(frozen=True)
class LoginRequest:
    """A signed AuthnRequest: send the browser to `url`, expect an answer to `request_id`."""

    url: str
    request_id: str


def new_message_id() -> str:
    """Return an unguessable xs:ID: an underscore and 160 random bits (saml-core-2.0 §1.3.4 asks 128)."""
    return "_" + secrets.token_hex(20)


def login_request(connection: SamlConnection, credentials: Credentials) -> LoginRequest:
    """Make the signed request that opens a sign-in, for the HTTP-Redirect binding.

    No RelayState travels along: where to go afterwards is kept on our side under `request_id`, so the
    identity provider does not learn it and nobody can change it.
    """
    request_id = new_message_id()
    request = etree.Element(
        f"{{{NS_PROTOCOL}}}AuthnRequest",
        {
            "ID": request_id,
            "Version": "2.0",
            "IssueInstant": clock.rfc3339(clock.now()),
            "Destination": connection.idp_sso_url,
            "ProtocolBinding": BINDING_POST,
            "AssertionConsumerServiceURL": connection.acs_url,
        },
        nsmap=NAMESPACES,
    )
    etree.SubElement(request, f"{{{NS_ASSERTION}}}Issuer").text = connection.sp_entity_id
    # Unspecified leaves the choice to the identity provider; a transient answer is refused later.
    policy = {"Format": FORMAT_UNSPECIFIED, "AllowCreate": "true"}
    etree.SubElement(request, f"{{{NS_PROTOCOL}}}NameIDPolicy", policy)
    url = redirect_binding.signed_url(
        connection.idp_sso_url, "SAMLRequest", etree.tostring(request), credentials.key_pem
    )
    return LoginRequest(url, request_id)


def sp_metadata(provider: ServiceProvider, credentials: Credentials) -> bytes:
    """Return our metadata for this company's identity provider, as XML in UTF-8."""
    values = {
        "strict": True,
        "sp": _sp_settings(provider)
        | {"x509cert": credentials.certificate_pem, "privateKey": credentials.key_pem},
        "security": {**_SECURITY, "authnRequestsSigned": True},
    }
    metadata = OneLogin_Saml2_Settings(values, sp_validation_only=True).get_sp_metadata()
    return metadata if isinstance(metadata, bytes) else str(metadata).encode("utf-8")


def toolkit_settings(connection: SamlConnection) -> dict[str, Any]:
    """Return python3-saml's settings with everything strict that it can be strict about.

    Certificates are given whole, never by fingerprint: with a fingerprint the toolkit trusts the
    certificate inside the message. There is no private key here, so nothing gets decrypted.
    """
    return {
        "strict": True,
        "debug": False,
        "sp": _sp_settings(connection),
        "idp": {
            "entityId": connection.idp_entity_id,
            "singleSignOnService": {"url": connection.idp_sso_url, "binding": BINDING_REDIRECT},
            "x509certMulti": {"signing": list(connection.idp_certificates)},
        },
        "security": dict(_SECURITY),
    }


_SECURITY: Mapping[str, Any] = MappingProxyType(
    {
        "wantAssertionsSigned": True,
        "wantAttributeStatement": False,  # an e-mail NameID is enough; `sso.assertion` decides
        "wantNameId": True,
        "rejectDeprecatedAlgorithm": True,
        "allowRepeatAttributeName": True,  # some identity providers send one `groups` per group
        "allowSingleLabelDomains": True,  # `http://localhost:8000` and hosts inside a company's network
        "requestedAuthnContext": False,
        "signatureAlgorithm": redirect_binding.RSA_SHA256,
        "digestAlgorithm": "http://www.w3.org/2001/04/xmlenc#sha256",
        # Left empty: administrators import the file once, and an expiry would break sign-in later.
        "metadataValidUntil": "",
        "metadataCacheDuration": "",
    }
)


def _sp_settings(provider: ServiceProvider) -> dict[str, Any]:
    return {
        "entityId": provider.sp_entity_id,
        "assertionConsumerService": {"url": provider.acs_url, "binding": BINDING_POST},
        "singleLogoutService": {"url": provider.sls_url, "binding": BINDING_REDIRECT},
        "NameIDFormat": FORMAT_UNSPECIFIED,
    }


def safe_return_path(value: str | None) -> str:
    r"""Return `value` where it is a path on this site, else `DEFAULT_RETURN`.

    Browsers read `//host`, `/\host` and a tab or newline in between as another site.
    """
    if (
        value is None
        or len(value) > 1024
        or not value.startswith("/")
        or value.startswith("//")
        or "\\" in value
        or any(ord(character) <= 0x20 or ord(character) == 0x7F for character in value)
    ):
        return DEFAULT_RETURN
    return value


def _plain_url(url: str) -> str:
    parts = urlsplit(url)
    if not _PLAIN_URL.fullmatch(url) or not parts.hostname or "@" in parts.netloc:
        raise ValueError("must be an http(s) address without spaces, quotes or a password")
    return url


def fingerprint(certificate: str) -> str:
    """Return the SHA-256 of a PEM certificate's DER, in hexadecimal, as every tool prints it."""
    return x509.load_pem_x509_certificate(certificate.encode()).fingerprint(SHA256()).hex()


def expiry(certificate: str) -> datetime:
    """Return until when a PEM certificate says that it is valid."""
    return x509.load_pem_x509_certificate(certificate.encode()).not_valid_after_utc


def _normalized(certificate: str) -> str:
    """Return `certificate` as PEM text; take PEM or bare base64, as metadata has it."""
    body = "".join(line for line in certificate.strip().splitlines() if "-----" not in line)
    body = "".join(body.split())
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    pem = "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])
    try:
        key = x509.load_pem_x509_certificate(pem.encode("ascii")).public_key()
    except (ValueError, UnsupportedAlgorithm) as error:  # UnicodeEncodeError is a ValueError, too
        raise ValueError("is not an X.509 certificate in PEM or base64") from error
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < MIN_RSA_BITS:
        raise ValueError(f"must hold an RSA key of at least {MIN_RSA_BITS} bits")
    return pem
