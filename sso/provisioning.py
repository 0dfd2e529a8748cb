"""Which member an identity is; just-in-time, and never by an e-mail attribute alone."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import audit, locks
from core.clock import now
from core.db import organization_of
from core.models import Member, Role, SignInMethod, WebSession
from core.people import access, addresses, members
from sso.claims import is_member
from sso.errors import AccountDisabled, AccountNotLinked
from sso.saml import Identity, SamlConnection

# Given here by hand; the identity provider's groups neither grant nor take these.
KEPT_ROLES = frozenset({Role.OWNER, Role.REVIEWER})


def member_for(session: Session, connection: SamlConnection, identity: Identity) -> Member:
    """Return the member who signed in: known, linked now, or added now.

    Found by (identity provider, NameID). Otherwise a member of this organization with the same e-mail
    address and no identity yet is linked, where more than an attribute says that it is them: people can
    often edit their own address in a directory, but neither the name that it knows them by nor their groups.
    So an employee is linked if the address is the NameID itself, or if the groups give a role here; a member
    who is more than an employee if the identity is in an admin group (for an auditor, an auditor group).
    Otherwise the person is added. Names and addresses of known members stay as HR imported them.

    The caller's transaction holds the change and its audit events.

    Raises:
        AccountDisabled: the member may not sign in.
        AccountNotLinked: the address belongs to a member with another identity or a higher role, or nothing but
            an attribute says that it is theirs.
    """
    _wait_in_line(session, identity)
    member = _known(session, identity)
    if member is None:
        member = members.by_email(session, identity.email)
        if member is None:
            return _add(session, connection, identity)
        _link(session, connection, identity, member)
    if member.disabled_at is not None or member.erased_at is not None:
        raise AccountDisabled
    _follow_groups(session, connection, identity, member)
    return member


def forget(session: Session, idp_entity_id: str) -> None:
    """Sign everybody out whom a provider knows, and forget its names for them: it is trusted no longer.

    They are linked anew at their next sign-in, by the rules for somebody without an identity.
    """
    known = select(Member).where(Member.idp_entity_id == idp_entity_id)
    locks.owners(session, known.with_only_columns(Member.id))
    for member in session.scalars(known):
        member.idp_entity_id = member.name_id = None
    session.flush()
    session.execute(
        update(WebSession)
        .where(WebSession.method == SignInMethod.SAML, WebSession.ended_at.is_(None))
        .values(ended_at=now())
    )


def _known(session: Session, identity: Identity) -> Member | None:
    name = identity.name_id
    return members.by_identity(session, identity.idp_entity_id, name.value, is_address=name.is_address)


def _wait_in_line(session: Session, identity: Identity) -> None:
    """Let two first sign-ins of one person run one after the other, until the transaction ends."""
    of = f"{organization_of(session)}\0{identity.email}".encode()
    locks.wait(session, locks.Space.SIGN_IN, of)


def _role(connection: SamlConnection, identity: Identity) -> Role | None:
    """Return the role that the groups give; none where they are not all there and no admin's is among them.

    In both kinds of group one is an admin and no auditor: an auditor reads every event by pseudonym, and who
    organises shoots would recognise people in them by the time of an invitation or an erasure.
    """
    if is_member(identity.groups, connection.admin_groups):
        return Role.HR_ADMIN
    if not identity.all_groups:
        return None
    if is_member(identity.groups, connection.auditor_groups):
        return Role.AUDITOR
    return Role.EMPLOYEE


def _add(session: Session, connection: SamlConnection, identity: Identity) -> Member:
    nameless = not identity.first_name and not identity.last_name
    person = members.NewMember(
        email=identity.email,
        # Better than an empty line in every list; HR can correct it.
        first_name=identity.email.partition("@")[0] if nameless else identity.first_name,
        last_name=identity.last_name,
        role=_role(connection, identity) or Role.EMPLOYEE,
        idp_entity_id=identity.idp_entity_id,
        name_id=identity.name_id.value,
    )
    (member,) = members.add(session, [person], actor=audit.SYSTEM, tag=audit.Tag.MEMBER_PROVISIONED)
    return member


def _link(session: Session, connection: SamlConnection, identity: Identity, member: Member) -> None:
    if member.name_id is not None:
        raise AccountNotLinked
    given = _role(connection, identity)
    if Role(member.role) is Role.EMPLOYEE:
        vouched = (
            given not in (None, Role.EMPLOYEE)
            or addresses.canonical(identity.name_id.value) == identity.email
        )
    else:
        vouched = given in (Role.HR_ADMIN, member.role)
    if not vouched:
        raise AccountNotLinked
    if member.disabled_at is not None:
        raise AccountDisabled
    member.idp_entity_id, member.name_id = identity.idp_entity_id, identity.name_id.value
    session.flush()
    audit.record(
        session,
        audit.Tag.MEMBER_PROVISIONED,
        actor=audit.SYSTEM,
        subject=member,
        role=member.role,
        linked=True,
    )


def _follow_groups(session: Session, connection: SamlConnection, identity: Identity, member: Member) -> None:
    """Make the role what the groups say.

    A connection that names none for a role says nothing of it, nor does an answer without its groups: a list
    that is missing or cut short takes nobody's role. The last admin stays one: they sign in, can appoint
    another, and follow their groups from then on.
    """
    before, after = Role(member.role), _role(connection, identity)
    groups = {Role.HR_ADMIN: connection.admin_groups, Role.AUDITOR: connection.auditor_groups}
    said_nothing_of = before in groups and not groups[before]  # such a role was given by hand
    if after is None or before in KEPT_ROLES or said_nothing_of or before is after:
        return
    if after not in access.STAFF:
        try:
            access.keep_an_admin(session, member)
        except access.LastAdmin:  # somebody must be able to let others in; the log says that it was so
            audit.record(
                session, audit.Tag.MEMBER_ROLE_KEPT, actor=audit.SYSTEM, subject=member, role=before.value
            )
            return
    member.role = after
    session.flush()
    audit.record(
        session,
        audit.Tag.MEMBER_ROLE_CHANGED,
        actor=audit.SYSTEM,
        subject=member,
        before=before.value,
        after=after.value,
    )
