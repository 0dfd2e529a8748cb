"""The receipt of a decision about consents: what was decided, and all of the text as it was read.

Its JSON is written in the manner of ISO/IEC TS 27560 (consent record, notice, processing, parties, events) with the terms
of the W3C Data Privacy Vocabulary 2.3.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance.consent import signature_of
from compliance.reports.document import Document, Fact, Section, table
from compliance.reports.wording import Wording
from core.clock import rfc3339
from core.consent import EXPLICIT, Purpose
from core.models import Act, Consent, ConsentReceipt, Member, Organization, ShownNotice
from core.people import organizations, places
from core.regimes import Regime
from core.settings import settings

FORMAT: Final = "headshots.consent-receipt/1"
JSON_NAME: Final = "receipt.json"
CONTEXT: Final = {
    "dpv": "https://w3id.org/dpv#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "dct": "http://purl.org/dc/terms/",
}
_PARTS: Final = ("what", "why", "who", "how_long", "if_no")


@dataclass(frozen=True)
class Receipt:
    """What a receipt is made of: the row, and what it names.

    Attributes:
        answers: given, or taken back, in the order of the questions.
        notices: texts that were read, by their hash: what was open on the page, then what was answered before.
    """

    row: ConsentReceipt
    member: Member
    company: Organization
    answers: tuple[Consent, ...]
    notices: dict[str, dict[str, Any]]

    @property
    def act(self) -> Act:
        """What was decided."""
        return Act(self.row.act)

    def status_of(self, answer: Consent) -> str:
        """Return what became of an answer, as DPV calls it."""
        if self.act is not Act.ANSWERED:
            return "dpv:ConsentWithdrawn"
        return "dpv:ConsentGiven" if answer.granted else "dpv:ConsentRefused"


def read(session: Session, row: ConsentReceipt) -> Receipt:
    """Collect what a receipt says."""
    order = list(Purpose)
    answers = session.scalars(select(Consent).where(Consent.id.in_(row.consents))).all()
    wanted = [row.notice_sha256, *(one.notice_sha256 for one in answers)]
    hashes = list(dict.fromkeys(one for one in wanted if one))
    kept = session.execute(
        select(ShownNotice.sha256, ShownNotice.content).where(ShownNotice.sha256.in_(hashes))
    )
    found = {sha256: json.loads(content) for sha256, content in kept}
    return Receipt(
        row,
        session.get_one(Member, row.member_id),
        organizations.current(session),
        tuple(sorted(answers, key=lambda one: (order.index(Purpose(one.purpose)), one.id))),
        {sha256: found[sha256] for sha256 in hashes if sha256 in found},
    )


def document(of: Receipt) -> Document:
    """Return the receipt in words."""
    say = Wording(of.row.language, "receipt")
    return Document(
        FORMAT,
        str(of.row.id),
        say.spoken,
        of.row.created_at,
        say("title"),
        say("subtitle", name=of.member.full_name or of.member.email or say("none")),
        of.company.legal_name or of.company.name,
        (
            _decided(of, say),
            _answers(of, say),
            _instead(of, say),
            *(one for number, sha256 in enumerate(of.notices, 1) for one in _text(of, sha256, number, say)),
            _check(of, say),
        ),
    )


def _decided(of: Receipt, say: Wording) -> Section:
    row, config = of.row, settings()
    by = "by_company" if row.by_company else "by_you"
    return Section(
        "decision",
        say("decision.heading"),
        text=(say(f"decision.{of.act.value}"),),
        facts=(
            Fact(say("decision.at"), say.moment(row.created_at)),
            Fact(say("decision.by"), say(f"decision.{by}")),
            Fact(say("decision.number"), str(row.id)),
            Fact(say("decision.company"), say.stated(of.company.legal_name or of.company.name)),
            Fact(say("decision.address"), say.stated(of.company.postal_address)),
            Fact(say("decision.contact"), say.stated(of.company.contact_email)),
            Fact(say("decision.operator"), config.operator_name),
        ),
    )


def _answers(of: Receipt, say: Wording) -> Section:
    rows = [
        (
            say.label("purpose", one.purpose),
            say(f"answers.{_word(of, one)}"),
            say.moment(one.created_at),
            say("answers.text_is", law=say.label("regime", one.regime), version=one.text_version),
        )
        for one in of.answers
    ]
    signed = [
        Fact(say("answers.signed"), f"{typed.name}, {places.name(typed.state, say.language)}")
        for one in of.answers
        if (typed := signature_of(one)) is not None
    ]
    if declined := _declined(of):
        questions = "\n".join(say.label("purpose", one) for one in declined)
        signed.append(Fact(say("answers.declined"), questions))
    return Section(
        "answers",
        say("answers.heading"),
        text=() if rows else (say("answers.none"),),
        facts=tuple(signed),
        tables=table(say.table("answers.columns"), rows),
    )


def _word(of: Receipt, answer: Consent) -> str:
    return of.status_of(answer).removeprefix("dpv:Consent").lower()


def _instead(of: Receipt, say: Wording) -> Section:
    """Say what was offered to whoever says no, in the very words, and what stands in now."""
    first = next(iter(of.notices.values()), None)
    offered = (first["decline"] or say("instead.beside_each"),) if first else (say("instead.not_kept"),)
    chosen = of.row.alternative
    return Section(
        "instead",
        say("instead.heading"),
        text=offered,
        facts=(Fact(say("instead.stands_in"), say.label("alternative", chosen)),) if chosen else (),
    )


def _text(of: Receipt, sha256: str, number: int, say: Wording) -> Iterator[Section]:
    """Yield one text that was read: all that its page showed, and nothing else that was kept with it."""
    kept = of.notices[sha256]
    several = len(of.notices) > 1
    yield Section(
        f"text-{number}",
        say("text.heading") + (f" {number}" if several else ""),
        text=(kept["title"], kept["intro"]),
        facts=(
            Fact(say("text.law"), say.label("regime", kept["regime"])),
            Fact(say("text.version"), kept["version"]),
            Fact(say("text.language"), say.label("language", kept["language"])),
            Fact(say("text.sha256"), sha256),
        ),
        items=tuple(kept["promises"]),
    )
    for purpose in _asked(kept):
        words = kept["purposes"][purpose]
        yield Section(
            f"text-{number}-{purpose}",
            words["title"],
            facts=tuple(Fact(say(f"text.{part}"), words[part]) for part in _PARTS),
        )
    yield Section(
        f"text-{number}-rights",
        say("text.rights"),
        text=(kept["decline"],) if kept["decline"] else (),
        items=tuple(kept["rights"]),
    )


def _asked(kept: dict[str, Any]) -> list[str]:
    """Return the questions of a text in the order of the page."""
    return [one.value for one in Purpose if one.value in kept["purposes"]]


def _declined(of: Receipt) -> list[str]:
    """Return the questions that were declined as a whole."""
    read = of.notices.get(of.row.notice_sha256 or "") if of.act is Act.DECLINED else None
    return _asked(read) if read else []


def _check(of: Receipt, say: Wording) -> Section:
    text = [say("check.text"), say("check.change")]
    if of.row.notice_sha256 is None and of.act is Act.DECLINED:
        text.insert(0, say("check.other_page"))
    elif not _whole(of):
        text.insert(0, say("check.not_kept"))
    return Section("check", say("check.heading"), text=tuple(text))


def _whole(of: Receipt) -> bool:
    return all(one.notice_sha256 in of.notices for one in of.answers)


def record(of: Receipt) -> bytes:
    """Return the receipt for programs."""
    row, company, config = of.row, of.company, settings()
    base = config.base_url.rstrip("/")
    said = {
        "@context": CONTEXT,
        "@type": "dpv:ConsentRecord",
        "@id": f"urn:uuid:{row.id}",
        "format": FORMAT,
        "manner": "ISO/IEC TS 27560; W3C DPV 2.3",
        "created_at": rfc3339(row.created_at),
        "pii_principal": {"@type": "dpv:DataSubject", "name": of.member.full_name or of.member.email},
        "parties": [
            {
                "@type": "dpv:DataController",
                "name": company.legal_name or company.name,
                "address": company.postal_address or None,
                "contact": company.contact_email or None,
            },
            {"@type": "dpv:DataProcessor", "name": config.operator_name},
        ],
        "event": {
            "act": row.act,
            "at": rfc3339(row.created_at),
            "entered_by": "company" if row.by_company else "pii_principal",
            "stands_in": row.alternative,
        },
        "processing": [_processing(of, one) for one in of.answers],
        "declined": {
            "consent_status": "dpv:ConsentRefused",
            "dpv:hasPurpose": _declined(of),
            "notice_sha256": row.notice_sha256,
        }
        if of.act is Act.DECLINED
        else None,
        "withdrawal": {"how": f"{base}/me/privacy", "dpv": "dpv:WithdrawConsent"},
        "notices": [
            {
                "@type": "dpv:ConsentNotice",
                "sha256": sha256,
                "hash_over": "RFC 8785 JSON of `content`, UTF-8",
                "content": kept,
            }
            for sha256, kept in of.notices.items()
        ],
    }
    return json.dumps(said, indent=1, ensure_ascii=False).encode()


def _processing(of: Receipt, answer: Consent) -> dict[str, Any]:
    words = of.notices.get(answer.notice_sha256 or "", {}).get("purposes", {}).get(answer.purpose, {})
    gdpr = answer.regime == Regime.GDPR
    explicit = Purpose(answer.purpose) in EXPLICIT
    basis = ("eu-gdpr:A9-2-a" if explicit else "eu-gdpr:A6-1-a") if gdpr else "dpv:Consent"
    typed = signature_of(answer)
    return {
        "dpv:hasPurpose": answer.purpose,
        "dpv:hasLegalBasis": basis,
        "consent_type": "dpv:ExplicitlyExpressedConsent",
        "consent_status": of.status_of(answer),
        "answered_at": rfc3339(answer.created_at),
        "regime": answer.regime,
        "text_version": answer.text_version,
        "language": answer.language,
        "text_sha256": answer.text_sha256,
        "notice_sha256": answer.notice_sha256,
        "dpv:hasRecipient": words.get("who"),
        "dpv:StorageDuration": words.get("how_long"),
        "offered_instead": words.get("if_no"),
        "signature": {"name": typed.name, "state": typed.state} if typed is not None else None,
    }
