"""Who is responsible, who got something, where it came from and where it lies."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from sqlalchemy import func, select

from compliance.certificate import copies
from compliance.privacy import versions
from compliance.reports.access.subject import Subject
from compliance.reports.document import Fact, Section, table
from core.audit import Tag
from core.models import AuditEvent, Invite, Photo
from core.settings import settings

# Mail that the provider took, told by its events; an invitation's day stands in its row.
_MAILED = (Tag.DATA_LINK_SENT,)


def responsible(of: Subject) -> Section:
    """Say who answers for the data, and who keeps it for them."""
    say, company, config = of.say, of.organization, settings()
    stated = versions.live(of.session).facts
    return Section(
        "who",
        say("who.heading"),
        of.law("who"),
        facts=(
            Fact(say("who.controller"), say.stated(company.legal_name or company.name)),
            Fact(say("who.address"), say.stated(company.postal_address)),
            Fact(say("who.contact"), say.stated(company.contact_email)),
            Fact(say("who.dpo"), say.stated(stated.dpo)),
            Fact(say("who.authority"), say.stated(stated.authority)),
            Fact(say("who.operator"), config.operator_name, of.by_law("operator_note")),
            Fact(say("who.operator_address"), say.stated(config.operator_address, "not_stated_operator")),
        ),
    )


def recipients(of: Subject) -> Section:
    """Name everybody who got something, and when."""
    say, rows = of.say, list[tuple[str, str, str]]()
    company = of.organization.legal_name or of.organization.name
    for event in copies.handed(of.session, of.member.id):
        what = "headshot" if event.facts.get("headshot", True) else "alternative"
        who = say("recipients.company", company=company, role=of.role_of(event.actor_id))
        rows.append((who, say(f"recipients.{what}"), say.moment(event.created_at)))
    rows += _processors(of)
    return Section(
        "recipients",
        say("recipients.heading"),
        of.law("recipients"),
        text=(say("recipients.text"),),
        tables=table(say.table("recipients.columns"), rows),
        items=(say("recipients.nobody"),),
    )


def _processors(of: Subject) -> Iterator[tuple[str, str, str]]:
    say, config = of.say, settings()
    since = say("recipients.since", day=say.day(of.member.created_at))
    yield config.operator_name, say("recipients.operator"), since
    mails = sorted([*_invited(of), *_mailed(of)])
    host = urlsplit(config.smtp_url.get_secret_value()).hostname or ""
    yield (
        say("recipients.mail_host", host=host),
        say("recipients.mail"),
        "\n".join(mails) or say("recipients.no_mail"),
    )
    yield storage_place(of), say("recipients.storage"), since
    for name, address in (
        ("timestamp", config.timestamp_url),
        ("origin_timestamp", config.origin_timestamp_url),
    ):
        if address:
            yield (
                urlsplit(address).hostname or address,
                say(f"recipients.{name}"),
                say("recipients.hash_only"),
            )


def storage_place(of: Subject) -> str:
    """Return where files lie, as the settings name it."""
    place, region = urlsplit(settings().storage_url), of.say.said(settings().storage_region)
    if place.scheme == "file":
        return of.say("recipients.own_disk", region=region)
    return of.say("recipients.bucket", kind=place.scheme, name=place.netloc, region=region)


def _invited(of: Subject) -> list[str]:
    asked = select(Invite.sent_at).where(Invite.member_id == of.member.id, Invite.sent_at.is_not(None))
    return [of.say.moment(at) for at in of.session.scalars(asked.order_by(Invite.sent_at))]


def _mailed(of: Subject) -> list[str]:
    asked = select(AuditEvent.created_at).where(
        AuditEvent.subject_id == of.member.id, AuditEvent.tag.in_(_MAILED)
    )
    return [of.say.moment(at) for at in of.session.scalars(asked.order_by(AuditEvent.id))]


def transfers(of: Subject) -> Section:
    """Say where files lie, and with which safeguards the company says that something goes elsewhere."""
    say, stated = of.say, versions.live(of.session).facts
    sent = "; ".join(
        ", ".join(filter(None, (one.recipient, one.country, one.safeguard))) for one in stated.transfers
    )
    said = say("transfers.nowhere") if stated.no_transfers else say.stated(sent)
    return Section(
        "transfers",
        say("transfers.heading"),
        of.law("transfers"),
        text=(say("transfers.text", region=say.said(settings().storage_region)),),
        facts=(Fact(of.by_law("safeguards"), said),),
    )


def sources(of: Subject) -> Section:
    """Say where what is known of the person came from."""
    say = of.say
    asked = select(AuditEvent).where(
        AuditEvent.subject_id == of.member.id,
        AuditEvent.tag.in_((Tag.MEMBER_IMPORTED, Tag.MEMBER_JOINED, Tag.MEMBER_PROVISIONED)),
    )
    first = of.session.scalars(asked.order_by(AuditEvent.id)).first()
    known = "unknown" if first is None else first.tag.rpartition(".")[2]
    put_in = of.session.scalar(
        select(func.count())
        .select_from(Photo)
        .where(Photo.member_id == of.member.id, Photo.put_in_by.is_not(None))
    )
    by_company = (
        (Fact(say("sources.put_in"), say("sources.by_company", count=say.number(put_in))),) if put_in else ()
    )
    return Section(
        "sources",
        say("sources.heading"),
        of.law("sources"),
        facts=(
            Fact(say("sources.names"), say(f"sources.{known}", day=say.day(of.member.created_at))),
            Fact(say("sources.pictures"), say("sources.yours")),
            *by_company,
            Fact(say("sources.computed"), say("sources.program")),
        ),
    )
