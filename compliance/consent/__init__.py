"""Consent: asked by purpose, kept with the exact words, demanded before a face is touched."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance.consent import receipts
from compliance.consent.texts import Notice
from core import audit, locks
from core.clock import now
from core.consent import PAINTING, ConsentRequired, Purpose, ValidConsent
from core.db import organization_of
from core.errors import InvalidInput
from core.grounds import Ground, because
from core.ids import new_id
from core.models import Act, Consent, Member, Participation, Person
from core.people import consents, finding, members, organizations, places
from core.portraits import adapters, headshots, verdicts
from core.regimes import Regime
from core.shoots import participations, promises
from core.vault import signatures, vault
from core.words import N_

LONGEST_SIGNATURE = 120  # letters of a typed name
_APART = re.compile(r"[\s.,'’\-\u2010\u2011]+")  # between the words of a name


class Restricted(ConsentRequired):
    """What is held about a person is kept and used for nothing (Art. 18 GDPR)."""

    code = "restricted"


class NeedsLikeness(InvalidInput):
    """A painted face is only ever shown where it may be compared with its person's."""

    code = "model_needs_likeness"


class ReleaseUnsigned(InvalidInput):
    """The law asks for a release in writing, and no name of its person was typed, or no state."""

    code = "release_unsigned"


@dataclass(frozen=True)
class Signature:
    """What a person types under a release: their name, and the state in which they work (`US-IL`)."""

    name: str
    state: str


def give(
    session: Session,
    participation: Participation,
    answers: Mapping[Purpose, bool],
    notice: Notice,
    *,
    signature: Signature | None = None,
    until: datetime | None = None,
    at: datetime | None = None,
) -> None:
    """Keep a person's answer to each purpose with all of what they read, and give them a receipt.

    Purposes that the notice does not ask about keep the answer they had, and so does one that was agreed to before
    and is not answered with yes: consents are a person's, not a shoot's, and `withdraw` alone takes one back, with
    everything that follows. It does so here where they were asked again, because the text has changed in what matters or is
    another law's, and did not say yes.

    Args:
        session: bound to the organization.
        participation: the person's part in the shoot that asks.
        answers: yes or no to each purpose.
        notice: what they read.
        signature: what they typed under it.
        until: the day that it names as the end of what is measured on a face.
        at: when, if not now.

    Raises:
        InvalidInput: `photo` was asked about and not answered with yes; without it there is nothing to do,
            and the person declines instead.
        NotFound: the person has been erased.
        ShootEnded: the company has ended the shoot.
        NeedsLikeness: what paints a face was answered with yes, and `likeness` is not agreed to.
        ReleaseUnsigned: one that needs a release was answered with yes, and none was signed.
    """
    if Purpose.PHOTO in notice.purposes and not answers.get(Purpose.PHOTO):
        raise InvalidInput(
            "Without the first consent no headshot can be made. You can decline instead: that is fine."
        )
    locks.person(session, participation.member_id)
    standing = consents.agreed(session, participation.member_id)
    outdated = standing - current(session, participation.member_id, notice)
    asked = Purpose.LIKENESS in notice.purposes
    kept = Purpose.LIKENESS in standing and not (asked and Purpose.LIKENESS in outdated)
    compared = kept or (asked and answers.get(Purpose.LIKENESS))
    if not compared and any(answers.get(purpose) for purpose in PAINTING):
        raise NeedsLikeness(
            "Pictures that an image model makes of you are only shown after the check that they look like you. "
            "Please choose the check as well, or leave the image model out. Nothing was sent yet."
        )
    participations.demand_running(session, participation)
    member = members.get(session, participation.member_id)
    released = [one for one, text in notice.purposes.items() if text.release and answers.get(one)]
    if released:
        _demand_signed(signature, member)
    promises.promise(session, participation, until=until if released else None)
    answered = list[UUID]()
    for purpose in Purpose:
        text = notice.purposes.get(purpose)
        if text is None:
            continue
        granted = bool(answers.get(purpose))
        if not granted and purpose in standing:
            if purpose not in outdated:
                continue
            withdraw(session, member, purpose)
        consent_id = new_id()
        answered.append(consent_id)
        session.add(
            Consent(
                id=consent_id,
                org_id=organization_of(session),
                created_at=at or now(),
                member_id=member.id,
                participation_id=participation.id,
                purpose=purpose,
                granted=granted,
                regime=notice.regime,
                language=notice.language,
                text_version=notice.version,
                text_sha256=text.sha256,
                notice_sha256=notice.sha256,
                signed=_sealed(member.id, consent_id, signature) if purpose in released else None,
            )
        )
        audit.record(
            session,
            audit.Tag.CONSENT_GIVEN if granted else audit.Tag.CONSENT_REFUSED,
            actor=audit.actor_for(member),
            subject=member,
            purpose=purpose.value,
            text_version=notice.version,
            text_sha256=text.sha256,
            language=notice.language,
        )
    session.flush()
    receipts.issue(
        session,
        member,
        Act.ANSWERED,
        actor=audit.actor_for(member),
        consents=answered,
        notice=notice,
        participation_id=participation.id,
    )


def current(session: Session, member_id: UUID, notice: Notice) -> frozenset[Purpose]:
    """Return what a person agreed to in words that still count for `notice`, and has not taken back."""
    return frozenset(
        purpose
        for purpose, row in consents.standing(session, member_id).items()
        if row.granted and row.withdrawn_at is None and notice.counts(row.regime, row.text_version)
    )


def signature_of(row: Consent) -> Signature | None:
    """Return what was typed under a release; nothing where none was asked for, or its person has been erased."""
    if row.signed is None:
        return None
    return Signature(**json.loads(signatures.opened(row.member_id, row.id, row.signed)))


def regime_of_person(session: Session, member: Member) -> Regime:
    """Return the law whose words somebody was last asked in, or would be."""
    asked = select(Consent.regime).where(Consent.member_id == member.id)
    last = session.scalar(asked.order_by(Consent.id.desc()).limit(1))
    return Regime(last) if last else organizations.regime_for(session, member.place)


def _demand_signed(signature: Signature | None, member: Member) -> None:
    if signature is None or not signature.name.strip():
        raise ReleaseUnsigned(N_("Please type your full name under the release. Nothing was sent yet."))
    if len(signature.name) > LONGEST_SIGNATURE:
        raise ReleaseUnsigned(N_("Your name has at most 120 letters here. Nothing was sent yet."))
    if not places.code(signature.state).startswith("US-"):
        raise ReleaseUnsigned(N_("Please choose the state in which you work. Nothing was sent yet."))
    if not _is_name_of(signature.name, member):
        raise ReleaseUnsigned(
            N_(
                "Please type your full name, first and last, with one at least of the names that your company has of you. "
                "Nothing was sent yet."
            )
        )


def _is_name_of(typed: str, member: Member) -> bool:
    """Whether a typed name is whole and shares a word with the one on file, whatever case and accents.

    Where one name is on file one is enough; where there is none, nothing can be compared. Some scripts write
    both without a space.
    """
    words = _words(typed)
    first, last = _words(member.first_name or ""), _words(member.last_name or "")
    on_file = first + last
    if not on_file:
        return len(words) > 1
    if "".join(words) in ("".join(on_file), "".join(last + first)):
        return True
    return len(words) > min(len(on_file) - 1, 1) and not set(on_file).isdisjoint(words)


def _words(name: str) -> list[str]:
    return [word for word in _APART.split(finding.bare(name)) if word]


def _sealed(member_id: UUID, consent_id: UUID, signature: Signature | None) -> bytes | None:
    if signature is None:
        return None
    said = {"name": " ".join(signature.name.split()), "state": signature.state}
    return signatures.sealed(member_id, consent_id, json.dumps(said).encode())


def withdraw(
    session: Session, member: Member, purpose: Purpose, *, actor: audit.Actor | None = None
) -> list[UUID]:
    """Withdraw a consent; as easy as giving it. Withdrawing twice is fine. Return which answers that took back.

    With `likeness` the embeddings and the figures that came from comparing faces go at once, with `adapter`
    the models that were trained and whatever training has kept so far.

    Args:
        session: bound to the organization.
        member: whose.
        purpose: what it was to.
        actor: who does it at their request; they themselves if not given.
    """
    moment = now()
    # What a worker is just now keeping under this consent is committed before it ends, and found below.
    locks.person(session, member.id)
    rows = session.scalars(
        select(Consent).where(
            Consent.member_id == member.id,
            Consent.purpose == purpose,
            Consent.granted,
            Consent.withdrawn_at.is_(None),
        )
    ).all()
    for row in rows:
        row.withdrawn_at = moment
    if rows:
        # With the keys, where no restore of the database undoes it; see `compliance.withdrawals`.
        vault().keys.withdrawals.note_after_commit(session, [row.id for row in rows], moment)
    with because(session, Ground.WITHDRAWAL):
        if purpose is Purpose.LIKENESS:
            headshots.forget_likeness(session, member.id)
            verdicts.forget_likeness(session, member.id)
            adapters.forget_likeness(session, member.id)
        if purpose is Purpose.ADAPTER:
            adapters.forget(session, member.id)
    if rows:
        audit.record(
            session,
            audit.Tag.CONSENT_WITHDRAWN,
            actor=actor or audit.actor_for(member),
            subject=member,
            purpose=purpose.value,
        )
    return [row.id for row in rows]


def require(
    session: Session, member_id: UUID, needs: Set[Purpose] = frozenset({Purpose.PHOTO})
) -> ValidConsent:
    """Return the proof that a face may be processed; the only maker of `ValidConsent` for members.

    Raises:
        ConsentRequired: one of `needs` was never agreed to, was refused, or was withdrawn.
        Restricted: what is held about the person is used for nothing at the moment.
    """
    restricted = select(Person.restricted_at).where(Person.id == member_id)
    if session.scalar(restricted) is not None:
        raise Restricted(
            "At this person’s request their data is kept and used for nothing for now, so nothing was processed."
        )
    granted = consents.agreed(session, member_id)
    if missing := sorted(needs - granted):
        raise ConsentRequired(
            "There is no consent for this, so nothing was processed.", purpose=missing[0].value
        )
    return ValidConsent(member_id=member_id, purposes=granted)


def own_photos() -> ValidConsent:
    """Return the operator's statement on the command line: these people agreed to have headshots made.

    `headshots check`, `render` and `score` work on files that the operator holds, outside the
    platform and its records; they say so in their help.
    """
    return ValidConsent(member_id=None, purposes=frozenset({Purpose.PHOTO, Purpose.LIKENESS}))
