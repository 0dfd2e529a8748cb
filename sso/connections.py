"""Each company's connection, read from its row."""

from __future__ import annotations

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.errors import InvalidInput
from core.models import SamlConnectionRow
from core.people import organizations
from core.settings import settings
from sso.errors import NotConnected
from sso.metadata import reasons
from sso.saml import AttributeMapping, SamlConnection


class ConnectionUnusable(InvalidInput):
    """A value of a connection cannot be used."""

    code = "saml_connection"


def find(session: Session) -> SamlConnection | None:
    """Return the connection of the session's organization, if it has one."""
    row = session.scalar(select(SamlConnectionRow))
    if row is None:
        return None
    return SamlConnection(
        org=organizations.current(session).slug,
        sp_base_url=settings().base_url,
        idp_entity_id=row.idp_entity_id,
        idp_sso_url=row.idp_sso_url,
        idp_certificates=tuple(row.idp_certificates),
        attributes=AttributeMapping(**row.attributes),
        admin_groups=frozenset(row.admin_groups),
        auditor_groups=frozenset(row.auditor_groups),
        allow_unsolicited=row.allow_unsolicited,
    )


def load(session: Session) -> SamlConnection:
    """Return the connection of the session's organization.

    Raises:
        NotConnected: it has none.
    """
    connection = find(session)
    if connection is None:
        raise NotConnected
    return connection


def altered(connection: SamlConnection, **changes: object) -> SamlConnection:
    """Return `connection` with some fields changed and all of them checked again.

    Raises:
        ConnectionUnusable: what cannot be, and why.
    """
    try:
        return SamlConnection.model_validate({**dict(connection), **changes})
    except ValidationError as error:
        raise ConnectionUnusable(reasons(error)) from error


def save(session: Session, connection: SamlConnection) -> None:
    """Make `connection` the one of the session's organization; the log says which parts of it changed."""
    values = {
        "idp_entity_id": connection.idp_entity_id,
        "idp_sso_url": connection.idp_sso_url,
        "idp_certificates": list(connection.idp_certificates),
        "attributes": connection.attributes.model_dump(),
        "admin_groups": sorted(connection.admin_groups),
        "auditor_groups": sorted(connection.auditor_groups),
        "allow_unsolicited": connection.allow_unsolicited,
    }
    row = session.scalar(select(SamlConnectionRow))
    if row is None:
        row = SamlConnectionRow(org_id=organizations.current(session).id)
        session.add(row)
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    if not changed:
        return
    for name in changed:
        setattr(row, name, values[name])
    session.flush()
    audit.record(
        session,
        audit.Tag.CONNECTION_CHANGED,
        actor=audit.SYSTEM,
        changed=",".join(changed),
        certificates=len(connection.idp_certificates),
    )
