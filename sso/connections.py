"""Each company's connection, read from its row."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models import SamlConnectionRow
from core.people import organizations
from core.settings import settings
from sso.errors import NotConnected
from sso.saml import AttributeMapping, SamlConnection


def load(session: Session) -> SamlConnection:
    """Return the connection of the session's organization.

    Raises:
        NotConnected: it has none.
    """
    row = session.scalar(select(SamlConnectionRow))
    if row is None:
        raise NotConnected
    return SamlConnection(
        org=organizations.current(session).slug,
        sp_base_url=settings().base_url,
        idp_entity_id=row.idp_entity_id,
        idp_sso_url=row.idp_sso_url,
        idp_certificates=tuple(row.idp_certificates),
        attributes=AttributeMapping(**row.attributes),
        admin_groups=frozenset(row.admin_groups),
        auditor_groups=frozenset(row.auditor_groups),
    )


def save(session: Session, connection: SamlConnection) -> None:
    """Make `connection` the one of the session's organization."""
    row = session.scalar(select(SamlConnectionRow))
    if row is None:
        row = SamlConnectionRow(org_id=organizations.current(session).id)
        session.add(row)
    row.idp_entity_id = connection.idp_entity_id
    row.idp_sso_url = connection.idp_sso_url
    row.idp_certificates = list(connection.idp_certificates)
    row.attributes = connection.attributes.model_dump()
    row.admin_groups = sorted(connection.admin_groups)
    row.auditor_groups = sorted(connection.auditor_groups)
    session.flush()
