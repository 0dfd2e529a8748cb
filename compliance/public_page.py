"""What a company's public page says: the questions that are asked first, and who is involved."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from compliance.privacy.facts import PrivacyFacts
from compliance.reports.company import parts, questionnaire
from compliance.reports.company.company import Company
from compliance.reports.document import Section


@dataclass(frozen=True)
class PublicPage:
    """Its parts that come from what is stated and configured.

    Attributes:
        answers: by topic, in the order in which buyers ask.
        parties: who is responsible, who else is involved, what goes abroad.
        sentence: the company's own words; empty where it has none.
    """

    answers: tuple[Section, ...]
    parties: tuple[Section, ...]
    sentence: str


def of(session: Session, language: str, stated: PrivacyFacts | None = None) -> PublicPage:
    """Return the page of the session's company.

    Args:
        session: bound to it.
        language: of the words.
        stated: what it would state, to look at before it counts.
    """
    company = Company.of(session, language, stated)
    return PublicPage(
        tuple(questionnaire.answers(company)),
        (
            parts.parties(company, ""),
            parts.involved(company),
            parts.subprocessors(company, "Art. 28(2)"),
            parts.transfers(company, ""),
        ),
        company.stated.sentence(company.say.language),
    )
