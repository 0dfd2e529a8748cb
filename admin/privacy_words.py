"""What the facts are called that a company states on its page Privacy, and how they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l


@dataclass(frozen=True)
class Asked:
    """One fact of the form.

    Attributes:
        name: of the fact in `PrivacyFacts`.
        label: what it is called.
        hint: what belongs there and where it will stand.
        kind: `line`, `lines`, `mail`, `days` or `day`.
        most: letters that there is room for.
    """

    name: str
    label: Any
    hint: Any = ""
    kind: str = "lines"
    most: int = 400


@dataclass(frozen=True)
class Group:
    """Facts that belong together."""

    id: str
    title: Any
    asked: tuple[Asked, ...]
    hint: Any = ""


GROUPS = (
    Group(
        "who",
        _l("Who is responsible"),
        (
            Asked(
                "legal_name",
                _l("Legal name, as your register has it"),
                _l(
                    "Deletion certificates name your company so. Where nothing stands here, they say that it was not given."
                ),
                "line",
                200,
            ),
            Asked("postal_address", _l("Postal address")),
            Asked(
                "contact_email",
                _l("Privacy contact"),
                _l("A mail address that everybody may see; answers of your people go there."),
                "mail",
                254,
            ),
            Asked(
                "dpo",
                _l("Data protection officer"),
                _l("How to reach them: a function’s address is enough, a name is not needed."),
            ),
            Asked("representative", _l("Representative in the EU"), _l("Write “none” where you have none.")),
            Asked("joint", _l("Joint controllers"), _l("Write “none” where there are none.")),
            Asked(
                "authority",
                _l("Authority for complaints"),
                _l("Name and address of the one that is in charge of your company."),
            ),
            Asked(
                "incident_contact",
                _l("Whom to tell of a suspected breach"),
                _l("Mail address or telephone. Where nothing stands here, the privacy contact is named."),
            ),
        ),
    ),
    Group(
        "why",
        _l("What your records need besides"),
        (
            Asked(
                "basis_organise",
                _l("Legal basis for inviting people and writing to them"),
                _l(
                    "Photos, comparing faces and image models rest on consent; this does not. Have counsel confirm."
                ),
            ),
            Asked("basis_evidence", _l("Legal basis for keeping evidence of consents and deletions")),
            Asked(
                "measures",
                _l("Organisational measures"),
                _l(
                    "Training, access to premises, confidentiality of staff. Technical ones are listed by the program."
                ),
                most=2000,
            ),
            Asked("training", _l("Training of your staff on AI (Art. 4 of the AI Act)")),
        ),
    ),
    Group("where", _l("Countries"), (Asked("regions", _l("Regions that you have agreed to")),)),
    Group(
        "subprocessors",
        _l("Subprocessors"),
        (
            Asked(
                "notice_days", _l("Days of notice before a change"), _l("As your contract has it."), "days"
            ),
            Asked("objection", _l("How to object to a change")),
        ),
        _l(
            "Whoever handles data for the operator. What is configured now stands below; changes and objections you note."
        ),
    ),
    Group(
        "words",
        _l("Your own words"),
        (
            Asked("sentence_en", _l("In English"), most=2000),
            Asked("sentence_de", _l("In German"), most=2000),
        ),
        _l(
            "Stand on the public page, and on the consent page under “My rights”. Nobody is asked again because of them; each answer keeps the page as it was."
        ),
    ),
    Group(
        "impact",
        _l("Impact and risk assessment"),
        (
            Asked("impact_advice", _l("Advice of the data protection officer"), most=2000),
            Asked("impact_people", _l("View of people or their representatives"), most=2000),
            Asked("impact_authority", _l("Whether the authority has to be asked"), most=2000),
            Asked("impact_decision", _l("Remaining risk and decision"), most=2000),
            Asked("impact_review", _l("Day of the next review"), kind="day"),
        ),
        _l("Completes the drafts on the page Reports. It does not stand on the public page."),
    ),
)
SUBPROCESSOR = {
    "name": _l("Name"),
    "service": _l("Service"),
    "country": _l("Country"),
    "safeguard": _l("Safeguard (Art. 46)"),
    "added": _l("Since"),
    "notified": _l("Announced on"),
    "objections": _l("Objections, and what came of them"),
}
TRANSFER = {"recipient": _l("To whom"), "country": _l("Country"), "safeguard": _l("Safeguard (Art. 46)")}
DAYS = frozenset({"added", "notified"})
LISTS = {
    "transfers": (_l("Transfers to third countries"), TRANSFER),
    "subprocessors": (_l("Subprocessors"), SUBPROCESSOR),
}
NAMES: dict[str, Any] = {
    **{one.name: one.label for group in GROUPS for one in group.asked},
    **{name: label for name, (label, _) in LISTS.items()},
    "no_transfers": _l("Nothing goes to third countries"),
}
