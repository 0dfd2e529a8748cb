"""Who may do what: the one readable map."""

from __future__ import annotations

from enum import StrEnum

from core.models import Role


class Permission(StrEnum):
    """Something that an admin page or verb asks for."""

    VIEW_DASHBOARD = "view_dashboard"
    EDIT_STYLE = "edit_style"
    MANAGE_SHOOTS = "manage_shoots"
    INVITE = "invite"
    PUT_PHOTOS_IN = "put_photos_in"
    DOWNLOAD = "download"
    REVIEW = "review"
    ERASE_MEMBER = "erase_member"
    DISABLE_MEMBER = "disable_member"
    VIEW_AUDIT = "view_audit"
    EDIT_RETENTION = "edit_retention"
    EDIT_PRIVACY = "edit_privacy"
    HANDLE_BREACHES = "handle_breaches"
    EDIT_MAILS = "edit_mails"
    MAIL_CHECKPOINTS = "mail_checkpoints"
    VIEW_EVENTS_OF_PEOPLE = "view_events_of_people"
    VIEW_REQUESTS = "view_requests"
    HANDLE_REQUESTS = "handle_requests"


# Who organises shoots knows when somebody was invited or erased, and would recognise a pseudonym by that.
_ADMIN = frozenset(Permission) - {Permission.VIEW_EVENTS_OF_PEOPLE}


ROLES: dict[Role, frozenset[Permission]] = {
    Role.OWNER: _ADMIN,
    Role.HR_ADMIN: _ADMIN,
    Role.REVIEWER: frozenset({Permission.VIEW_DASHBOARD, Permission.DOWNLOAD, Permission.REVIEW}),
    Role.AUDITOR: frozenset(
        {
            Permission.VIEW_DASHBOARD,
            Permission.VIEW_AUDIT,
            Permission.VIEW_EVENTS_OF_PEOPLE,
            Permission.VIEW_REQUESTS,
        }
    ),
    Role.EMPLOYEE: frozenset(),
}


def allowed(role: str, permission: Permission) -> bool:
    """Return whether `role` includes `permission`."""
    return permission in ROLES[Role(role)]
