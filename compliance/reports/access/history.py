"""What a person was asked and answered, what was done when and by whom, and from where they came."""

from __future__ import annotations

from sqlalchemy import func, select

from compliance.consent import signature_of
from compliance.reports import shown_texts
from compliance.reports.access.subject import Subject
from compliance.reports.document import Fact, Section, Table, table
from compliance.requests import words as request_words
from core.consent import Purpose
from core.models import AuditEvent, Consent, Invite, Participation, Shoot, SubjectRequest, WebSession
from core.people import places


def consents(of: Subject) -> Section:
    """Return every answer with the whole text that was read, as it was kept."""
    say = of.say
    rows = of.session.scalars(
        select(Consent).where(Consent.member_id == of.member.id).order_by(Consent.id)
    ).all()
    texts = shown_texts.of(of.session, rows)
    tables, pages = [], set[str]()
    for row in rows:
        text = texts.get(row.text_sha256)
        said = [
            (say("consents.answer"), say("consents.granted" if row.granted else "consents.refused")),
            (say("consents.at"), say.moment(row.created_at)),
            (say("consents.withdrawn"), say.moment(row.withdrawn_at)),
            (say("consents.law"), say.label("regime", row.regime)),
            (say("consents.version"), f"{row.text_version}, {say.label('language', row.language)}"),
            (say("consents.sha256"), row.text_sha256),
        ]
        if (signature := signature_of(row)) is not None:
            said.append(
                (say("consents.signed"), f"{signature.name}, {places.name(signature.state, say.language)}")
            )
        if text is None:
            said.append((say("consents.text"), say("consents.lost")))
        else:
            said += [
                (say(f"consents.part.{name}"), text[name])
                for name in shown_texts.PARTS
                if name != "page" or text["page"] not in pages
            ]
            pages.add(text["page"])  # what stood around several questions is printed with the first
        tables.append(
            Table(tuple(say.table("consents.columns")), tuple(said), say.label("purpose", row.purpose))
        )
    return Section(
        "consents",
        say("consents.heading"),
        of.law("consents"),
        text=(say("consents.intro"),) if rows else (say("consents.none"),),
        tables=tuple(tables),
    )


def shoots(of: Subject) -> Section:
    """Return each shoot that the person is part of, with what they chose, and the links that they were sent."""
    say = of.say
    rows = of.session.execute(
        select(Participation, Shoot)
        .join(Shoot, Shoot.id == Participation.shoot_id)
        .where(Participation.member_id == of.member.id)
        .order_by(Participation.id)
    )
    listed = [
        (
            shoot.name,
            say.label("state", row.state),
            say.moment(row.changed_at),
            say.moment(shoot.deadline),
            "\n".join(_chosen(of, row)) or "–",
        )
        for row, shoot in rows
    ]
    links = [
        (
            say("shoots.reminder" if row.reminder else "shoots.invitation"),
            say.moment(row.sent_at),
            say.moment(row.accepted_at),
            say.moment(row.revoked_at or row.expires_at),
        )
        for row in of.session.scalars(
            select(Invite).where(Invite.member_id == of.member.id).order_by(Invite.id)
        )
    ]
    return Section(
        "shoots",
        say("shoots.heading"),
        of.law("shoots"),
        text=() if listed else (say("shoots.no_shoots"),),
        tables=(
            *table(say.table("shoots.columns"), listed),
            *table(say.table("shoots.link_columns"), links, say("shoots.links")),
        ),
    )


def _chosen(of: Subject, row: Participation) -> list[str]:
    say, found = of.say, list[str]()
    if row.alternative:
        found.append(say.label("alternative", row.alternative))
    if row.approved_at:
        found.append(say("shoots.approved", at=say.moment(row.approved_at)))
    if row.reminders_ended_at:
        found.append(say("shoots.no_reminders", at=say.moment(row.reminders_ended_at)))
    if row.photos_by_company_at:
        found.append(say("shoots.company_photos", at=say.moment(row.photos_by_company_at)))
    if row.sent_by_company_at:
        found.append(say("shoots.company_sends", at=say.moment(row.sent_by_company_at)))
    if row.fallback_code:
        found.append(say("shoots.fallback", code=say.label("fallback", row.fallback_code)))
    if row.failure_code:
        found.append(say("shoots.failure", code=say.label("failure", row.failure_code)))
    return found


def events(of: Subject) -> Section:
    """Return what was done about the person, by which role, and how often they did something about others."""
    say, own = of.say, of.member.id
    rows = of.session.scalars(select(AuditEvent).where(AuditEvent.subject_id == own).order_by(AuditEvent.id))
    listed = [(say.moment(row.created_at), _said(of, row), of.role_of(row.actor_id)) for row in rows]
    done = of.session.execute(
        select(AuditEvent.tag, func.count(), func.min(AuditEvent.created_at), func.max(AuditEvent.created_at))
        .where(AuditEvent.actor_id == own, AuditEvent.subject_id.is_distinct_from(own))
        .group_by(AuditEvent.tag)
        .order_by(AuditEvent.tag)
    )
    office = [
        (say.label("event", tag), say.number(count), say.moment(first), say.moment(last))
        for tag, count, first, last in done
    ]
    return Section(
        "events",
        say("events.heading"),
        of.law("events"),
        text=(say("events.text"),),
        tables=(
            *table(say.table("events.columns"), listed),
            *table(say.table("events.office_columns"), office, say("events.office")),
        ),
    )


def _said(of: Subject, row: AuditEvent) -> str:
    say, facts = of.say, row.facts
    said = say.label("event", row.tag)
    if isinstance(purpose := facts.get("purpose"), str) and purpose in set(Purpose):
        return f"{said}: {say.label('purpose', purpose)}"
    if isinstance(state := facts.get("after"), str) and row.tag == "participation.moved":
        return f"{said}: {say.label('state', state)}"
    return said


def requests(of: Subject) -> Section:
    """Return what the person asked for of their data, and what came of it."""
    say = of.say
    rows = of.session.scalars(
        select(SubjectRequest).where(SubjectRequest.member_id == of.member.id).order_by(SubjectRequest.id)
    ).all()
    said = request_words.read_all(rows)
    listed = [
        (
            say.label("right", row.type),
            say.moment(row.received_at),
            say.moment(row.due_at),
            say.label("stage", row.decision or row.state),
            "\n".join(_written(said[row.id])) if row.id in said else "–",
        )
        for row in rows
    ]
    return Section(
        "requests",
        say("requests.heading"),
        of.law("requests"),
        text=() if listed else (say("requests.none"),),
        tables=table(say.table("requests.columns"), listed),
    )


def _written(said: request_words.Words) -> list[str]:
    return [
        one
        for one in (said.name, said.address, said.agent, said.text, *said.notes.values(), *said.told)
        if one
    ]


def sessions(of: Subject) -> Section:
    """Return when the person was signed in, and from which kind of device."""
    say = of.say
    rows = of.session.scalars(
        select(WebSession).where(WebSession.member_id == of.member.id).order_by(WebSession.id)
    )
    listed = [
        (
            say.moment(row.created_at),
            say.moment(row.ended_at or row.seen_at),
            say.label("method", row.method),
            row.system or "–",
            row.saml_session_index or "–",
        )
        for row in rows
    ]
    return Section(
        "sessions",
        say("sessions.heading"),
        of.law("sessions"),
        text=(say("sessions.text" if listed else "sessions.none"),),
        tables=table(say.table("sessions.columns"), listed),
    )


def person(of: Subject) -> Section:
    """Return what the person is called, and by which numbers others know them."""
    say, member = of.say, of.member
    known = {
        "first_name": member.first_name,
        "last_name": member.last_name,
        "email": member.email,
        "employee_id": member.employee_id,
        "department": member.department,
        "place": places.name(member.place, say.language) if member.place else None,
        "idp_entity_id": member.idp_entity_id,
        "name_id": member.name_id,
    }
    return Section(
        "person",
        say("person.heading"),
        of.law("person"),
        facts=(
            *(Fact(say(f"person.{name}"), value or say("none")) for name, value in known.items()),
            Fact(say("person.language"), say.label("language", member.language)),
            Fact(say("person.role"), say.label("role", member.role)),
            Fact(say("person.known_since"), say.moment(member.created_at)),
            Fact(say("person.disabled"), say.moment(member.disabled_at)),
        ),
    )
