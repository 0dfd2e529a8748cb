"""Whose report it is, and what every part of it reads from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance.reports.law import place_of
from compliance.reports.wording import Wording
from core.models import Member, Organization, Person
from core.regimes import Regime


@dataclass
class Subject:
    """A person, read by their own session.

    Attributes:
        session: bound to their organization.
        member: who it is.
        organization: who is responsible.
        say: the words.
        names: what a file is called in the archive that goes with the report, by its artifact.
        regime: the law where they work: its places and words, and no other's.
        biometrics: whether numbers taken of the face are handed over, or described alone.
    """

    session: Session
    member: Member
    organization: Organization
    say: Wording
    names: dict[UUID, str]
    regime: Regime
    biometrics: bool = True
    _roles: dict[UUID, str] = field(default_factory=dict)

    def law(self, section: str) -> str:
        """Return the place in their law that asks for a section; empty where it names none."""
        return place_of(self.regime, section, self.say.language)

    def by_law(self, name: str) -> Any:
        """Return what is said otherwise under their law; what it does not say is said as elsewhere."""
        own: dict[str, Any] = self.say.table("law").get(self.regime.value, {})
        return own[name] if name in own else self.say.table("law.other")[name]

    def role_of(self, actor_id: UUID | None) -> str:
        """Return who did something as a role: never a name, which is somebody else's."""
        if actor_id is None:
            return self.say("by.platform")
        if actor_id == self.member.id:
            return self.say("by.you")
        if actor_id not in self._roles:
            found = self.session.scalar(select(Person.role).where(Person.id == actor_id))
            self._roles[actor_id] = self.say.label("role", found)
        return self.say("by.company", role=self._roles[actor_id])
