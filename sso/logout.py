"""Read an identity provider's logout request: only a signed, fresh, first one for us counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from core import clock
from sso.errors import LogoutRefused, Replayed
from sso.identity import read_name_id, text_of
from sso.redirect_binding import receive
from sso.replay import CLOCK_SKEW, ReplayCache
from sso.saml import NAMESPACES, NS_PROTOCOL, NameId, SamlConnection

MAX_AGE = timedelta(minutes=10)  # for requests that name no end of their own


@dataclass(frozen=True)
class LogoutRequest:
    """Whom to sign out."""

    name_id: NameId
    session_indexes: frozenset[str]  # empty: every session of the person


def read_logout_request(
    connection: SamlConnection, query_string: str, *, replays: ReplayCache
) -> LogoutRequest:
    """Return whom the signed `SAMLRequest` in a raw query string signs out.

    Raises:
        SignInFailed: unsigned, changed, from someone else, for someone else, too old or used before.
        Unavailable: the replay cache does not answer.
    """
    request = receive(query_string, "SAMLRequest", connection.idp_certificates).document
    issued, end = _moment(request.get("IssueInstant")), request.get("NotOnOrAfter")
    expires = issued + MAX_AGE if end is None else _moment(end)
    name_ids = request.findall("saml:NameID", NAMESPACES)
    message_id = request.get("ID")
    if (
        request.tag != f"{{{NS_PROTOCOL}}}LogoutRequest"
        or request.findtext("saml:Issuer", namespaces=NAMESPACES) != connection.idp_entity_id
        or request.get("Destination") != connection.sls_url
        or len(name_ids) != 1
        or not message_id
        or issued - clock.now() > CLOCK_SKEW
        or clock.now() - expires >= CLOCK_SKEW
    ):
        raise LogoutRefused
    if not replays.first_use(connection.idp_entity_id, message_id, expires):
        raise Replayed
    indexes = (text_of(index) for index in request.findall("samlp:SessionIndex", NAMESPACES))
    return LogoutRequest(read_name_id(name_ids[0]), frozenset(index for index in indexes if index))


def _moment(value: str | None) -> datetime:
    try:
        moment = datetime.fromisoformat(value or "")
    except ValueError as error:
        raise LogoutRefused from error
    if moment.tzinfo is None:
        raise LogoutRefused
    return moment
