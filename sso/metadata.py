"""An identity provider's own description (saml-metadata-2.0-os): what a company hands in to connect.

Only ever read from bytes that an administrator gives. An address inside it is never fetched.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from lxml import etree
from pydantic import ValidationError

from core.clock import now
from core.errors import InvalidInput
from sso.errors import MessageMalformed
from sso.redirect_binding import parse
from sso.saml import BINDING_REDIRECT, NAMESPACES, NS_PROTOCOL, NS_SIGNATURE, SamlConnection

NS_METADATA = "urn:oasis:names:tc:SAML:2.0:metadata"
# One provider with ten certificates and every optional element stays under 100 kB; a whole federation's
# file has tens of megabytes and is the wrong one.
MAX_METADATA = 500_000  # bytes

_NAMES = {**NAMESPACES, "md": NS_METADATA}
_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "org": "The company's short name",
        "sp_base_url": "The address of this site",
        "idp_entity_id": "The provider's entity ID",
        "idp_sso_url": "The provider's sign-in address",
        "idp_certificates": "A signing certificate",
        "admin_groups": "The list of admin groups",
        "auditor_groups": "The list of auditor groups",
        "attributes": "An attribute's name",
    }
)


class MetadataUnusable(InvalidInput):
    """The file is no identity provider's metadata, or lacks what a sign-in needs."""

    code = "saml_metadata"


def connection_from_metadata(
    org: str,
    sp_base_url: str,
    metadata: bytes,
    admin_groups: frozenset[str],
    auditor_groups: frozenset[str] = frozenset(),
) -> SamlConnection:
    """Return the connection that a provider's metadata describes.

    A signature on the metadata is not checked: it arrives from the company's administrator, whom we
    trust to name their own provider.

    Args:
        org: The company's slug.
        sp_base_url: Our own public address.
        metadata: XML of at most `MAX_METADATA` bytes with exactly one identity provider.
        admin_groups: Whose members become HR admins.
        auditor_groups: Whose members become auditors, unless they are HR admins.

    Raises:
        MetadataUnusable: what is wrong with the file, or with one of the other values.
    """
    if len(metadata) > MAX_METADATA:
        raise MetadataUnusable(
            "The metadata file has %(size)s bytes; at most %(most)s are read. Give the"
            " metadata of your own identity provider only, not of a whole federation.",
            size=f"{len(metadata):,}",
            most=f"{MAX_METADATA:,}",
        )
    try:
        root = parse(metadata)
    except MessageMalformed as error:
        raise MetadataUnusable(
            "The metadata file cannot be read: it is not XML, or it declares a document type."
            " Download it again from your identity provider."
        ) from error
    entity, descriptor = _provider(root)
    try:
        return SamlConnection(
            org=org,
            sp_base_url=sp_base_url,
            idp_entity_id=entity.get("entityID", ""),
            idp_sso_url=_sso_url(descriptor),
            idp_certificates=_signing_certificates(descriptor),
            admin_groups=admin_groups,
            auditor_groups=auditor_groups,
        )
    except ValidationError as error:
        raise MetadataUnusable(reasons(error)) from error


def _provider(root: etree._Element) -> tuple[etree._Element, etree._Element]:
    """Return the one entity that is an identity provider, and its role descriptor."""
    if root.tag not in (f"{{{NS_METADATA}}}EntityDescriptor", f"{{{NS_METADATA}}}EntitiesDescriptor"):
        raise MetadataUnusable(
            "This XML file is not SAML metadata. Download your identity provider's metadata."
        )
    found = [
        (entity, descriptor)
        for entity in root.iter(f"{{{NS_METADATA}}}EntityDescriptor")
        for descriptor in entity.findall("md:IDPSSODescriptor", _NAMES)
        if NS_PROTOCOL in descriptor.get("protocolSupportEnumeration", "").split()
    ]
    if not found:
        raise MetadataUnusable(
            "The metadata describes no SAML 2.0 identity provider. You may have taken an application's"
            " metadata; download the identity provider's."
        )
    if len(found) > 1:
        raise MetadataUnusable(
            "The metadata describes %(count)s identity providers. Give a file that has only your own.",
            count=len(found),
        )
    entity, descriptor = found[0]
    for element in (root, entity, descriptor):
        _demand_current(element)
    return entity, descriptor


def _demand_current(element: etree._Element) -> None:
    until = element.get("validUntil")
    if until is None:
        return
    try:
        moment = datetime.fromisoformat(until)
    except ValueError as error:
        raise MetadataUnusable("The metadata's validUntil is not a time. Download it again.") from error
    # SAML times are in UTC, and say so or not (saml-core-2.0 §1.3.3).
    if (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) <= now():
        raise MetadataUnusable("The metadata has expired. Download it again from your identity provider.")


def _sso_url(descriptor: etree._Element) -> str:
    for service in descriptor.findall("md:SingleSignOnService", _NAMES):
        if service.get("Binding") == BINDING_REDIRECT:
            return service.get("Location", "")
    raise MetadataUnusable(
        "The metadata offers no sign-in address with the HTTP-Redirect binding. Turn that binding on at"
        " your identity provider and download the metadata again."
    )


def _signing_certificates(descriptor: etree._Element) -> tuple[str, ...]:
    certificates = [
        "".join((certificate.text or "").split())
        for key in descriptor.findall("md:KeyDescriptor", _NAMES)
        if key.get("use", "signing") == "signing"  # without `use` a key serves both
        for certificate in key.iter(f"{{{NS_SIGNATURE}}}X509Certificate")
    ]
    if not certificates:
        raise MetadataUnusable(
            "The metadata has no signing certificate, so nobody's sign-in could be verified. Turn signing on"
            " at your identity provider and download the metadata again."
        )
    return tuple(dict.fromkeys(certificates))


def reasons(error: ValidationError) -> str:
    """Return what is wrong with the values of a connection, in sentences that never repeat one."""
    return " ".join(_sentence(item["loc"], item["msg"]) for item in error.errors(include_input=False))


def _sentence(location: tuple[int | str, ...], reason: str) -> str:
    subject = _FIELDS.get(str(location[0])) if location else None
    said = reason.removeprefix("Value error, ")
    # Without a field it is the rule about all of them together, which is a sentence already.
    return f"{subject} cannot be used: {said}." if subject else f"{said[:1].upper()}{said[1:]}."
