"""Judge a SAML response: every check but the cryptography, in one place.

python3-saml 1.16 accepts a response whose audience, destination, recipient, expiry or InResponseTo is
absent, compares some of them by prefix or substring, knows no replay, and lets XML errors escape. So: our
shape checks before any cryptography, then the signatures (`sso.signature`), then our own checks on the one
assertion that is signed. Each check has a cause of its own, so that a page can say which thing is wrong;
all allow for the same clock skew. Only what stands in that assertion becomes an `Identity`.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime

from lxml import etree

from core import clock
from sso import errors
from sso.identity import read_identity, text_of
from sso.redirect_binding import parse
from sso.replay import CLOCK_SKEW, ReplayCache
from sso.saml import NAMESPACES, NS_ASSERTION, NS_PROTOCOL, Identity, SamlConnection
from sso.signature import check_signatures, follows_schema, verified

MAX_ENCODED = 350_000  # characters of base64; a response naming 1,000 groups has about 150,000

BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
STATUS = "urn:oasis:names:tc:SAML:2.0:status:"
SUCCESS = f"{STATUS}Success"
# saml-core-2.0 §3.2.2.2. Told on the page, so only words of this list.
STATUSES = frozenset(
    {"Requester", "Responder", "VersionMismatch", "AuthnFailed", "InvalidAttrNameOrValue", "InvalidNameIDPolicy",
     "NoAuthnContext", "NoAvailableIDP", "NoPassive", "NoSupportedIDP", "PartialLogout", "ProxyCountExceeded",
     "RequestDenied", "RequestUnsupported", "RequestVersionDeprecated", "RequestVersionTooHigh",
     "RequestVersionTooLow", "ResourceNotRecognized", "TooManyResponses", "UnknownAttrProfile",
     "UnknownPrincipal", "UnsupportedBinding"}
)  # fmt: skip


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
    xml = _decoded(saml_response)
    _check_shape(parse(xml))
    if expected_request_id is None and not connection.allow_unsolicited:
        raise errors.Unsolicited
    response = verified(connection, xml)
    assertion = _only_assertion(response)

    _check_issuers(response, assertion, connection.idp_entity_id)
    if response.get("Destination") != connection.acs_url:
        raise errors.DestinationWrong
    if response.get("InResponseTo") != expected_request_id:
        raise errors.RequestMismatch
    _check_audience(assertion, connection.sp_entity_id)
    expires = max(
        _check_conditions(assertion), _check_confirmation(assertion, connection.acs_url, expected_request_id)
    )
    identity = read_identity(connection, assertion, _session_end(assertion))
    if not follows_schema(response):
        raise errors.SchemaWrong
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
    if response.get("Version") != "2.0":
        raise errors.VersionWrong
    _check_status(response)
    if next(response.iter(f"{{{NS_ASSERTION}}}EncryptedAssertion"), None) is not None:
        raise errors.AssertionEncrypted
    if _only_assertion(response).get("Version") != "2.0":
        raise errors.VersionWrong
    check_signatures(response)


def _check_status(response: etree._Element) -> None:
    status = response.find("samlp:Status/samlp:StatusCode", NAMESPACES)
    if status is None:
        raise errors.SchemaWrong
    if status.get("Value") == SUCCESS:
        return
    # The inner code is the exact one, where there is one (saml-core-2.0 §3.2.2.2).
    said = [code.get("Value", "").removeprefix(STATUS) for code in status.iter(str(status.tag))]
    known = [code for code in said if code in STATUSES]
    raise errors.IdpRefused(status=known[-1] if known else "Responder")


def _only_assertion(response: etree._Element) -> etree._Element:
    """Return the one assertion, which is a child of the response and bears its own signature."""
    everywhere = list(response.iter(f"{{{NS_ASSERTION}}}Assertion"))
    if len(everywhere) != 1 or everywhere[0].getparent() is not response:
        raise errors.AssertionCount
    if len(everywhere[0].findall("ds:Signature", NAMESPACES)) != 1:
        raise errors.SignatureMissing
    return everywhere[0]


def _check_issuers(response: etree._Element, assertion: etree._Element, idp_entity_id: str) -> None:
    """Check who wrote the assertion, and the response around it where that says so."""
    around = response.findall("saml:Issuer", NAMESPACES)
    issuers = [*assertion.findall("saml:Issuer", NAMESPACES), *around]
    if len(issuers) != 1 + len(around) or any(text_of(issuer) != idp_entity_id for issuer in issuers):
        raise errors.IssuerWrong


def _check_audience(assertion: etree._Element, sp_entity_id: str) -> None:
    restrictions = [
        [text_of(audience) for audience in restriction.findall("saml:Audience", NAMESPACES)]
        for restriction in assertion.findall("saml:Conditions/saml:AudienceRestriction", NAMESPACES)
    ]
    if not restrictions or not all(restrictions):
        raise errors.AudienceMissing
    # Several restrictions must all hold; the audiences within one are alternatives (saml-core-2.0 §2.5.1.4).
    if not all(sp_entity_id in audiences for audiences in restrictions):
        raise errors.AudienceWrong


def _check_conditions(assertion: etree._Element) -> datetime:
    """Check the assertion's own period; return its end, or now where it names none."""
    expires = clock.now()
    for conditions in assertion.findall("saml:Conditions", NAMESPACES):
        start, end = conditions.get("NotBefore"), conditions.get("NotOnOrAfter")
        if start is not None and _moment(start) > clock.now() + CLOCK_SKEW:
            raise errors.TooEarly
        if end is not None:
            expires = max(expires, _end(end))
    return expires


def _check_confirmation(assertion: etree._Element, acs_url: str, expected_request_id: str | None) -> datetime:
    """Check every bearer confirmation as saml-profiles-2.0 §4.1.4.2 demands; return the latest end.

    One good confirmation among several would do. An honest assertion for us has no bad one.
    """
    confirmations = [
        confirmation
        for confirmation in assertion.findall("saml:Subject/saml:SubjectConfirmation", NAMESPACES)
        if confirmation.get("Method") == BEARER
    ]
    if not confirmations:
        raise errors.ConfirmationMissing
    return max(
        _check_one_confirmation(
            confirmation.find("saml:SubjectConfirmationData", NAMESPACES), acs_url, expected_request_id
        )
        for confirmation in confirmations
    )


def _check_one_confirmation(
    data: etree._Element | None, acs_url: str, expected_request_id: str | None
) -> datetime:
    if data is None:
        raise errors.ConfirmationMissing
    if data.get("Recipient") != acs_url:
        raise errors.RecipientWrong
    if data.get("InResponseTo") != expected_request_id:
        raise errors.RequestMismatch
    if data.get("NotBefore") is not None:
        raise errors.ConfirmationStart
    end = data.get("NotOnOrAfter")
    if end is None:
        raise errors.EndMissing
    return _end(end)


def _session_end(assertion: etree._Element) -> datetime | None:
    """Return when the identity provider wants the session over, if it says so.

    No skew here: a session that would end before it began is none, and one must not outlast its end.
    """
    statements = assertion.findall("saml:AuthnStatement", NAMESPACES)
    if len(statements) != 1:
        raise errors.AuthnStatementMissing
    said = statements[0].get("SessionNotOnOrAfter")
    end = None if said is None else _moment(said)
    if end is not None and end <= clock.now():
        raise errors.SessionOver
    return end


def _end(value: str) -> datetime:
    """Return the end of a period that is not over."""
    end = _moment(value)
    if end <= clock.now() - CLOCK_SKEW:
        raise errors.TimeWrong
    return end


def _moment(value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise errors.TimeUnreadable from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)  # saml-core-2.0 §1.3.3: always UTC
