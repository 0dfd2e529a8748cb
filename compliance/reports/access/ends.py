"""Until when each thing of a person is kept: the very questions that the sweep asks."""

from __future__ import annotations

from sqlalchemy import select

from compliance import backups, schedule, sealing
from compliance.reports.access.subject import Subject
from compliance.reports.document import Section, table
from core.clock import now
from core.models import Adapter, Headshot, Member, Participation, Photo
from core.shoots.promises import Kept
from core.shoots.promises import schedule as days_of


def retention(of: Subject) -> Section:
    """Return the end of each thing that is held, and the rule for what has none yet."""
    say, company, own = of.say, of.organization, of.member.id
    days = days_of(company)
    asked = {
        "photo": schedule.photos_held(Photo.created_at, schedule.photo_ends(company)).where(
            Photo.member_id == own
        ),
        "model": schedule.models_held(Adapter.created_at, schedule.selfies_end(company, Kept.MODELS)).where(
            Adapter.member_id == own
        ),
        "headshot": schedule.headshots_held(Headshot.created_at, schedule.headshot_ends(company)).where(
            Headshot.member_id == own
        ),
        "declined": schedule.decliners_held(Participation.changed_at, schedule.decliner_ends(company)).where(
            Participation.member_id == own
        ),
        "left": select(Member.disabled_at, schedule.leaver_ends(company)).where(
            Member.id == own, Member.disabled_at.is_not(None)
        ),
    }
    rows = []
    for what, question in asked.items():
        held = of.session.execute(question.order_by(question.selected_columns[0])).all()
        rows += [
            (
                say(f"ends.thing.{what}") + (f" {number}" if len(held) > 1 else ""),
                say.moment(since),
                say.moment(ends) if ends else say("ends.with_approval"),
            )
            for number, (since, ends) in enumerate(held, 1)
        ]
    return Section(
        "retention",
        say("ends.heading"),
        of.law("retention"),
        text=(say("ends.text", hours=backups.dead_within_hours()),),
        tables=table(say.table("ends.columns"), rows),
        items=(
            say("ends.selfies", days=days[Kept.SELFIES]),
            say("ends.models", days=days[Kept.MODELS]),
            say("ends.headshots", days=days[Kept.HEADSHOTS]),
            say("ends.decliners", days=days[Kept.DECLINERS]),
            say("ends.leavers", days=days[Kept.LEAVERS]),
            say("ends.log"),
            *_names_in_backups(of),
        ),
    )


def _names_in_backups(of: Subject) -> tuple[str, ...]:
    until = sealing.open_in_backups_until(now())
    return () if until is None else (of.say("ends.names", day=of.say.day(until)),)
