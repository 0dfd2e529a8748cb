"""Results: listed, shown only when a gate has passed them, chosen, approved, downloaded, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from core import audit, locks
from core.checks.report import COMPARED, COMPARED_NOTES, LOOK_ALIKE
from core.errors import Conflict, NotFound
from core.models import Artifact, Headshot, Member, Participation, State
from core.shoots import participations
from core.style.framing import Head
from core.style.outputs import Output
from core.style.spec import StyleSpec
from core.vault import Held, vault

# Of rows that stand for no picture but for the wish for one: while its person waits, and when they do not any more.
ASKED: Final = "asked"
_WISHES: Final = (ASKED, "asked_before")


class NotApproved(Conflict):
    """Only the approved headshot leaves the platform."""

    code = "not_approved"


class NotLookedAt(Conflict):
    """The check cannot tell whose face it is, so its person has to say that they have looked."""

    code = "not_looked_at"


def looks_like_another(headshot: Headshot) -> bool:
    """Whether the check could not tell its person apart from somebody else in the company."""
    return LOOK_ALIKE in headshot.notes


def is_visible(headshot: Headshot) -> bool:
    """Whether anybody may see the picture: the gates have measured and passed it."""
    return headshot.artifact_id is not None and headshot.withheld_code is None


def of_participation(session: Session, participation_id: UUID) -> Sequence[Headshot]:
    """Return all that still exist, run by run, best first: withheld ones too, for their reasons."""
    return session.scalars(
        select(Headshot)
        .outerjoin(Artifact, Artifact.id == Headshot.artifact_id)
        .where(
            Headshot.participation_id == participation_id,
            Artifact.delete_requested_at.is_(None),
            or_(Headshot.withheld_code.is_(None), Headshot.withheld_code.not_in(_WISHES)),
        )
        .order_by(Headshot.run, Headshot.rank, Headshot.id)
    ).all()


def run_to_keep(session: Session, participation: Participation, engine: str) -> int:
    """Return the number of the run whose results are about to be kept; the caller has locked the person.

    An engine that takes over, because nothing that another made may be seen, goes on with its run.
    """
    newest = select(func.max(Headshot.run)).where(Headshot.participation_id == participation.id)
    last = session.scalars(
        select(Headshot).where(
            Headshot.participation_id == participation.id, Headshot.run == newest.scalar_subquery()
        )
    ).all()
    if not last:
        return 1
    takes_over = all(one.engine != engine and one.artifact_id is None for one in last)
    return last[0].run if takes_over else last[0].run + 1


def of_last_run(found: Sequence[Headshot]) -> Sequence[Headshot]:
    """Return those of the newest run, withheld ones too."""
    return [one for one in found if one.run == found[-1].run] if found else []


def approved(session: Session, participation: Participation) -> Headshot | None:
    """Return the approved headshot while its picture is there."""
    return session.scalar(
        select(Headshot)
        .join(Artifact, Artifact.id == Headshot.artifact_id)
        .where(Headshot.id == participation.chosen_headshot_id, Artifact.delete_requested_at.is_(None))
    )


def any_of(session: Session, participation: Participation) -> bool:
    """Whether there is a headshot that the person may see."""
    return any(is_visible(one) for one in of_participation(session, participation.id))


def shown(session: Session, shoot_id: UUID) -> set[UUID]:
    """Return the participations of a shoot of which that is so."""
    return set(
        session.scalars(
            select(Headshot.participation_id)
            .join(Participation, Participation.id == Headshot.participation_id)
            .join(Artifact, Artifact.id == Headshot.artifact_id)
            .where(
                Participation.shoot_id == shoot_id,
                Headshot.withheld_code.is_(None),
                Artifact.delete_requested_at.is_(None),
            )
        )
    )


def get(session: Session, member_id: UUID, headshot_id: UUID) -> Headshot:
    """Return a member's own headshot that may be seen.

    Raises:
        NotFound: there is none of this id, it is another person's, or it was withheld.
    """
    headshot = session.get(Headshot, headshot_id)
    if headshot is None or headshot.member_id != member_id or not is_visible(headshot):
        raise NotFound("This headshot does not exist any more.")
    return headshot


def approve(
    session: Session,
    participation: Participation,
    headshot: Headshot,
    *,
    actor: audit.Actor,
    looked: bool = False,
) -> None:
    """Choose the headshot that the company gets; choosing another one later is fine.

    Args:
        session: bound to the organization.
        participation: the person's part in the shoot.
        headshot: one of theirs.
        actor: who chooses.
        looked: they say that they have looked closely and it shows them.

    Raises:
        NotLookedAt: the check cannot tell them apart from somebody else, and they did not say that they have looked.
        Conflict: there is no result to choose from in this state.
        NotFound: it is of another shoot, or has ended, as with its photo or with its time, since the page was opened.
    """
    locks.person(session, participation.member_id)
    if headshot.participation_id != participation.id:
        raise NotFound("This headshot belongs to another shoot.")
    if participation.state in participations.SETTLED and participation.chosen_headshot_id == headshot.id:
        return
    ended = select(Artifact.id).where(
        Artifact.id == headshot.artifact_id, Artifact.delete_requested_at.is_not(None)
    )
    if participation.state in (State.READY, *participations.SETTLED) and session.scalar(ended) is not None:
        raise NotFound("This headshot does not exist any more.")
    if looks_like_another(headshot) and not looked:
        raise NotLookedAt(
            "The check cannot tell you apart from somebody else in your company. Say first that you have looked closely "
            "and that this picture shows you. Nothing was chosen."
        )
    participations.approve(session, participation, headshot.id, actor=actor)
    audit.record(
        session,
        audit.Tag.HEADSHOT_APPROVED,
        actor=actor,
        subject=session.get_one(Member, participation.member_id),
        headshot=str(headshot.id),
    )


def master(session: Session, participation: Participation, headshot: Headshot) -> Held:
    """Return where the master of the approved headshot lies.

    Raises:
        NotApproved: this is not the approved one.
    """
    if participation.chosen_headshot_id != headshot.id:
        raise NotApproved("Choose this headshot first; then every size can be downloaded.")
    assert headshot.artifact_id is not None
    return vault().find(session, headshot.artifact_id)


def file_made(headshot: Headshot, style: StyleSpec, output: Output) -> Output:
    """Return one of the style's files as it is made of a headshot: in the size that its photo has pixels for."""
    master = headshot.gates.get("master")
    head = Head.measured(headshot.gates.get("figures", {}))
    return style.delivered(output, head, None if master is None else (int(master[0]), int(master[1])))


def download(
    session: Session, participation: Participation, headshot: Headshot, output: str, *, actor: audit.Actor
) -> None:
    """Note that the approved headshot was made ready for its person; the first download makes it delivered.

    It can be downloaded while its person tries other photos, too.

    Args:
        session: bound to the organization.
        participation: the person's part in the shoot.
        headshot: what is downloaded.
        output: name of the size, for the log.
        actor: who downloads it.

    Raises:
        NotApproved: this is not the approved one.
    """
    locks.person(session, participation.member_id)
    master(session, participation, headshot)
    audit.record(
        session,
        audit.Tag.HEADSHOT_DOWNLOADED,
        actor=actor,
        subject=session.get_one(Member, participation.member_id),
        headshot=str(headshot.id),
        output=output,
    )
    participations.deliver(session, participation, actor=actor)


def delete_all(session: Session, participations_of: Sequence[Participation]) -> None:
    """Delete every headshot of one person's parts in shoots, whatever the state."""
    held = session.scalars(
        select(Headshot).where(Headshot.participation_id.in_([row.id for row in participations_of]))
    ).all()
    for headshot in held:
        headshot.gates = {}  # measures of a face are personal data too
        headshot.rejected_code = headshot.rejected_at = None
        headshot.returned_code = headshot.returned_at = None
    vault().delete(session, [one.artifact_id for one in held if one.artifact_id])


def end(session: Session, ended: Sequence[Headshot], *, actor: audit.Actor, **facts: audit.Fact) -> None:
    """Delete headshots for good, of people whom the caller has locked; that one was approved stays known.

    Nobody who waits for a choice among pictures of which none is left goes on waiting.
    """
    members = select(Member).where(Member.id.in_({one.member_id for one in ended}))
    whose = {member.id: member for member in session.scalars(members)}
    for headshot in ended:
        headshot.gates = {}  # measures of a face are personal data too
        headshot.rejected_code = headshot.rejected_at = None
        headshot.returned_code = headshot.returned_at = None
        audit.record(
            session,
            audit.Tag.HEADSHOT_REMOVED,
            actor=actor,
            subject=whose[headshot.member_id],
            headshot=str(headshot.id),
            **facts,
        )
    vault().delete(session, [one.artifact_id for one in ended if one.artifact_id])
    left = (
        select(Headshot.participation_id)
        .join(Artifact, Artifact.id == Headshot.artifact_id)
        .where(Headshot.withheld_code.is_(None), Artifact.delete_requested_at.is_(None))
    )
    waiting = select(Participation).where(
        Participation.id.in_({one.participation_id for one in ended}),
        Participation.state == State.READY,
        Participation.id.not_in(left),
    )
    participations.move_all(session, session.scalars(waiting).all(), State.EXPIRED, actor=actor)


def forget_asked(session: Session, participation: Participation) -> None:
    """Drop the edit that a person waits for: it is made, or they go on with something else."""
    session.execute(
        update(Headshot)
        .where(Headshot.participation_id == participation.id, Headshot.withheld_code == ASKED)
        .values(withheld_code=_WISHES[1], sealed=None, plain_gates={})
    )


def forget_likeness(session: Session, member_id: UUID) -> None:
    """Drop every figure that came from comparing faces: the consent for that was taken back."""
    for headshot in session.scalars(select(Headshot).where(Headshot.member_id == member_id)):
        measured = headshot.gates.get("gates", {})
        if not COMPARED.isdisjoint(measured):
            kept = {name: gate for name, gate in measured.items() if name not in COMPARED}
            notes = [note for note in headshot.notes if note not in COMPARED_NOTES]
            headshot.gates = {**headshot.gates, "gates": kept, "notes": notes}
    session.flush()
