"""The mails that people get: in their language, in their company's brand, the same in HTML and in text."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Any
from uuid import UUID

from babel.dates import format_date
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from PIL import Image, UnidentifiedImageError
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import now
from core.mail.message import Inline, Mail
from core.models import Invite, MailKind, Member, Organization, Participation, Shoot, State, WebSession
from core.people import data_links, organizations
from core.settings import settings
from core.shoots import devices, invites, reminders, wording
from core.shoots.wording import TEMPLATES, words
from core.style.colors import DARK_GROUND, WHITE, parse_hex, readable, text_on, to_hex
from core.vault import ArtifactGone, Held, vault

REMINDERS = (MailKind.REMIND, MailKind.REMIND_READY)
LOGO_BOX = (200, 48)  # CSS pixels
MOST_LOGOS = 200  # in a process: a few megabytes
LOGO_DENSITY = 2  # image pixels per CSS pixel: sharp on a phone, a few kilobytes


@dataclass(frozen=True)
class _Letter:
    """All that a mail says, already in the reader's language."""

    language: str
    subject: str
    preview: str
    title: str
    greeting: str
    lead: str
    facts: tuple[tuple[str, str], ...]
    button: str
    link: str
    link_hint: str
    expiry: str
    note: tuple[str, str]
    why: str
    questions: str
    trust_hint: str
    trust: str  # address of the company's public promises
    stop_hint: str
    stop: str  # address that ends reminders; empty where the mail is none


@dataclass(frozen=True)
class _Logo:
    cid: str
    width: int  # CSS pixels
    height: int  # CSS pixels
    png: bytes


# By the id of the artifact, whose content never changes.
_logos: dict[UUID, _Logo] = {}


@dataclass(frozen=True)
class _Brand:
    """Colours are `#rrggbb`."""

    name: str
    accent: str
    on_accent: str
    accent_on_light: str
    accent_on_dark: str


def invitation(session: Session, invite: Invite) -> Mail:
    """Return the mail that carries `invite`: who asks, what for, by when, what it takes and where photos go."""
    return _mail(session, session.get_one(Participation, invite.participation_id), invite, MailKind.INVITE)


def reminder(session: Session, invite: Invite) -> Mail:
    """Return the mail that says that something is still missing, how long there is, and how to get no more."""
    participation = session.get_one(Participation, invite.participation_id)
    kind = MailKind.REMIND_READY if participation.state == State.READY else MailKind.REMIND
    return _mail(session, participation, invite, kind)


def kind_of(invite: Invite, participation: Participation) -> MailKind:
    """Return what the mail with a link is for: whoever has only to choose is told so."""
    if participation.state == State.READY:
        return MailKind.REMIND_READY if invite.reminder else MailKind.READY
    return MailKind.REMIND if invite.reminder else MailKind.INVITE


def ready(session: Session, participation: Participation) -> Mail:
    """Return the mail that says that headshots can be looked at.

    Its link is the person's newest invitation, which also offers a new one should it have expired;
    without any, the sign-in page of their own area.
    """
    return _mail(session, participation, _newest(session, participation), MailKind.READY)


def again(session: Session, participation: Participation, flaw: str) -> Mail:
    """Return the mail that says that the company asks for another picture, and why.

    Args:
        session: bound to the organization.
        participation: whose picture it is.
        flaw: what is wrong with it, as `core.portraits.reviews.Flaw` names it.
    """
    language = session.get_one(Member, participation.member_id).language
    said = _words(session, language)["flaws"][flaw]
    return _mail(session, participation, _newest(session, participation), "again", more={"flaw": said})


def _newest(session: Session, participation: Participation) -> Invite | None:
    return session.scalar(
        select(Invite)
        .where(Invite.participation_id == participation.id, Invite.revoked_at.is_(None))
        .order_by(Invite.id.desc())
        .limit(1)
    )


def data(session: Session, member: Member) -> Mail:
    """Return the mail with a new link to what is held about somebody, who asked for it."""
    said = wording.said(session, "data", member.language)
    return _written(
        session, said, member.language, member.email, member.first_name, link=data_links.link_of(member)
    )


def farewell(session: Session, *, to: str, first_name: str | None, language: str, link: str) -> Mail:
    """Return the mail that says that others had somebody erased, with the link under which they get the proof.

    Their row says nothing any more, so all that it needs comes from the caller.
    """
    said = wording.said(session, "farewell", language)
    return _written(session, said, language, to, first_name, link=link)


def sample(
    session: Session, kind: str, language: str, said: dict[str, str], to: Member, shoot: Shoot
) -> Mail:
    """Return a mail as somebody would get it, to look at: with a made-up link that leads nowhere.

    Args:
        session: bound to the organization.
        kind: one of `wording.KINDS`.
        language: of the mail.
        said: its words, see `wording.merged`.
        to: who looks at it.
        shoot: what it is about.
    """
    nowhere = f"{_base()}/i/{'0' * 32}"
    devices_seen = {"opened": _moment(language, now()), "before": _moment(language, now())}
    return _written(
        session,
        said,
        language,
        to.email,
        to.first_name,
        shoot=shoot,
        link=nowhere,
        stop=nowhere if kind in REMINDERS else "",
        more={
            "expires": _day(shoot.deadline, language),
            "flaw": next(iter(_words(session, language)["flaws"].values())),
            **devices_seen,
        },
    )


def opened(session: Session, row: WebSession) -> Mail:
    """Return the mail that says on which device a link was opened, on which before, and how to end that."""
    participation = session.get_one(Participation, row.participation_id)
    language = _words(session, session.get_one(Member, row.member_id).language)["language"]
    facts = {
        "opened": _opening(language, row),
        "before": "; ".join(_opening(language, one) for one in devices.before(session, row)),
    }
    kind = "device" if row.disowned_at is None else "disowned"
    return _mail(session, participation, None, kind, link=devices.link_of(row), more=facts)


def _opening(language: str, row: WebSession) -> str:
    """When and on what, for example `29 November 2026, 08:58 UTC, iPhone`."""
    when = _moment(language, row.created_at)
    return f"{when}, {row.system}" if row.system else when


def _moment(language: str, moment: datetime) -> str:
    return f"{_day(moment, language)}, {moment:%H:%M} UTC"


def _mail(
    session: Session,
    participation: Participation,
    invite: Invite | None,
    kind: str,
    *,
    link: str = "",
    more: Mapping[str, str] = MappingProxyType({}),
) -> Mail:
    member = session.get_one(Member, participation.member_id)
    mail = _written(
        session,
        wording.said(session, kind, member.language),
        member.language,
        member.email,
        member.first_name,
        shoot=session.get_one(Shoot, participation.shoot_id),
        invite=invite,
        link=link,
        stop=reminders.link_of(participation) if kind in REMINDERS else "",
        more=more,
    )
    return replace(mail, is_tracked=kind in frozenset(MailKind))


def _sealed(organization: Organization, to: str | None, letter: _Letter, ours: dict[str, Any]) -> Mail:
    assert to, "an erased person gets no mail"
    logo = _logos.get(organization.logo_id) if organization.logo_id is not None else None
    values: dict[str, Any] = {"letter": letter, "brand": _brand(organization), "logo": logo}
    return Mail(
        to=to,
        subject=letter.subject,
        text=_environment().get_template("letter.txt").render(values),
        html=_environment().get_template("letter.html").render(values),
        inline=(Inline(logo.cid, logo.png, "image/png"),) if logo else (),
        sender_name=organization.sender_name or ours["sender"].format(company=organization.name),
        reply_to=organization.reply_to or organization.contact_email or None,
        unsubscribe=letter.stop or None,
        language=letter.language,
    )


def _around(ours: dict[str, Any], organization: Organization, first_name: str | None) -> dict[str, str]:
    """Return what every mail says, whatever it is about."""
    greeting = ours["greeting"] if first_name else ours["greeting_unnamed"]
    contact = organization.contact_email
    return {
        "language": ours["language"],
        "greeting": greeting.format(first_name=first_name or ""),
        "link_hint": ours["link_hint"],
        "questions": ours["questions"].format(contact=contact) if contact else "",
        "trust_hint": ours["trust"],
        "trust": f"{_base()}/trust/{organization.slug}",
        "stop_hint": ours["stop"],
    }


def _words(session: Session, language: str) -> dict[str, Any]:
    return words(organizations.spoken(session, language))


def _base() -> str:
    return settings().base_url.rstrip("/")


def _written(
    session: Session,
    own: Mapping[str, str],
    language: str,
    to: str | None,
    first_name: str | None,
    *,
    shoot: Shoot | None = None,
    invite: Invite | None = None,
    link: str = "",
    stop: str = "",
    more: Mapping[str, str] = MappingProxyType({}),
) -> Mail:
    """Return a mail that says `own` around its facts; what every mail says comes from our words alone."""
    organization, ours = organizations.current(session), _words(session, language)
    language = ours["language"]
    facts = {"company": organization.name}
    if shoot is not None:
        days, last = organization.retention_days, invites.last_moment(shoot, invite)
        facts |= {
            "shoot": shoot.name,
            "retention": ours["one_day"] if days == 1 else ours["days"].format(count=days),
            "deadline": _day(last, language),
            "left": _left(ours, last),
            "expires": _day(invite.expires_at, language) if invite else "",
        }
    facts |= more
    said = {name: text.format(**facts) for name, text in own.items()}
    order = ("opened", "before", "flaw", "takes", "deadline", "next", "privacy", "proof", "keep", "copies")
    note = next(name for name in ("decline", "unhappy", "was_me", "unasked", "unwanted") if name in said)
    letter = _Letter(
        subject=said["subject"],
        preview=said["preview"],
        title=said["title"],
        lead=said["lead"],
        facts=tuple((said[f"{name}_label"], said[name]) for name in order if said.get(name)),
        button=said["button"],
        link=link or (invites.link_of(invite) if invite else f"{_base()}/me/"),
        expiry=said["expiry"],
        note=(said[f"{note}_label"], said[note]),
        why=said["why"] if "why" in said else ours["why"].format(**facts),
        stop=stop,
        **_around(ours, organization, first_name),
    )
    return _sealed(organization, to, letter, ours)


def _left(ours: dict[str, Any], last: datetime) -> str:
    """Return how many days there are until the end of the day of `last`, in words."""
    days = (last.date() - now().date()).days
    if days <= 0:
        return str(ours["left_today"])
    return str(ours["left_one"] if days == 1 else ours["left_days"].format(count=days))


def _day(moment: datetime, language: str) -> str:
    """The day in UTC, in words; `deadline` and `expires_at` are the last moments, so the day still counts."""
    return format_date(moment.date(), "long", locale=language)


def _brand(organization: Organization) -> _Brand:
    accent = parse_hex(organization.accent)
    return _Brand(
        name=organization.name,
        accent=to_hex(accent),
        on_accent=to_hex(text_on(accent)),
        accent_on_light=to_hex(readable(accent, WHITE)),
        accent_on_dark=to_hex(readable(accent, DARK_GROUND)),
    )


def unfetched_logo(session: Session, organization: Organization) -> Held | None:
    """Return where the company's logo lies, unless it has none or this process has it."""
    if organization.logo_id is None or organization.logo_id in _logos:
        return None
    try:
        return vault().find(session, organization.logo_id)
    except ArtifactGone:
        return None


def fetch_logo(held: Held) -> None:
    """Fetch a company's logo as a small PNG, which every mail program shows, for the letters that follow.

    Outside of any transaction. A logo that cannot be read is left out: the company's name stands in, and the mail goes
    out. One that was read is kept, since a wave of mails to a company's people would fetch and shrink it for each.
    """
    try:
        with Image.open(io.BytesIO(vault().open(held))) as picture:
            small = picture.convert("RGBA")
    except (ArtifactGone, UnidentifiedImageError, Image.DecompressionBombError, OSError):
        return
    small.thumbnail((LOGO_BOX[0] * LOGO_DENSITY, LOGO_BOX[1] * LOGO_DENSITY), Image.Resampling.LANCZOS)
    png = io.BytesIO()
    small.save(png, "PNG", optimize=True)
    width, height = (max(1, round(side / LOGO_DENSITY)) for side in small.size)
    if len(_logos) >= MOST_LOGOS:
        _logos.clear()
    _logos[held.id] = _Logo("logo", width, height, png.getvalue())


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(("html",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
