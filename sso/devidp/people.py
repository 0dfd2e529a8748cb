"""Who can sign in at the development identity provider."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

# What membership makes somebody at the companies that `up` and `demo` set up
ADMIN_GROUP = "headshots-admins"
AUDITOR_GROUP = "headshots-auditors"


@dataclass(frozen=True)
class DevPerson:
    """A made-up member of a made-up company."""

    org: str  # the company's slug
    email: str
    first_name: str
    last_name: str
    title: str = ""  # shown on the sign-in page only
    groups: tuple[str, ...] = ()

    @property
    def name_id(self) -> str:
        """A persistent identifier: opaque, and the same after every restart."""
        return hashlib.sha256(f"{self.org}/{self.email}".encode()).hexdigest()[:32]

    @property
    def full_name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def initials(self) -> str:
        """At most two letters, for the picture beside the name."""
        return "".join(part[0] for part in (self.first_name, self.last_name) if part).upper()
