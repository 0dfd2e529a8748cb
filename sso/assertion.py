"""Judge a SAML response: every check python3-saml leaves out, in one place.

python3-saml 1.16 verifies signatures and refuses wrapped ones, but it accepts a response whose audience,
destination, recipient, expiry or InResponseTo is absent, compares some of them by prefix or substring,
knows no replay, and lets XML errors escape. So: our shape checks before any cryptography, then the
toolkit, then our own checks on the one assertion whose signature it has verified. Only what stands in
that assertion becomes an `Identity`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from urllib.parse import urlsplit

from lxml import etree
from onelogin.saml2.errors import OneLogin_Saml2_ValidationError as Refusal
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings

from core import clock
from sso import errors
from sso.identity import read_identity, text_of
from sso.redirect_binding import parse
from sso.replay import CLOCK_SKEW, ReplayCache
from sso.saml import (
    NAMESPACES,
    NS_ASSERTION,
    NS_PROTOCOL,
    NS_SIGNATURE,
    Identity,
    SamlConnection,
    toolkit_settings,
)

MAX_ENCODED = 350_000  # characters of base64; a response naming 1,000 groups has about 150,000

SIGNATURES = frozenset(
    f"http://www.w3.org/2001/04/xmldsig-more#rsa-{digest}" for digest in ("sha256", "sha384", "sha512")
)
DIGESTS = frozenset(
    {
        "http://www.w3.org/2001/04/xmlenc#sha256",
        "http://www.w3.org/2001/04/xmldsig-more#sha384",
        "http://www.w3.org/2001/04/xmlenc#sha512",
    }
)
CANONICALIZATIONS = frozenset(
    {"http://www.w3.org/2001/10/xml-exc-c14n#", "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"}
)
TRANSFORMS = CANONICALIZATIONS | {"http://www.w3.org/2000/09/xmldsig#enveloped-signature"}
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"

_CAUSES: Mapping[int, type[errors.SignInFailed]] = MappingProxyType(
    {
        Refusal.STATUS_CODE_IS_NOT_SUCCESS: errors.IdpRefused,
        Refusal.WRONG_NUMBER_OF_ASSERTIONS: errors.AssertionCount,
        Refusal.NO_SIGNATURE_FOUND: errors.SignatureMissing,
        Refusal.NO_SIGNED_ASSERTION: errors.SignatureMissing,
        Refusal.NO_SIGNED_MESSAGE: errors.SignatureMissing,
        Refusal.INVALID_SIGNATURE: errors.SignatureWrong,
        Refusal.WRONG_SIGNED_ELEMENT: errors.SignatureWrong,
        Refusal.INVALID_SIGNED_ELEMENT: errors.SignatureWrong,
        Refusal.ID_NOT_FOUND_IN_SIGNED_ELEMENT: errors.SignatureWrong,
        Refusal.DUPLICATED_ID_IN_SIGNED_ELEMENTS: errors.SignatureWrong,
        Refusal.DUPLICATED_REFERENCE_IN_SIGNED_ELEMENTS: errors.SignatureWrong,
        Refusal.UNEXPECTED_SIGNED_ELEMENTS: errors.SignatureWrong,
        Refusal.WRONG_NUMBER_OF_SIGNATURES: errors.SignatureWrong,
        Refusal.WRONG_NUMBER_OF_SIGNATURES_IN_RESPONSE: errors.SignatureWrong,
        Refusal.WRONG_NUMBER_OF_SIGNATURES_IN_ASSERTION: errors.SignatureWrong,
        Refusal.DEPRECATED_SIGNATURE_METHOD: errors.AlgorithmRefused,
        Refusal.DEPRECATED_DIGEST_METHOD: errors.AlgorithmRefused,
        Refusal.WRONG_ISSUER: errors.IssuerWrong,
        Refusal.ISSUER_NOT_FOUND_IN_ASSERTION: errors.IssuerWrong,
        Refusal.ISSUER_MULTIPLE_IN_RESPONSE: errors.IssuerWrong,
        Refusal.WRONG_AUDIENCE: errors.AudienceWrong,
        Refusal.WRONG_DESTINATION: errors.DestinationWrong,
        Refusal.EMPTY_DESTINATION: errors.DestinationWrong,
        Refusal.WRONG_INRESPONSETO: errors.RequestMismatch,
        Refusal.ASSERTION_TOO_EARLY: errors.TimeWrong,
        Refusal.ASSERTION_EXPIRED: errors.TimeWrong,
        Refusal.SESSION_EXPIRED: errors.TimeWrong,
        Refusal.NO_NAMEID: errors.NameIdUnusable,
        Refusal.EMPTY_NAMEID: errors.NameIdUnusable,
        Refusal.SP_NAME_QUALIFIER_NAME_MISMATCH: errors.NameIdUnusable,
    }
)


def claimed_request(saml_response: str) -> str | None:
    """Return which request a response says it answers.

    Nothing is verified: use it to look up, never to trust.

    Raises:
        MessageTooLarge, MessageMalformed: as `validate_response`.
    """
    return parse(_decoded(saml_response)).get("InResponseTo")


def validate_response(
    connection: SamlConnection, saml_response: str, *, expected_request_id: str | None, replays: ReplayCache
) -> Identity:
    """Return who the identity provider says has signed in, after every check.

    Args:
        connection: The company's connection; addresses come from it, never from the request's headers.
        saml_response: The posted `SAMLResponse`, base64.
        expected_request_id: The request this browser was sent with; None where the sign-in did not start
            here, which only a connection that allows it accepts.
        replays: Where the assertion is marked as used.

    Raises:
        SignInFailed: one subclass per cause, see `sso.errors`.
        Unavailable: the replay cache does not answer.
    """
    if expected_request_id is None and not connection.allow_unsolicited:
        raise errors.Unsolicited
    xml = _decoded(saml_response)
    _check_shape(parse(xml))
    response = _accepted_by_toolkit(connection, xml, expected_request_id)
    assertion = _only_assertion(response)

    if text_of(assertion.find("saml:Issuer", NAMESPACES)) != connection.idp_entity_id:
        raise errors.IssuerWrong
    if response.get("Destination") != connection.acs_url:
        raise errors.DestinationWrong
    if response.get("InResponseTo") != expected_request_id:
        raise errors.RequestMismatch
    _check_audience(assertion, connection.sp_entity_id)
    expires = max(
        _check_conditions(assertion), _check_confirmation(assertion, connection.acs_url, expected_request_id)
    )
    identity = read_identity(connection, assertion)
    # Last, so that a response refused for another reason can be corrected and sent again.
    if not replays.first_use(connection.idp_entity_id, assertion.get("ID", ""), expires):
        raise errors.Replayed
    return identity


def _decoded(saml_response: str) -> bytes:
    if len(saml_response) > MAX_ENCODED:
        raise errors.MessageTooLarge
    try:
        return base64.b64decode("".join(saml_response.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise errors.MessageMalformed from error


def _check_shape(response: etree._Element) -> None:
    """Refuse what must not even reach the cryptography."""
    if response.tag != f"{{{NS_PROTOCOL}}}Response":
        raise errors.MessageMalformed
    status = response.find("samlp:Status/samlp:StatusCode", NAMESPACES)
    if status is None:
        raise errors.MessageMalformed
    if status.get("Value") != SUCCESS:
        raise errors.IdpRefused
    if next(response.iter(f"{{{NS_ASSERTION}}}EncryptedAssertion"), None) is not None:
        raise errors.AssertionEncrypted
    _only_assertion(response)
    ids = [element.get("ID") for element in response.iter() if element.get("ID") is not None]
    if len(ids) != len(set(ids)):
        raise errors.SignatureWrong
    for signature in response.iter(f"{{{NS_SIGNATURE}}}Signature"):
        _check_signature(signature)


def _only_assertion(response: etree._Element) -> etree._Element:
    """Return the one assertion, which is a child of the response and bears its own signature."""
    everywhere = list(response.iter(f"{{{NS_ASSERTION}}}Assertion"))
    if len(everywhere) != 1 or everywhere[0].getparent() is not response:
        raise errors.AssertionCount
    if len(everywhere[0].findall("ds:Signature", NAMESPACES)) != 1:
        raise errors.SignatureMissing
    return everywhere[0]


def _check_signature(signature: etree._Element) -> None:
    """Check what a signature covers and with which algorithms; the toolkit checks that it is right."""
    signed = signature.getparent()
    references = signature.findall("ds:SignedInfo/ds:Reference", NAMESPACES)
    if (
        signed is None
        or signed.tag not in (f"{{{NS_PROTOCOL}}}Response", f"{{{NS_ASSERTION}}}Assertion")
        or len(references) != 1
        or not signed.get("ID")
        or references[0].get("URI") != f"#{signed.get('ID')}"
        or signature.find("ds:Object", NAMESPACES) is not None
    ):
        raise errors.SignatureWrong
    for path, allowed in (
        ("ds:SignedInfo/ds:SignatureMethod", SIGNATURES),
        ("ds:SignedInfo/ds:CanonicalizationMethod", CANONICALIZATIONS),
        ("ds:SignedInfo/ds:Reference/ds:DigestMethod", DIGESTS),
        ("ds:SignedInfo/ds:Reference/ds:Transforms/ds:Transform", TRANSFORMS),
    ):
        algorithms = signature.findall(path, NAMESPACES)
        if not algorithms or any(algorithm.get("Algorithm") not in allowed for algorithm in algorithms):
            raise errors.AlgorithmRefused


def _accepted_by_toolkit(
    connection: SamlConnection, xml: bytes, expected_request_id: str | None
) -> etree._Element:
    """Let python3-saml verify signatures and schema; return the very tree that it verified."""
    settings = OneLogin_Saml2_Settings(toolkit_settings(connection))
    acs = urlsplit(connection.acs_url)
    request = {
        "https": "on" if acs.scheme == "https" else "off",
        "http_host": acs.netloc,
        "script_name": acs.path,
    }
    try:
        response = OneLogin_Saml2_Response(settings, base64.b64encode(xml).decode("ascii"))
        response.is_valid(request, expected_request_id, raise_exceptions=True)
        document: etree._Element = response.get_xml_document()
    except Refusal as refusal:
        raise _cause(refusal, xml) from refusal
    except Exception as error:  # the toolkit raises bare Exception, lxml's and xmlsec's errors
        raise errors.MessageMalformed from error
    return document


def _cause(refusal: Refusal, xml: bytes) -> errors.SignInFailed:
    if refusal.code == Refusal.WRONG_SUBJECTCONFIRMATION:
        # The toolkit has one code for every way a confirmation can fail; ours says which it was.
        data = parse(xml).find(".//saml:SubjectConfirmationData", NAMESPACES)
        end = None if data is None else data.get("NotOnOrAfter")
        return (
            errors.TimeWrong() if end is not None and _moment(end) <= clock.now() else errors.RecipientWrong()
        )
    return _CAUSES.get(refusal.code, errors.MessageMalformed)()


def _check_audience(assertion: etree._Element, sp_entity_id: str) -> None:
    restrictions = assertion.findall("saml:Conditions/saml:AudienceRestriction", NAMESPACES)
    # Several restrictions must all hold; the audiences within one are alternatives (saml-core-2.0 §2.5.1.4).
    if not restrictions or not all(
        sp_entity_id in [text_of(audience) for audience in restriction.findall("saml:Audience", NAMESPACES)]
        for restriction in restrictions
    ):
        raise errors.AudienceWrong


def _check_conditions(assertion: etree._Element) -> datetime:
    """Check the assertion's own period; return its end, or now where it names none."""
    conditions = assertion.find("saml:Conditions", NAMESPACES)
    if conditions is None:
        raise errors.AudienceWrong
    start, end = conditions.get("NotBefore"), conditions.get("NotOnOrAfter")
    if start is not None and _moment(start) > clock.now() + CLOCK_SKEW:
        raise errors.TimeWrong
    if end is not None and _moment(end) <= clock.now() - CLOCK_SKEW:
        raise errors.TimeWrong
    return clock.now() if end is None else _moment(end)


def _check_confirmation(assertion: etree._Element, acs_url: str, expected_request_id: str | None) -> datetime:
    """Check every bearer confirmation as saml-profiles-2.0 §4.1.4.2 demands; return the latest end.

    The toolkit wants one good confirmation among several. An honest assertion for us has no bad one.
    """
    confirmations = [
        confirmation
        for confirmation in assertion.findall("saml:Subject/saml:SubjectConfirmation", NAMESPACES)
        if confirmation.get("Method") == BEARER
    ]
    ends = [
        _check_one_confirmation(
            confirmation.find("saml:SubjectConfirmationData", NAMESPACES), acs_url, expected_request_id
        )
        for confirmation in confirmations
    ]
    if not ends:
        raise errors.RecipientWrong
    return max(ends)


def _check_one_confirmation(
    data: etree._Element | None, acs_url: str, expected_request_id: str | None
) -> datetime:
    if data is None or data.get("Recipient") != acs_url:
        raise errors.RecipientWrong
    if data.get("InResponseTo") != expected_request_id:
        raise errors.RequestMismatch
    end = data.get("NotOnOrAfter")
    if end is None or _moment(end) <= clock.now() - CLOCK_SKEW or data.get("NotBefore") is not None:
        raise errors.TimeWrong
    return _moment(end)


def _moment(value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise errors.MessageMalformed from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)  # saml-core-2.0 §1.3.3: always UTC
