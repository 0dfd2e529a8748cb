"""The mails that people get: in their language, in their company's brand, the same in HTML and in text."""

from __future__ import annotations

import io
import tomllib
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from babel.dates import format_date
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from PIL import Image, UnidentifiedImageError
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import now
from core.mail.smtp import Inline, Mail
from core.models import Invite, Member, Organization, Participation, Shoot, State
from core.people import organizations
from core.settings import settings
from core.shoots import invites, reminders
from core.style.colors import DARK_GROUND, WHITE, parse_hex, readable, text_on, to_hex
from core.vault import ArtifactGone, vault

TEMPLATES = Path(__file__).parent / "templates"
LANGUAGES = ("en", "de")
REMINDERS = ("remind", "remind_ready")
LOGO_BOX = (200, 48)  # CSS pixels
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
    stop_hint: str  # of a reminder; empty in other mails
    stop: str  # address that ends reminders


@dataclass(frozen=True)
class _Logo:
    cid: str
    width: int  # CSS pixels
    height: int  # CSS pixels
    png: bytes


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
    return _mail(session, session.get_one(Participation, invite.participation_id), invite, "invite")


def reminder(session: Session, invite: Invite) -> Mail:
    """Return the mail that says that something is still missing, how long there is, and how to get no more."""
    participation = session.get_one(Participation, invite.participation_id)
    kind = "remind_ready" if participation.state == State.READY else "remind"
    return _mail(session, participation, invite, kind)


def ready(session: Session, participation: Participation) -> Mail:
    """Return the mail that says that headshots can be looked at.

    Its link is the person's newest invitation, which also offers a new one should it have expired;
    without any, the sign-in page of their own area.
    """
    invite = session.scalar(
        select(Invite)
        .where(Invite.participation_id == participation.id, Invite.revoked_at.is_(None))
        .order_by(Invite.id.desc())
        .limit(1)
    )
    return _mail(session, participation, invite, "ready")


def _mail(session: Session, participation: Participation, invite: Invite | None, kind: str) -> Mail:
    organization = organizations.current(session)
    member = session.get_one(Member, participation.member_id)
    assert member.email, "an erased person gets no mail"
    shoot = session.get_one(Shoot, participation.shoot_id)
    words = _words(member.language)
    stop = reminders.link_of(participation) if kind in REMINDERS else ""
    letter = _write(words, words[kind], organization, member, shoot, invite, stop)
    logo = _logo(session, organization)
    values: dict[str, Any] = {"letter": letter, "brand": _brand(organization), "logo": logo}
    return Mail(
        to=member.email,
        subject=letter.subject,
        text=_environment().get_template("letter.txt").render(values),
        html=_environment().get_template("letter.html").render(values),
        inline=(Inline(logo.cid, logo.png, "image/png"),) if logo else (),
        sender_name=words["sender"].format(company=organization.name),
        reply_to=organization.contact_email or None,
        unsubscribe=stop or None,
    )


def _write(
    words: dict[str, Any],
    own: dict[str, str],
    organization: Organization,
    member: Member,
    shoot: Shoot,
    invite: Invite | None,
    stop: str,
) -> _Letter:
    language = words["language"]
    base = settings().base_url.rstrip("/")
    days = organization.retention_days
    # Whoever is reminded after the deadline has until their link ends.
    last = invite.expires_at if invite and shoot.deadline <= now() else shoot.deadline
    facts = {
        "company": organization.name,
        "shoot": shoot.name,
        "first_name": member.first_name or "",
        "retention": words["one_day"] if days == 1 else words["days"].format(count=days),
        "deadline": _day(last, language),
        "left": _left(words, last),
        "expires": _day(invite.expires_at, language) if invite else "",
        "contact": organization.contact_email,
    }
    said = {name: text.format(**facts) for name, text in own.items()}
    greeting = words["greeting"] if member.first_name else words["greeting_unnamed"]
    order = ("takes", "deadline", "next", "privacy")
    note = "decline" if "decline" in said else "unhappy"
    return _Letter(
        language=language,
        subject=said["subject"],
        preview=said["preview"],
        title=said["title"],
        greeting=greeting.format(**facts),
        lead=said["lead"],
        facts=tuple((said[f"{name}_label"], said[name]) for name in order if name in said),
        button=said["button"],
        link=invites.link_of(invite) if invite else f"{base}/me/",
        link_hint=words["link_hint"],
        expiry=said["expiry"],
        note=(said[f"{note}_label"], said[note]),
        why=words["why"].format(**facts),
        questions=words["questions"].format(**facts) if organization.contact_email else "",
        trust_hint=words["trust"],
        trust=f"{base}/trust/{organization.slug}",
        stop_hint=words["stop"] if stop else "",
        stop=stop,
    )


def _left(words: dict[str, Any], last: datetime) -> str:
    """Return how many days there are until the end of the day of `last`, in words."""
    days = (last.date() - now().date()).days
    if days <= 0:
        return str(words["left_today"])
    return str(words["left_one"] if days == 1 else words["left_days"].format(count=days))


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


def _logo(session: Session, organization: Organization) -> _Logo | None:
    """Return the company's logo as a small PNG, which every mail program shows; `None` if there is none.

    A logo that cannot be read is left out: the company's name stands in, and the mail goes out.
    """
    if organization.logo_id is None:
        return None
    try:
        with Image.open(io.BytesIO(vault().get(session, organization.logo_id))) as picture:
            small = picture.convert("RGBA")
    except (ArtifactGone, UnidentifiedImageError, Image.DecompressionBombError, OSError):
        return None
    small.thumbnail((LOGO_BOX[0] * LOGO_DENSITY, LOGO_BOX[1] * LOGO_DENSITY), Image.Resampling.LANCZOS)
    png = io.BytesIO()
    small.save(png, "PNG", optimize=True)
    width, height = (max(1, round(side / LOGO_DENSITY)) for side in small.size)
    return _Logo("logo", width, height, png.getvalue())


def _words(language: str) -> dict[str, Any]:
    return _load(language if language in LANGUAGES else LANGUAGES[0])


@cache
def _load(language: str) -> dict[str, Any]:
    return tomllib.loads((TEMPLATES / f"mail.{language}.toml").read_text(encoding="utf-8"))


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(("html",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
