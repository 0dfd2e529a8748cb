"""What a person is told of their request: one mail for each step that somebody else takes."""

from __future__ import annotations

import hashlib
import hmac
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from babel.dates import format_date
from sqlalchemy.orm import Session

from compliance.laws import cited
from compliance.log.alarm import plain
from compliance.requests import clocks, regimes, words
from compliance.requests.refusals import Basis, offered
from core import audit, formal, tokens
from core.mail.message import Mail
from core.models import AuditEvent, Member, Organization, Right, Stage, SubjectRequest
from core.people import data_links, organizations
from core.queue import JobName, enqueue
from core.regimes import Regime
from core.settings import settings
from core.vault import derive

WORDS: Final = Path(__file__).with_suffix(".toml")
OPENED: Final = "opened"
UNRESTRICTED: Final = "unrestricted"
_PROOF_BYTES: Final = 24
MOST_LETTERS: Final = 2000  # of what the company adds to an answer
# Steps that are told; a closed request has nobody any more who could be.
TOLD: Final = frozenset(
    {OPENED, UNRESTRICTED, "extended", "lifted", *(one.value for one in Stage)}
    - {Stage.UNCONFIRMED, Stage.RECEIVED, Stage.CLOSED}
)


def owe(session: Session, row: SubjectRequest, event_id: UUID, actor: audit.Actor, said: str = "") -> None:
    """Owe the person a mail about a step, unless they took it themselves or nobody has their address.

    Args:
        session: bound to the organization.
        row: the request.
        event_id: of the step.
        actor: who took it.
        said: what the company adds.
    """
    kind = _kind(session.get_one(AuditEvent, event_id))
    if kind not in TOLD or actor.member_id == (row.member_id or row.id) or not address_of(session, row):
        return
    if said.strip():
        now_said = words.read(row)
        notes = {**now_said.notes, str(event_id): said.strip()[:MOST_LETTERS]}
        words.put(row, replace(now_said, notes=notes))
    enqueue(session, JobName.REQUEST_MAIL, event_id)


def _kind(event: AuditEvent) -> str:
    if event.tag == audit.Tag.REQUEST_RECEIVED:
        return OPENED
    found: str = event.facts["after"] if event.tag == audit.Tag.REQUEST_MOVED else event.facts["what"]
    return found


def mail(session: Session, event_id: UUID) -> Mail | None:
    """Return the mail about a step; `None` where the person is out of reach by now."""
    event = session.get(AuditEvent, event_id)
    row = None if event is None else session.get(SubjectRequest, UUID(event.facts["request"]))
    if event is None or row is None:
        return None
    to = address_of(session, row)
    if not to:
        return None
    said = words.read(row).notes.get(str(event_id), "")
    subject, text = written(session, row, _kind(event), said=said)
    return replace(plain(to, subject, text), reply_to=organizations.current(session).contact_email or None)


def address_of(session: Session, row: SubjectRequest) -> str:
    """Return where answers to a request go; empty where nobody knows."""
    member = session.get(Member, row.member_id) if row.member_id is not None else None
    if member is not None and member.email:
        return member.email
    return words.read(row).address


def preview(session: Session, row: SubjectRequest, kind: str) -> tuple[str, str]:
    """Return the mail about a step that may follow, for whoever would take it; its links open nothing.

    Which reason an extension or a hold has is not chosen yet: it says so.
    """
    law, place = regimes.law_of(row.regime), regimes.place_of(session)
    slug = organizations.current(session).slug
    values = {"data": f"{base()}/your-data/…", "link": f"{base()}/privacy/{slug}/requests/…"}
    if kind == "extended":
        later = clocks.due_extended(row.received_at, Right(row.type), law, place) or row.due_at
        values |= {"why_longer": "[…]", "due": day_in(words_of(session, row), later, place)}
    if kind == Stage.HELD:
        values |= {"basis": "[…]"}
    return written(session, row, kind, instead=values)


def written(
    session: Session,
    row: SubjectRequest,
    kind: str,
    *,
    said: str = "",
    instead: Mapping[str, str] = MappingProxyType({}),
) -> tuple[str, str]:
    """Return subject and text of the mail about a step, in the person's language.

    Args:
        session: bound to the organization.
        row: the request.
        kind: one of `TOLD`.
        said: what the company adds.
        instead: stands in the place of what the row says.
    """
    said_in = words_of(session, row)
    organization = organizations.current(session)
    chosen = (row.hold if kind == Stage.HELD else row.basis) or ""
    values = _values(session, row, organization, said_in, chosen) | dict(instead)
    own = said_in["steps"][kind]
    if kind == Stage.FULFILLED:
        known = row.member_id is not None
        own = {"text": said_in["done"][row.type if known else "nobody"], **own}
    values["said"] = said.strip()
    parts = [own["text"], "{said}" if values["said"] else ""]
    if kind in (Stage.DENIED, Stage.PARTLY):
        parts += [said_in["complain"][row.regime]]
    parts += [
        "" if kind == Stage.FULFILLED and row.type == Right.ERASURE else said_in["status"],
        said_in["end"],
    ]
    text = "\n\n".join(one.strip() for one in parts if one.strip())
    return said_in["subject"].format(**values), text.format(**values)


def _values(
    session: Session, row: SubjectRequest, organization: Organization, said_in: dict[str, Any], chosen: str
) -> dict[str, str]:
    place = regimes.place_of(session)
    member = session.get(Member, row.member_id) if row.member_id is not None else None
    reachable = member is not None and data_links.reachable(session, member.id) is not None
    return {
        "company": organization.name,
        "right": said_in["rights"][row.type],
        "received": day_in(said_in, row.received_at, place),
        "due": day_in(said_in, row.due_at, place),
        "why_longer": said_in["extension"].get(row.extension or "", ""),
        "basis": said_in["basis"].get(chosen, ""),
        "law": law_in(said_in, row, Basis(chosen)) if chosen else "",
        "complain": said_in["complain"][row.regime],
        "data": data_links.link_of(member)
        if member is not None and reachable
        else f"{base()}/trust/{organization.slug}/data",
        "link": status_link(organization.slug, row),
    }


def law_in(said_in: Mapping[str, Any], row: SubjectRequest, basis: Basis) -> str:
    """Return the place in the law of where the person works; where it names none, that it does not."""
    place = offered(Right(row.type), Regime(row.regime)).get(basis, "")
    found: str = said_in["no_statute"][row.regime] if not place else cited(place, said_in["language"])
    return found


def day_in(said_in: Mapping[str, Any], moment: datetime, place: clocks.Place) -> str:
    """Return which day it is at the company, in words."""
    return format_date(clocks.local_day(moment, place), "long", locale=said_in["language"])


def base() -> str:
    """Return the address that links begin with."""
    return settings().base_url.rstrip("/")


def status_link(slug: str, row: SubjectRequest) -> str:
    """Return the address under which whoever has a mail about a request sees how far it is."""
    return f"{base()}/privacy/{slug}/requests/{token_of(row.org_id, row.id)}"


def token_of(org_id: UUID, request_id: UUID) -> str:
    """Return the secret part of `status_link`."""
    return tokens.encode(request_id.bytes + _proof(org_id, request_id))


def request_of(org_id: UUID, token: str) -> UUID | None:
    """Return which request of a company a link is about; `None` for one that we never wrote."""
    content = tokens.decode(token)
    if content is None or len(content) != 16 + _PROOF_BYTES:
        return None
    found = UUID(bytes=content[:16])
    return found if hmac.compare_digest(content[16:], _proof(org_id, found)) else None


def _proof(org_id: UUID, request_id: UUID) -> bytes:
    said = org_id.bytes + request_id.bytes
    return hmac.new(derive("links to requests"), said, hashlib.sha256).digest()[:_PROOF_BYTES]


def words_of(session: Session, row: SubjectRequest) -> dict[str, Any]:
    """Return what mails about a request say, as its person is spoken to."""
    return words_in(organizations.spoken(session, row.language))


def words_in(language: str) -> dict[str, Any]:
    """Return what mails about requests say in a language; English, where there is none."""
    return formal.chosen(_load(), language)


@cache
def _load() -> dict[str, Any]:
    return tomllib.loads(WORDS.read_text(encoding="utf-8"))
