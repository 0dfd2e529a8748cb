"""What mails, and what DNS says of their sender, are called on admin pages."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from admin.words import Word
from core.mail.sender_dns import Verdict, What

# The order is that in which people get them.
KINDS: dict[str, Word] = {
    "invite": Word(_l("Invitation"), "", _l("Asks somebody to take part, with their link.")),
    "remind": Word(_l("Reminder"), "", _l("Goes to whoever has not finished, with the days that are left.")),
    "ready": Word(
        _l("Headshots are ready"), "", _l("Goes out as soon as there is something to choose from.")
    ),
    "remind_ready": Word(
        _l("Reminder to choose"), "", _l("Goes to whoever has headshots and has not chosen.")
    ),
    "again": Word(
        _l("Another picture, please"),
        "",
        _l("Says what is wrong with an approved picture, and asks for another."),
    ),
    "device": Word(
        _l("Link opened elsewhere"), "", _l("Tells somebody that their link was opened on another device.")
    ),
    "disowned": Word(
        _l("Somebody else has the link"), "", _l("Tells somebody that another person opened their link.")
    ),
    "data": Word(_l("Link to one’s data"), "", _l("Answers whoever asks what is held about them.")),
    "farewell": Word(_l("Everything was erased"), "", _l("The last mail, to whom your company had erased.")),
}

RECORDS: dict[What, Any] = {
    What.SPF: _l("Who may send mails for this domain."),
    What.DKIM: _l("With which key its mails are signed."),
    What.DMARC: _l("What becomes of mails that are neither."),
}

VERDICTS: dict[Verdict, Word] = {
    Verdict.GOOD: Word(_l("set"), "good"),
    Verdict.MISSING: Word(
        _l("missing"), "bad", _l("There is no such record, so many servers take mails for spam.")
    ),
    Verdict.SEVERAL: Word(
        _l("several"), "bad", _l("There are several, so that servers believe none. Keep one.")
    ),
    Verdict.OPEN: Word(_l("open"), "bad", _l("It lets anybody send mails in this domain’s name.")),
    Verdict.NOT_NAMED: Word(
        _l("please check"),
        "warn",
        _l("It does not name the server that sends these mails, or only by way of another record."),
    ),
    Verdict.EMPTY: Word(_l("empty"), "bad", _l("It says nothing that servers could go by.")),
    Verdict.NOT_SET_UP: Word(
        _l("not known"), "warn", _l("Whoever runs this platform has not said under which name the key lies.")
    ),
    Verdict.NO_ANSWER: Word(_l("no answer"), "warn", _l("DNS did not answer just now. Try again later.")),
}
