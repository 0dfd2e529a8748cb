"""One person of a roster: what the row says, the verdict on it, and every reason that a verdict can have."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from core.words import N_


class Verdict(StrEnum):
    """What the import will do with a row."""

    OK = "ok"
    WARNING = "warning"  # imported, and something in it is worth a look
    SKIPPED = "skipped"  # nothing to do: the person is in the shoot already
    REJECTED = "rejected"


class Reason(StrEnum):
    """Why a row is not plainly fine."""

    TOO_MANY_CELLS = "too_many_cells"
    EMAIL_MISSING = "email_missing"
    EMAIL_INVALID = "email_invalid"
    EMAIL_LETTERS = "email_letters"
    NAME_MISSING = "name_missing"
    NAME_INCOMPLETE = "name_incomplete"
    FORMULA = "formula"
    CONTROL_CHARACTERS = "control_characters"
    TOO_LONG = "too_long"
    DUPLICATE_EMAIL = "duplicate_email"
    DUPLICATE_EMPLOYEE_ID = "duplicate_employee_id"
    LANGUAGE_UNKNOWN = "language_unknown"
    EXISTING_MEMBER = "existing_member"
    ALREADY_IN_SHOOT = "already_in_shoot"
    EMPLOYEE_ID_TAKEN = "employee_id_taken"
    MEMBER_DISABLED = "member_disabled"
    LETTERS_LOST = "letters_lost"
    LETTERS_DOUBTFUL = "letters_doubtful"
    NAME_ODD = "name_odd"
    OTHER_ENCODING = "other_encoding"
    SHOOT_CLOSED = "shoot_closed"
    PLACE_UNKNOWN = "place_unknown"
    NAME_SPELT = "name_spelt"
    STATE_MISSING = "state_missing"


TEXTS: Mapping[Reason, str] = {
    Reason.TOO_MANY_CELLS: N_(
        "The row has more cells than the header. Put names with a comma into quotation marks."
    ),
    Reason.EMAIL_MISSING: N_("There is no email address."),
    Reason.EMAIL_INVALID: N_("This is not a complete email address."),
    Reason.EMAIL_LETTERS: N_(
        "Before the “@”, mail addresses here cannot have: %(letters)s. Please give another address of this person,"
        " in plain letters from a to z; your IT knows it."
    ),
    Reason.NAME_MISSING: N_("There is no name."),
    Reason.NAME_INCOMPLETE: N_("Only one of first and last name is given."),
    Reason.FORMULA: N_("A cell begins like a spreadsheet formula (=, +, - or @)."),
    Reason.CONTROL_CHARACTERS: N_("A cell holds invisible control characters."),
    Reason.TOO_LONG: N_("A cell is longer than it can be stored."),
    Reason.DUPLICATE_EMAIL: N_("The same email address stands in an earlier row."),
    Reason.DUPLICATE_EMPLOYEE_ID: N_("The same employee ID stands in an earlier row."),
    Reason.LANGUAGE_UNKNOWN: N_("This language is not offered; your company's language is used."),
    Reason.EXISTING_MEMBER: N_("Already in your organization; the known name is kept."),
    Reason.ALREADY_IN_SHOOT: N_("Already in this shoot; no second invitation is sent."),
    Reason.EMPLOYEE_ID_TAKEN: N_("Someone with another email address has this employee ID."),
    Reason.MEMBER_DISABLED: N_("This account was closed by your company's directory."),
    Reason.LETTERS_LOST: N_(
        "Letters were lost before the list came here: “?”, “�” or “□” stands in their place. Please correct the row."
    ),
    Reason.LETTERS_DOUBTFUL: N_("A “?” stands within a word of the department; a letter may have been lost."),
    Reason.NAME_ODD: N_(
        "A sign stands in the name that names do not have; letters may have been lost. Please compare."
    ),
    Reason.OTHER_ENCODING: N_(
        "The letters of this row are stored in another way than those of the other rows."
        " It is read as it stands here: please compare."
    ),
    Reason.SHOOT_CLOSED: N_("The shoot was closed before it was this person’s turn."),
    Reason.NAME_SPELT: N_(
        "The name is what the address spells. Please compare; it can be changed on the person’s page."
    ),
    Reason.PLACE_UNKNOWN: N_(
        "In which country this person works, in the United States also in which state, cannot be told from: %(place)s."
        " Your company’s usual consent text is shown, until the person says where they work."
    ),
    Reason.STATE_MISSING: N_(
        "The row says the United States and no state, so the law of their state cannot be told; what Illinois or"
        " California, say, ask for may be missing, until the person says where they work. Please add the state."
    ),
}
WARNINGS = frozenset(
    {
        Reason.NAME_INCOMPLETE,
        Reason.LANGUAGE_UNKNOWN,
        Reason.EXISTING_MEMBER,
        Reason.LETTERS_DOUBTFUL,
        Reason.NAME_ODD,
        Reason.OTHER_ENCODING,
        Reason.PLACE_UNKNOWN,
        Reason.NAME_SPELT,
        Reason.STATE_MISSING,
    }
)
SKIPS = frozenset({Reason.ALREADY_IN_SHOOT})


@dataclass(frozen=True)
class Values:
    """A row's cells, trimmed; `language` is `en`, `de` or empty for the company's own.

    `place` is the code of where the person works, `place_unread` what of it could not be read.
    """

    email: str = ""
    first_name: str = ""
    last_name: str = ""
    employee_id: str = ""
    department: str = ""
    language: str = ""
    place: str = ""
    place_unread: str = ""


@dataclass(frozen=True)
class Row:
    """One person of the file, and why the row is not plainly fine."""

    line: int
    values: Values
    reasons: tuple[Reason, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The weightiest of the reasons decides."""
        if any(reason not in WARNINGS and reason not in SKIPS for reason in self.reasons):
            return Verdict.REJECTED
        if any(reason in SKIPS for reason in self.reasons):
            return Verdict.SKIPPED
        return Verdict.WARNING if self.reasons else Verdict.OK

    @property
    def is_good(self) -> bool:
        """Whether the import will invite this person."""
        return self.verdict in (Verdict.OK, Verdict.WARNING)

    @property
    def text(self) -> str:
        """The reasons in English, one sentence each."""
        said = {"letters": self.letters, "place": self.values.place_unread}
        return " ".join(TEXTS[reason] % said for reason in self.reasons)

    @property
    def letters(self) -> str:
        """The letters of the address that not every mail server takes, each once, as `ü, ß`."""
        local = unicodedata.normalize("NFC", self.values.email.rpartition("@")[0])
        return ", ".join(dict.fromkeys(sign for sign in local if not sign.isascii()))

    def because(self, *reasons: Reason) -> Row:
        """Return the row with further reasons."""
        return replace(self, reasons=(*self.reasons, *reasons))
