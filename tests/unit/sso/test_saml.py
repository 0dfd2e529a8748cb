from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from onelogin.saml2.xml_utils import OneLogin_Saml2_XML
from pydantic import ValidationError

from core import clock
from sso.redirect_binding import receive
from sso.saml import (
    DEFAULT_RETURN,
    NAMESPACES,
    SamlConnection,
    login_request,
    safe_return_path,
    sp_metadata,
    toolkit_settings,
)

MD = {"md": "urn:oasis:names:tc:SAML:2.0:metadata", **NAMESPACES}


def certificate(key):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(clock.now())
        .not_valid_after(clock.now() + timedelta(days=1))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
        .decode()
    )


def changed(connection, **values):
    return SamlConnection(**{**connection.model_dump(), **values})


def test_login_request_is_signed_and_names_us(connection, sp_key):
    asked = login_request(connection, sp_key)
    assert asked.url.startswith("https://idp.example.org/sso?SAMLRequest=")
    received = receive(urlsplit(asked.url).query, "SAMLRequest", [sp_key.certificate_pem])
    request = received.document
    assert received.relay_state is None
    assert request.get("ID") == asked.request_id
    assert request.get("Destination") == "https://idp.example.org/sso"
    assert request.get("AssertionConsumerServiceURL") == "https://photos.example.com/sso/acme/acs"
    assert (
        request.findtext("saml:Issuer", namespaces=NAMESPACES)
        == "https://photos.example.com/sso/acme/metadata"
    )
    assert not isinstance(OneLogin_Saml2_XML.validate_xml(request, "saml-schema-protocol-2.0.xsd"), str)


def test_login_requests_are_never_the_same(connection, sp_key):
    first, second = (login_request(connection, sp_key).request_id for _ in range(2))
    assert first != second
    assert len(first) == 41  # an underscore and 160 bits in hex


def test_idp_address_with_an_ampersand_survives(connection, sp_key):
    odd = changed(connection, idp_sso_url="https://idp.example.org/sso?a=1&b=2")
    query = urlsplit(login_request(odd, sp_key).url).query
    message = query.removeprefix("a=1&b=2&")
    request = receive(message, "SAMLRequest", [sp_key.certificate_pem]).document
    assert request.get("Destination") == "https://idp.example.org/sso?a=1&b=2"


def test_metadata_is_valid_and_carries_the_certificate_but_no_key(connection, sp_key):
    xml = sp_metadata(connection, sp_key)
    assert b"PRIVATE" not in xml
    root = OneLogin_Saml2_XML.to_etree(xml)
    assert not isinstance(OneLogin_Saml2_XML.validate_xml(root, "saml-schema-metadata-2.0.xsd"), str)
    descriptor = root.find("md:SPSSODescriptor", MD)
    assert descriptor.get("AuthnRequestsSigned") == descriptor.get("WantAssertionsSigned") == "true"
    assert descriptor.find("md:AssertionConsumerService", MD).get("Location") == connection.acs_url
    assert descriptor.find("md:SingleLogoutService", MD).get("Location") == connection.sls_url
    given = "".join(descriptor.findtext(".//ds:X509Certificate", namespaces=MD).split())
    assert given in sp_key.certificate_pem.replace("\n", "")
    assert root.get("validUntil") is None, "administrators import it once"
    assert isinstance(root, etree._Element)


def test_toolkit_is_as_strict_as_it_can_be(connection):
    settings = toolkit_settings(connection)
    assert settings["strict"] is True
    assert settings["security"]["wantAssertionsSigned"] is True
    assert settings["security"]["rejectDeprecatedAlgorithm"] is True
    assert "certFingerprint" not in settings["idp"]


def test_certificate_is_taken_as_pem_or_bare_base64(connection, idp_key):
    bare = "".join(idp_key.certificate_pem.splitlines()[1:-1])
    assert changed(connection, idp_certificates=(bare,)).idp_certificates == connection.idp_certificates


@pytest.mark.parametrize(
    "key",
    [rsa.generate_private_key(public_exponent=65537, key_size=1024), ec.generate_private_key(ec.SECP256R1())],
    ids=["short RSA", "elliptic curve"],
)
def test_certificate_with_a_key_we_cannot_rely_on_is_refused(connection, key):
    with pytest.raises(ValidationError, match="RSA key of at least 2048 bits"):
        changed(connection, idp_certificates=(certificate(key),))


@pytest.mark.parametrize(
    "values",
    [
        {"idp_certificates": ()},
        {"idp_certificates": ("not a certificate",)},
        {"idp_certificates": ("é",)},
        {"org": "../evil"},
        {"org": "Acme"},
        {"idp_entity_id": ""},
        {"idp_sso_url": "file:///etc/passwd"},
        {"idp_sso_url": "javascript:alert(1)"},
        {"idp_sso_url": 'https://idp.example.org/"><evil'},
        {"idp_sso_url": "https://user:pass@idp.example.org/"},
        {"idp_sso_url": "http://idp.example.org/sso"},
        {"sp_base_url": "https://photos.example.com/path"},
        {"unknown": 1},
    ],
)
def test_connection_that_cannot_be_safe_is_refused(connection, values):
    with pytest.raises(ValidationError):
        changed(connection, **values)


def test_plain_http_is_for_development_only(connection):
    local = {"sp_base_url": "http://127.0.0.1:8000/", "idp_sso_url": "http://127.0.0.1:8000/devidp/sso"}
    assert changed(connection, **local).acs_url == "http://127.0.0.1:8000/sso/acme/acs"


@pytest.mark.parametrize("path", ["/", "/admin/shoots?page=2#top", "/admin/people/%2F%2Fevil", "/a:b@c"])
def test_path_on_this_site_is_kept(path):
    assert safe_return_path(path) == path


@pytest.mark.parametrize(
    "elsewhere",
    [
        None,
        "",
        "admin",
        "https://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example/",
        "\\\\evil.example/",
        "/\t/evil.example/",
        "/\n/evil.example",
        " //evil.example",
        "javascript:alert(1)",
        "/" + "a" * 2000,
    ],
)
def test_return_to_another_site_becomes_the_default(elsewhere):
    assert safe_return_path(elsewhere) == DEFAULT_RETURN
