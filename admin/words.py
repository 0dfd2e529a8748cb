"""What stable names are called on admin pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import format_decimal
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_ngettext as _ln

from core.brand.looks import Standing
from core.models import EngineName, MailKind, MailState, Role, State
from core.outages import Part
from core.people.columns import Field
from core.people.encodings import Encoding
from core.people.facts import Fact
from core.people.rows import TEXTS, Reason, Verdict
from core.portraits.engines import Fallback
from core.shoots.commits import NOT_ALLOWED, Ended
from core.shoots.dashboard import Attention, Stage
from core.shoots.deliveries import REFUSED
from core.vault.watches import Difference, What


@dataclass(frozen=True)
class Word:
    """A label, the look of its pill, and what it means in a sentence."""

    label: Any
    look: str
    meaning: Any = ""


STATES: dict[State, Word] = {
    State.INVITED: Word(
        _l("Invited"), "", _l("The link has not been opened. Whether its mail has left is counted below.")
    ),
    State.OPENED: Word(_l("Opened"), "info", _l("Accepted the invitation, has not decided yet.")),
    State.CONSENTED: Word(_l("Agreed"), "info", _l("Agreed, has not sent photos yet.")),
    State.UPLOADING: Word(_l("Uploading"), "info", _l("Adding photos.")),
    State.SUBMITTED: Word(_l("Photos sent"), "info", _l("Waiting for the studio.")),
    State.RENDERING: Word(_l("In the studio"), "info", _l("Headshots are being made.")),
    State.READY: Word(_l("Choosing"), "warn", _l("Headshots are ready; the person has not chosen yet.")),
    State.APPROVED: Word(_l("Approved"), "good", _l("The person chose a headshot; ready to download.")),
    State.DELIVERED: Word(
        _l("Downloaded"), "good", _l("The headshot was downloaded, by the person or by your company.")
    ),
    # No reason is ever asked or shown: declining costs nothing.
    State.DECLINED: Word(_l("Not participating"), "", _l("Uses initials or a picture of their own.")),
    State.FAILED: Word(_l("Needs new photos"), "bad", _l("No headshot could be made from the photos.")),
    State.EXPIRED: Word(
        _l("Link ended"),
        "warn",
        _l("The invitation ended before photos were sent: its time was over, or somebody ended it."),
    ),
    State.ERASED: Word(_l("Erased"), "", _l("Everything about this person was deleted.")),
}

ENGINES: dict[EngineName, Word] = {
    EngineName.STUDIO: Word(
        _l("Studio"),
        "",
        _l(
            "Each person’s own best photo, put into your style. Nothing about the person is invented, no further "
            "consent is asked, and it is ready about a minute after the photos are sent."
        ),
    ),
    EngineName.DIFFUSION: Word(
        _l("Image model"),
        "",
        _l(
            "A small model learns each person who agrees to that, and makes new portraits with other clothes and light. "
            "It asks for one more consent, takes some minutes a person and needs a GPU. Who says no to that, or whose "
            "pictures do not look enough like them, still gets a headshot, at no charge."
        ),
    ),
    EngineName.WARDROBE: Word(
        _l("Own photo, other clothes"),
        "",
        _l(
            "Face and hair stay as each person’s best photo has them, pixel for pixel; the image model paints the clothes "
            "that your style asks for. No model of anybody is trained. It needs a GPU."
        ),
    ),
}

# Why the studio took over in a shoot; see `core.portraits.engines.failures`.
FAILURES: dict[str, Any] = {
    Fallback.ENGINE_OFF: _l("No image model is set up here."),
    Fallback.NO_GPU_WORKER: _l("No GPU worker ran for a day."),
    Fallback.TOO_FEW_PASSED: _l("The image model’s pictures did not look enough like the person."),
    Fallback.TOO_FEW_PHOTOS: _l(
        "The image model needs at least two different photos of a person, one to work from and one to be checked with. Ask "
        "for photos from other days, six or more of each person."
    ),
    Fallback.CLOTHES_OFF: _l("The image model that is set up here does not paint clothes."),
    Fallback.CLOTHES: _l("The painted clothes did not turn out well enough."),
}
# Why the import of a list stopped; anything else is a fault of ours.
STOPPED: dict[str, Any] = {
    Ended.ERASED: _l(
        "Somebody’s data was erased meanwhile, and with it every list that may name them, so this one was deleted. "
        "Import it again without that person: nobody is invited twice."
    ),
    Ended.RESTORED: _l(
        "This platform came back from a backup, which deletes every list, as it may name people who were erased since. "
        "Import it again: nobody is invited twice."
    ),
    NOT_ALLOWED: _l(
        "Whoever confirmed the list may not invite people any more, so nobody else was invited. "
        "If the rest is right, you can go on with it; nobody is invited twice."
    ),
}


OTHER_FAILURE = _l("The image model did not work (%(code)s).")


def failure(code: str) -> Any:
    """Return in words why the studio took over from the image model."""
    return FAILURES[code] if code in FAILURES else str(OTHER_FAILURE) % {"code": code}


# What is not as it was signed; see `compliance.log.watch`.
DIFFERENCES: dict[What, Any] = {
    What.EVENT: _l("Entry %(place)s says something else."),
    What.LEAF: _l("Entry %(place)s is missing."),
    What.UNLISTED: _l("An event counts as part of the log and has no place in it."),
    What.TREE: _l("The tree’s hashes from entry %(place)s on are others."),
    What.CHECKPOINT: _l("The checkpoint over %(size)s entries is not one that was signed."),
    What.FORK: _l("The whole log is another one, so nothing more is signed."),
}


def difference(one: Difference) -> Any:
    """Return in words what is not as it was signed."""
    return str(DIFFERENCES[one.what]) % {"place": one.position + 1, "size": one.position}


# What is known of the newest mail to somebody; see `core.shoots.deliveries`.
MAIL_STATES: dict[MailState, Word] = {
    MailState.QUEUED: Word(_l("queued"), "info", _l("The newest mail has not left yet.")),
    MailState.SENT: Word(_l("sent"), "", _l("The mail server took the newest mail, and nothing came back.")),
    MailState.BOUNCED: Word(_l("bounced"), "bad", _l("The newest mail reached nobody.")),
}
MAIL_KINDS: dict[MailKind, Any] = {
    MailKind.INVITE: _l("Invitation"),
    MailKind.READY: _l("“Your headshots are ready”"),
    MailKind.REMIND: _l("Reminder"),
    MailKind.REMIND_READY: _l("Reminder to choose"),
}
# Why a mail came back, by how its status begins (RFC 3463); the longest beginning counts.
_BOUNCES: dict[str, Any] = {
    "5.1.2": _l("There is no such mail domain. Correct the address."),
    "5.1": _l("There is no such mailbox. Correct the address."),
    "550": _l("The mail server refuses this address. Correct it, or ask your IT."),
    "5.2.1": _l("The mailbox is switched off. Ask whether the person still works with you."),
    "5.2.2": _l("The mailbox is full. Send again later."),
    "5.2": _l("The mailbox takes no mail. Send again later, or correct the address."),
    "5.4": _l("The mail domain could not be reached for days. Correct the address, or send again later."),
    "4": _l("The mail server could not be reached for days. Send again later."),
    "5.7": _l("The mail server takes no mails like this from us. Your IT can let them in."),
}
OTHER_BOUNCE = _l("The mail came back. Correct the address, or ask your IT.")


def bounce(status: str) -> Any:
    """Return in words why a mail came back."""
    known = [beginning for beginning in _BOUNCES if status.startswith(beginning)]
    return _BOUNCES[max(known, key=len)] if known else OTHER_BOUNCE


# Why a mail has not left; see `core.shoots.undelivered`.
UNDELIVERED: dict[str, Any] = {
    Part.MAIL: _l("The mail server takes no mail just now; it is tried again by itself."),
    "dropped": _l("Whoever runs this platform stopped it."),
}
OTHER_UNDELIVERED = _l("The mail could not be made yet; it is tried again by itself (%(code)s).")


def undelivered(code: str) -> Any:
    """Return in words why a mail has not left."""
    if code.startswith(REFUSED):
        return bounce(code.removeprefix(REFUSED).lstrip("_"))
    return UNDELIVERED[code] if code in UNDELIVERED else str(OTHER_UNDELIVERED) % {"code": code}


ATTENTION: dict[Attention, Any] = {
    Attention.NOBODY_INVITED: lambda _number: _l("Nobody is invited yet. Import your people."),
    Attention.FAILED: lambda number: _ln(
        "%(num)s person needs to send other photos.", "%(num)s people need to send other photos.", number
    ),
    Attention.DEADLINE_SOON: lambda number: _ln(
        "The deadline is near and %(num)s person has not finished.",
        "The deadline is near and %(num)s people have not finished.",
        number,
    ),
    Attention.DEADLINE_PASSED: lambda number: _ln(
        "The deadline has passed and %(num)s person has not finished.",
        "The deadline has passed and %(num)s people have not finished.",
        number,
    ),
    Attention.LINKS_EXPIRED: lambda number: _ln(
        "%(num)s invitation ended unused. Send a new link.",
        "%(num)s invitations ended unused. Send new links.",
        number,
    ),
    Attention.BOUNCED: lambda number: _ln(
        "The mail to %(num)s person came back.", "The mails to %(num)s people came back.", number
    ),
    Attention.UNDELIVERED: lambda number: _ln(
        "A mail to %(num)s person has not left.", "Mails to %(num)s people have not left.", number
    ),
    Attention.WAITING_FOR_APPROVAL: lambda number: _ln(
        "%(num)s person has had headshots to choose from for three days.",
        "%(num)s people have had headshots to choose from for three days.",
        number,
    ),
}

# Where most people of a shoot wait, and what helps.
STAGES: dict[Stage, Any] = {
    Stage.INVITED: lambda number: _ln(
        "Most wait at the start: %(number)s person has not opened the invitation. A reminder helps.",
        "Most wait at the start: %(number)s people have not opened the invitation. A reminder helps.",
        number,
        number=format_decimal(number),
    ),
    Stage.BEGUN: lambda number: _ln(
        "Most wait before the photos: %(number)s person has begun and not sent any. A reminder helps.",
        "Most wait before the photos: %(number)s people have begun and not sent any. A reminder helps.",
        number,
        number=format_decimal(number),
    ),
    Stage.STUDIO: lambda number: _ln(
        "The studio is at work for %(number)s person. That takes minutes, and nobody has to do anything.",
        "The studio is at work for %(number)s people. That takes minutes, and nobody has to do anything.",
        number,
        number=format_decimal(number),
    ),
    Stage.CHOOSING: lambda number: _ln(
        "Most wait at the choice: %(number)s person has headshots and has not approved one. A reminder helps.",
        "Most wait at the choice: %(number)s people have headshots and have not approved one. A reminder helps.",
        number,
        number=format_decimal(number),
    ),
    Stage.REVIEW: lambda number: _ln(
        "It waits for you: %(number)s approved picture has to be reviewed before it is handed over.",
        "It waits for you: %(number)s approved pictures have to be reviewed before they are handed over.",
        number,
        number=format_decimal(number),
    ),
}

LOOKS: dict[Standing, Word] = {
    Standing.LEARNING: Word(
        _l("Being learned"), "info", _l("The image model learns it; you can leave this page.")
    ),
    Standing.LEARNED: Word(
        _l("Learned"), "good", _l("The image model makes the pictures of your next shoots in it.")
    ),
    Standing.FAILED: Word(
        _l("Not learned"),
        "bad",
        _l("It could not be learned. Your pictures are safe, and shoots go on without."),
    ),
}

NO_LOOK = Word(_l("None yet"), "")

VERDICTS: dict[Verdict, Word] = {
    Verdict.OK: Word(_l("Will be invited"), "good"),
    Verdict.WARNING: Word(_l("Invited, please check"), "warn"),
    Verdict.SKIPPED: Word(_l("Nothing to do"), ""),
    Verdict.REJECTED: Word(_l("Not imported"), "bad"),
}

ROLES: dict[Role, Any] = {
    Role.OWNER: _l("Owner"),
    Role.HR_ADMIN: _l("HR admin"),
    Role.REVIEWER: _l("Reviewer"),
    Role.AUDITOR: _l("Auditor"),
    Role.EMPLOYEE: _l("Employee"),
}

SIZES: dict[str, Any] = {
    "square": _l("Square"),
    "linkedin": "LinkedIn",
    "slack": "Slack",
    "teams": "Microsoft Teams",
    "badge": _l("Badge, 35 × 45 mm"),
    "web": _l("Website"),
    "web-avif": _l("Website, smallest file"),
    "avatar": _l("Avatar with a frame"),
    "print": _l("Print"),
}

REASONS: dict[Reason, str] = dict(TEXTS)

FIELDS: dict[Field, Any] = {
    Field.EMAIL: _l("Email"),
    Field.FIRST_NAME: _l("First name"),
    Field.LAST_NAME: _l("Last name"),
    Field.FULL_NAME: _l("Whole name, where it is in one column"),
    Field.EMPLOYEE_ID: _l("Employee ID"),
    Field.DEPARTMENT: _l("Department"),
    Field.LANGUAGE: _l("Language"),
    Field.COUNTRY: _l("Country of work"),
    Field.STATE: _l("State of work"),
    Field.LOCATION: _l("Place of work"),
}

FACTS: dict[Fact, Any] = {
    Fact.EMAIL: _l("Email"),
    Fact.FIRST_NAME: _l("First name"),
    Fact.LAST_NAME: _l("Last name"),
    Fact.EMPLOYEE_ID: _l("Employee ID"),
    Fact.DEPARTMENT: _l("Department"),
    Fact.PLACE: _l("Works in"),
    Fact.LANGUAGE: _l("Language"),
}

ENCODINGS: dict[Encoding, Any] = {
    Encoding.UTF_8: "Unicode (UTF-8)",
    Encoding.UTF_16_LE: "Unicode (UTF-16)",
    Encoding.UTF_16_BE: "Unicode (UTF-16)",
    Encoding.TWICE: _l("Unicode that was saved twice, mended"),
    Encoding.WINDOWS_1252: _l("Western European (Windows)"),
    Encoding.WINDOWS_1250: _l("Central European (Windows)"),
    Encoding.WINDOWS_1251: _l("Cyrillic (Windows)"),
    Encoding.MAC_ROMAN: _l("Western European (Mac)"),
    Encoding.SHIFT_JIS: _l("Japanese (Shift-JIS)"),
    Encoding.GBK: _l("Chinese, simplified (GBK)"),
    Encoding.BIG5: _l("Chinese, traditional (Big5)"),
    Encoding.KOREAN: _l("Korean"),
    Encoding.WINDOWS_1254: _l("Turkish (Windows)"),
    Encoding.WINDOWS_1253: _l("Greek (Windows)"),
    Encoding.WINDOWS_1255: _l("Hebrew (Windows)"),
    Encoding.WINDOWS_1256: _l("Arabic (Windows)"),
    Encoding.WINDOWS_1257: _l("Baltic (Windows)"),
    Encoding.THAI: _l("Thai"),
    Encoding.ISO_8859_15: _l("Western European (ISO)"),
    Encoding.ISO_8859_2: _l("Central European (ISO)"),
    Encoding.DOS_850: _l("Western European (DOS)"),
    Encoding.DOS_852: _l("Central European (DOS)"),
    Encoding.DOS_866: _l("Cyrillic (DOS)"),
    Encoding.KOI8: _l("Cyrillic (KOI8)"),
    Encoding.MAC_LATIN_2: _l("Central European (Mac)"),
    Encoding.MAC_CYRILLIC: _l("Cyrillic (Mac)"),
    Encoding.EUC_JP: _l("Japanese (EUC)"),
    Encoding.MAC_TURKISH: _l("Turkish (Mac)"),
    Encoding.MAC_GREEK: _l("Greek (Mac)"),
    Encoding.ISO_8859_7: _l("Greek (ISO)"),
    Encoding.ISO_8859_5: _l("Cyrillic (ISO)"),
    Encoding.ISO_8859_4: _l("Baltic (ISO)"),
    Encoding.ISO_8859_6: _l("Arabic (ISO)"),
    Encoding.DOS_857: _l("Turkish (DOS)"),
    Encoding.DOS_737: _l("Greek (DOS)"),
    Encoding.DOS_775: _l("Baltic (DOS)"),
    Encoding.DOS_855: _l("Cyrillic (DOS, code page 855)"),
    Encoding.DOS_862: _l("Hebrew (DOS)"),
    Encoding.DOS_720: _l("Arabic (DOS)"),
}
