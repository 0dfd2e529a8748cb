"""Connecting a company from its identity provider's metadata file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree

from core import clock
from core.settings import settings
from sso.credentials import Credentials
from sso.devidp.app import create_app, dev_connection
from sso.devidp.people import ADMIN_GROUP, AUDITOR_GROUP
from sso.metadata import MAX_METADATA, NS_METADATA, MetadataUnusable, connection_from_metadata
from sso.saml import BINDING_POST, BINDING_REDIRECT, NAMESPACES, NS_PROTOCOL, NS_SIGNATURE, SamlConnection

SP = "https://photos.example.com"
ADMINS = frozenset({ADMIN_GROUP})
AUDITORS = frozenset({AUDITOR_GROUP})
NAMES = {**NAMESPACES, "md": NS_METADATA}


def document(
    certificates: list[str],
    *,
    entity_id: str = "https://idp.example.org/metadata",
    location: str = "https://idp.example.org/sso",
) -> etree._Element:
    """Metadata as identity providers write it: an encryption key and the POST binding come first."""
    md, ds = f"{{{NS_METADATA}}}", f"{{{NS_SIGNATURE}}}"
    root = etree.Element(f"{md}EntityDescriptor", {"entityID": entity_id}, nsmap={"md": NS_METADATA})
    role = etree.SubElement(root, f"{md}IDPSSODescriptor", {"protocolSupportEnumeration": NS_PROTOCOL})
    for use, text in [
        ("encryption", "bm90IGEgY2VydGlmaWNhdGU="),
        *(("signing", one) for one in certificates),
    ]:
        key = etree.SubElement(role, f"{md}KeyDescriptor", {"use": use})
        data = etree.SubElement(etree.SubElement(key, f"{ds}KeyInfo"), f"{ds}X509Data")
        etree.SubElement(data, f"{ds}X509Certificate").text = text
    for binding, address in ((BINDING_POST, "https://idp.example.org/post"), (BINDING_REDIRECT, location)):
        etree.SubElement(role, f"{md}SingleSignOnService", {"Binding": binding, "Location": address})
    return root


@pytest.fixture
def honest(idp_key: Credentials) -> etree._Element:
    return document([idp_key.certificate_pem.split("-----")[2]])


def read(root: etree._Element | bytes, **values: str) -> SamlConnection:
    xml = root if isinstance(root, bytes) else etree.tostring(root)
    return connection_from_metadata(values.get("org", "acme"), values.get("sp", SP), xml, ADMINS, AUDITORS)


def test_development_providers_own_metadata_gives_its_connection(
    environment: dict[str, str], keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADSHOTS_SIGNING_PATH", str(keys))
    settings.cache_clear()
    address = "http://localhost/devidp"
    xml = create_app(address, keys, []).test_client().get("/metadata").data
    found = connection_from_metadata("acme", "http://localhost", xml, ADMINS, AUDITORS)
    assert found == dev_connection("acme", "http://localhost", address, keys)


def test_takes_signing_keys_and_the_redirect_address_only(
    honest: etree._Element, idp_key: Credentials
) -> None:
    found = read(honest)
    assert found.idp_entity_id == "https://idp.example.org/metadata"
    assert found.idp_sso_url == "https://idp.example.org/sso"
    assert found.idp_certificates == (idp_key.certificate_pem,)
    assert (found.admin_groups, found.auditor_groups) == (ADMINS, AUDITORS)


def test_both_certificates_count_while_one_is_renewed(idp_key: Credentials, other_key: Credentials) -> None:
    bare = [key.certificate_pem.split("-----")[2] for key in (idp_key, other_key, idp_key)]
    assert read(document(bare)).idp_certificates == (idp_key.certificate_pem, other_key.certificate_pem)


def test_key_without_a_use_signs_too(honest: etree._Element, idp_key: Credentials) -> None:
    for key in honest.findall(".//md:KeyDescriptor[@use='signing']", NAMES):
        del key.attrib["use"]
    assert read(honest).idp_certificates == (idp_key.certificate_pem,)


def test_provider_is_found_among_applications(honest: etree._Element, idp_key: Credentials) -> None:
    several = etree.Element(f"{{{NS_METADATA}}}EntitiesDescriptor")
    application = etree.SubElement(several, f"{{{NS_METADATA}}}EntityDescriptor", {"entityID": "an app"})
    etree.SubElement(application, f"{{{NS_METADATA}}}SPSSODescriptor")
    several.append(honest)
    assert read(several).idp_certificates == (idp_key.certificate_pem,)


def _remove(path: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        for element in root.findall(path, NAMES):
            parent = element.getparent()
            assert parent is not None
            parent.remove(element)

    return change


def _set(path: str, name: str, value: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        for element in [root] if path == "." else root.findall(path, NAMES):
            element.set(name, value)

    return change


def _saml_1(root: etree._Element) -> None:
    _set("md:IDPSSODescriptor", "protocolSupportEnumeration", "urn:oasis:names:tc:SAML:1.1:protocol")(root)


def _second_role(root: etree._Element) -> None:
    (role,) = root.findall("md:IDPSSODescriptor", NAMES)
    root.append(etree.fromstring(etree.tostring(role)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_remove("md:IDPSSODescriptor"), "no SAML 2.0 identity provider"),
        (_saml_1, "no SAML 2.0 identity provider"),
        (_second_role, "2 identity providers"),
        (_remove(".//md:KeyDescriptor[@use='signing']"), "no signing certificate"),
        (_remove(f".//md:SingleSignOnService[@Binding='{BINDING_REDIRECT}']"), "HTTP-Redirect"),
        (_set(".//md:SingleSignOnService", "Location", "http://idp.example.org/sso"), "https://"),
        (_set(".//md:SingleSignOnService", "Location", "javascript:alert(1)"), "sign-in address"),
        (_set(".//md:SingleSignOnService", "Location", ""), "sign-in address"),
        (_set(".", "entityID", ""), "entity ID"),
        (_set(".", "entityID", "x" * 513), "entity ID"),
        (_set(".", "validUntil", clock.rfc3339(clock.now() - timedelta(days=1))), "expired"),
        (_set("md:IDPSSODescriptor", "validUntil", "2020-01-01T00:00:00"), "expired"),
        (_set(".", "validUntil", "tomorrow"), "validUntil"),
    ],
)
def test_unusable_metadata_is_refused_with_the_reason(
    honest: etree._Element, change: Callable[[etree._Element], None], words: str
) -> None:
    change(honest)
    with pytest.raises(MetadataUnusable, match=words):
        read(honest)


def test_valid_until_in_the_future_is_fine(honest: etree._Element) -> None:
    honest.set("validUntil", clock.rfc3339(clock.now() + timedelta(days=1)))
    assert read(honest).org == "acme"


@pytest.mark.parametrize(
    ("xml", "words"),
    [
        (b"", "not XML"),
        (b"\x00\xff not xml", "not XML"),
        (b"<html><body>Sign in</body></html>", "not SAML metadata"),
        (b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>', "document type"),
        (b'<!DOCTYPE a [<!ENTITY e "ha"><!ENTITY f "&e;&e;">]><a>&f;</a>', "document type"),
        (b" " * (MAX_METADATA + 1), "500,000"),
    ],
)
def test_what_is_no_metadata_is_refused(xml: bytes, words: str) -> None:
    with pytest.raises(MetadataUnusable, match=words):
        read(xml)


def test_certificate_that_cannot_verify_is_refused() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    elliptic = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(clock.now())
        .not_valid_after(clock.now() + timedelta(days=1))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
        .decode()
        .split("-----")[2]
    )
    for text, words in ((elliptic, "RSA key"), ("bm90IG9uZQ==", "X.509"), ("ünsinn", "X.509")):
        with pytest.raises(MetadataUnusable, match=words):
            read(document([text]))


def test_short_name_that_cannot_stand_in_an_address_is_refused(honest: etree._Element) -> None:
    with pytest.raises(MetadataUnusable, match="short name"):
        read(honest, org="Acme & Sons")
