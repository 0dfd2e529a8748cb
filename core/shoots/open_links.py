"""Open links: one address of a shoot at which people of the company ask for an invitation of their own.

Whoever opens it says a name and an address. The invitation goes there by mail, so that only who reads that mailbox gets
any further; nothing is shown before. The answer is the same for every address of the domains that may join.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, tokens
from core.clock import end_of_day, now, rfc3339
from core.db import Lookup, organization_of
from core.errors import Gone, InvalidInput, NotFound
from core.ids import new_id
from core.models import OpenLink, Participation, Shoot
from core.people import addresses, facts, members
from core.people.facts import Fact, Facts, FactUnusable
from core.people.free_mail import FREE_MAIL
from core.people.rows import TEXTS, WARNINGS, Reason
from core.settings import settings
from core.shoots import by_hand, invites, shoots
from core.vault import derive
from core.words import N_

MOST: Final = 10_000  # people: a mistyped number or a link that got out adds no more than a large company has
MOST_DOMAINS: Final = 20
LONGEST_DOMAIN: Final = 253  # letters, RFC 1035 §2.3.4
_TOKEN_BYTES: Final = 24  # of HMAC-SHA256, as of an invitation
_BETWEEN: Final = re.compile(r"[\s,;]+")
# What mail programs make a link of: whoever gets the mail did not write the name in it.
_LIKE_A_LINK: Final = re.compile(r"[/:]|\bwww\b|\w\.\w{2,}", re.IGNORECASE)

# Reasons in the words of a form about oneself.
_TEXTS: Final = {
    **TEXTS,
    Reason.EMAIL_MISSING: N_("Enter your mail address, please."),
    Reason.EMAIL_INVALID: N_("This mail address is not complete. Please check it."),
    Reason.EMAIL_LETTERS: N_(
        "Before the “@”, mail addresses here cannot have: %(letters)s. Please give your address in plain letters from a to"
        " z; your IT knows it."
    ),
    Reason.NAME_MISSING: N_("Enter your name, please."),
    Reason.FORMULA: N_("A name or an address begins with a letter here, not with “=”, “+”, “-” or “@”."),
    Reason.CONTROL_CHARACTERS: N_("This holds signs that nobody sees. Please type it by hand."),
    Reason.TOO_LONG: N_("Something of this is too long. Please shorten it."),
    Reason.LETTERS_LOST: N_("“?”, “�” or “□” stands in the place of a letter. Please correct it."),
    Reason.NAME_ODD: N_("A sign stands in the name that names do not have. Please leave it out."),
}


class OpenLinkUnknown(NotFound):
    """No open link has this token."""

    code = "open_link_unknown"


class OpenLinkOver(Gone):
    """Nobody joins by this link now; the message says why, and what to do."""

    code = "open_link_over"


class OpenLinkUnusable(InvalidInput):
    """A field of the link cannot be used."""

    code = "open_link_unusable"


class FreeMail(InvalidInput):
    """At one of the domains anybody can have an address; said once, and taken when it is meant."""

    code = "free_mail"


class Ending(StrEnum):
    """Why nobody joins by a link now."""

    REVOKED = "revoked"
    CLOSED = "closed"
    OVER = "over"
    FULL = "full"


_OVER: Final = {
    Ending.REVOKED: N_(
        "Your company has withdrawn this link, or replaced it by a newer one. Ask whoever organises the headshots in your"
        " company for the new one."
    ),
    Ending.CLOSED: N_(
        "This shoot has ended, so nobody can join it any more. If you would like a headshot, ask whoever organises them in"
        " your company."
    ),
    Ending.OVER: N_(
        "The last day of this link is over. If you would like a headshot, ask whoever organises them in your company to"
        " invite you."
    ),
    Ending.FULL: N_(
        "As many people have joined by this link as your company planned for. Ask whoever organises the headshots in your"
        " company to invite you."
    ),
}


@dataclass(frozen=True)
class Found:
    """Where a token leads."""

    org_id: UUID
    link_id: UUID


def token_of(link: OpenLink) -> str:
    """Return the link's token: 192 bits of HMAC-SHA256 over its id and random nonce."""
    digest = hmac.new(derive("open link tokens"), link.id.bytes + link.nonce, hashlib.sha256).digest()
    return tokens.encode(digest[:_TOKEN_BYTES])


def address_of(link: OpenLink) -> str:
    """Return the address that is handed around."""
    return f"{settings().base_url.rstrip('/')}/j/{token_of(link)}"


def create(
    session: Session,
    shoot: Shoot,
    *,
    domains: str,
    most: int,
    last_day: date,
    free_mail: bool,
    actor: audit.Actor,
) -> OpenLink:
    """Make a link of an open shoot; the one that it had works no more.

    Args:
        session: bound to the organization.
        shoot: locked by the caller.
        domains: of the addresses that may join, as somebody writes them.
        most: how many people it may add.
        last_day: on which it works; not after the shoot's.
        free_mail: whether a domain is meant at which anybody can have an address.
        actor: who does it.

    Raises:
        ShootClosed: nobody can be invited any more.
        OpenLinkUnusable: a field cannot be used; `field` says which.
        FreeMail: a domain is one of those, and nobody has said that it is meant.
    """
    shoots.open_or_refuse(shoot)
    wanted = domains_in(domains)
    if not 1 <= most <= MOST:
        raise OpenLinkUnusable(
            N_("Please say how many people may join: a number from 1 to %(most)s."), field="most", most=MOST
        )
    ends_at = end_of_day(last_day)
    if not now() < ends_at <= shoot.deadline:
        raise OpenLinkUnusable(
            N_("The last day must be today or later, and not after the shoot’s deadline."), field="last_day"
        )
    free = [addresses.readable_domain(one) for one in wanted if one in FREE_MAIL]
    if free and not free_mail:
        raise FreeMail(
            N_(
                "Anybody can have an address at %(domains)s, so anybody who gets hold of the link could join. Nothing was made:"
                " leave the domain out, or tick below that you mean it."
            ),
            field="free_mail",
            domains=", ".join(free),
        )
    if (before := current(session, shoot)) is not None:
        revoke(session, before, actor=actor)
    link = OpenLink(
        id=new_id(),
        org_id=organization_of(session),
        created_at=now(),
        shoot_id=shoot.id,
        nonce=os.urandom(16),
        domains=wanted,
        most=most,
        joined=0,
        ends_at=ends_at,
    )
    link.token_sha256 = hashlib.sha256(token_of(link).encode()).digest()
    session.add(link)
    session.flush()
    audit.record(
        session,
        audit.Tag.OPEN_LINK_CREATED,
        actor=actor,
        shoot=str(shoot.id),
        link=str(link.id),
        most=most,
        domains=len(wanted),
        until=rfc3339(ends_at),
    )
    return link


def domains_in(text: str) -> list[str]:
    """Return the domains that a text lists, each once, in ASCII and small letters.

    Raises:
        OpenLinkUnusable: it lists none, too many, or something that is none.
    """
    found: dict[str, None] = {}
    for word in filter(None, _BETWEEN.split(text.strip())):
        domain = word.rpartition("@")[2]
        try:
            known = validate_email(
                f"somebody@{domain[: LONGEST_DOMAIN + 1]}",
                check_deliverability=False,
                test_environment=not settings().is_production,
            )
        except EmailNotValidError:
            raise OpenLinkUnusable(
                N_(
                    "“%(domain)s” is no domain of mail addresses. Write what stands after the “@”, such as example.com."
                ),
                field="domains",
                domain=word[:80],
            ) from None
        found[addresses.domain_of(f"somebody@{known.ascii_domain}")] = None
    if not 1 <= len(found) <= MOST_DOMAINS:
        raise OpenLinkUnusable(
            N_(
                "Please give the domains of your company’s mail addresses, one at least and %(most)s at most."
            ),
            field="domains",
            most=MOST_DOMAINS,
        )
    return list(found)


def revoke(session: Session, link: OpenLink, *, actor: audit.Actor) -> None:
    """Let nobody join by a link any more; whoever did stays invited. Revoking twice does nothing."""
    session.refresh(link, with_for_update={"key_share": True})
    if link.revoked_at is not None:
        return
    link.revoked_at = now()
    session.flush()
    audit.record(
        session,
        audit.Tag.OPEN_LINK_REVOKED,
        actor=actor,
        shoot=str(link.shoot_id),
        link=str(link.id),
        joined=link.joined,
    )


def current(session: Session, shoot: Shoot) -> OpenLink | None:
    """Return the link of a shoot that was not revoked, if there is one; it may be over."""
    return session.scalar(
        select(OpenLink).where(OpenLink.shoot_id == shoot.id, OpenLink.revoked_at.is_(None))
    )


def ends_at(link: OpenLink, shoot: Shoot) -> datetime:
    """Return when a link ends: by its own last day, or with the shoot where that ends before."""
    return min(link.ends_at, shoot.deadline)


def ending(link: OpenLink, shoot: Shoot) -> Ending | None:
    """Return why nobody joins by a link now; `None` while somebody can."""
    if shoot.closed_at is not None:
        return Ending.CLOSED
    if link.revoked_at is not None:
        return Ending.REVOKED
    if ends_at(link, shoot) <= now():
        return Ending.OVER
    return Ending.FULL if link.joined >= link.most else None


def find(token: str) -> Found:
    """Return where `token` leads; changes nothing, so link scanners may prefetch.

    Raises:
        OpenLinkUnknown: no such link.
    """
    found = Lookup.open_link(hashlib.sha256(token.encode()).digest())
    if found is None:
        raise OpenLinkUnknown(N_("This link is not complete or does not exist. Please copy all of it."))
    return Found(*found)


def usable(session: Session, link_id: UUID, *, lock: bool = False) -> tuple[OpenLink, Shoot]:
    """Return a link by which people can join now, and its shoot; with `lock` after locking both.

    Raises:
        OpenLinkOver: it was revoked, has ended or is full, or the shoot is closed.
    """
    # The shoot first, see `core.locks`: of its closing and of this, one waits for the other.
    shoot_id = session.scalars(select(OpenLink.shoot_id).where(OpenLink.id == link_id)).one()
    shoot = shoots.get(session, shoot_id, lock=lock)
    held = {"key_share": True} if lock else None
    link = session.get_one(OpenLink, link_id, with_for_update=held, populate_existing=lock)
    if (why := ending(link, shoot)) is not None:
        raise OpenLinkOver(_OVER[why], reason=why.value)
    return link, shoot


def read(link: OpenLink, *, email: str, first_name: str, last_name: str, language: str) -> Facts:
    """Return what somebody says of themselves, by the rules of the form that HR has.

    Raises:
        FactUnusable: something of it cannot be used, or the address is at none of the link's domains.
    """
    written = {
        Fact.EMAIL: email,
        Fact.FIRST_NAME: first_name,
        Fact.LAST_NAME: last_name,
        Fact.LANGUAGE: language,
    }
    said = facts.read(written, texts=_TEXTS, bearable=WARNINGS - {Reason.NAME_ODD})
    for fact in (Fact.FIRST_NAME, Fact.LAST_NAME):
        if _LIKE_A_LINK.search(said[fact] or ""):
            raise FactUnusable(
                N_("Enter your name alone, please: no address, and a blank after a full stop."),
                field=fact.value,
            )
    if addresses.domain_of(said[Fact.EMAIL] or "") not in link.domains:
        raise FactUnusable(
            N_("Use your company’s mail address, please. It ends with %(domains)s."),
            field=Fact.EMAIL.value,
            domains=", ".join(at(link.domains)),
        )
    return said


def at(domains: Sequence[str]) -> list[str]:
    """Return domains as addresses end with them."""
    return [f"@{addresses.readable_domain(one)}" for one in domains]


def join(session: Session, link_id: UUID, said: Facts) -> None:
    """Invite whoever has an address, by the rules that HR invites by; whoever is in the shoot is mailed their link again.

    A person of the company stays as they are known. Nothing is done, and nothing said, for somebody whose access is off or
    whose data is restricted, and whose invitation was withdrawn.

    Args:
        session: bound to the organization.
        link_id: the link that they came by.
        said: what `read` returned.

    Raises:
        OpenLinkOver: nobody joins by it now, whoever they are.
        FactTaken: somebody added this person at this very moment; they are found the next time.
    """
    link, shoot = usable(session, link_id, lock=True)
    member = members.by_email(session, said[Fact.EMAIL] or "")
    if member is None:
        try:
            member = by_hand.add(session, said, shoot=shoot, actor=audit.SYSTEM, tag=audit.Tag.MEMBER_JOINED)
        except members.CompanyLeft as error:
            raise OpenLinkOver(_OVER[Ending.CLOSED], reason=Ending.CLOSED.value) from error
    elif (there := _place(session, shoot, member.id)) is not None:
        if by_hand.can_be_mailed(member):
            invites.send_again(session, there, actor=audit.SYSTEM)
        return
    else:
        try:
            by_hand.invite(session, member, shoot, actor=audit.SYSTEM)
        except by_hand.NotInvitable:
            return
    link.joined += 1
    session.flush()
    # By nobody: that the address is theirs shows when they open the mail.
    audit.record(
        session,
        audit.Tag.OPEN_LINK_JOINED,
        actor=audit.SYSTEM,
        subject=member,
        shoot=str(shoot.id),
        link=str(link.id),
    )


def _place(session: Session, shoot: Shoot, member_id: UUID) -> Participation | None:
    return session.scalar(
        select(Participation).where(Participation.shoot_id == shoot.id, Participation.member_id == member_id)
    )
