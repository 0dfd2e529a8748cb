"""What things done to many people are called on pages, and what came of them."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from admin.words import Word
from core.shoots.bulk import NOT_ALLOWED, Kind, Outcome
from core.vault import ArtifactGone

DOES: dict[Kind, Any] = {
    Kind.SYNC: _l("Following the list"),
    Kind.INVITE: _l("Inviting"),
    Kind.REMIND: _l("Reminding"),
    Kind.MOVE: _l("Moving to another shoot"),
    Kind.WITHDRAW: _l("Withdrawing invitations"),
    Kind.RESTYLE: _l("Making headshots again in the present style"),
    Kind.ERASE: _l("Erasing"),
}

WILL: dict[Kind, Any] = {
    Kind.INVITE: _l("Each gets an invitation to the shoot by mail."),
    Kind.REMIND: _l(
        "Each gets a mail with a new link that says that it reminds. The link that they have works until that mail has left."
    ),
    Kind.MOVE: _l(
        "Their place moves to the other shoot, and each gets a new invitation by mail. Only people who have agreed to nothing yet are moved."
    ),
    Kind.WITHDRAW: _l(
        "Their links stop working at once. Nobody is mailed, and you can send new ones at any time."
    ),
    Kind.RESTYLE: _l(
        "New headshots are made of the photos that are there, and each person is mailed once theirs can be looked at. An approved headshot stays in use until its person approves a new one; nobody else sees the new ones before."
    ),
    Kind.ERASE: _l(
        "Photos, headshots, names and addresses are destroyed at once and cannot be brought back. Each person is told by mail, with a link to their certificate."
    ),
}

OUTCOMES: dict[Outcome, Word] = {
    Outcome.DONE: Word(_l("Done"), "good"),
    Outcome.JOINED: Word(_l("Added"), "good"),
    Outcome.CHANGED: Word(_l("Changed"), "good"),
    Outcome.LEFT: Word(_l("Access switched off"), "good"),
    Outcome.GONE: Word(_l("Erased meanwhile"), ""),
    Outcome.DECLINED: Word(_l("Not participating"), ""),
    Outcome.FINISHED: Word(_l("Past the invitation"), ""),
    Outcome.BEGUN: Word(_l("Has begun in this shoot"), ""),
    Outcome.NOT_INVITED: Word(_l("Not invited there"), ""),
    Outcome.ALREADY_THERE: Word(_l("There already"), ""),
    Outcome.NO_REMINDERS: Word(_l("Wants no reminders"), ""),
    Outcome.BOUNCED: Word(_l("The newest mail reached nobody."), "warn"),
    Outcome.WITHDRAWN: Word(_l("Invitation withdrawn"), ""),
    Outcome.RECENT: Word(_l("Got a link within the last day"), ""),
    Outcome.ACCESS_OFF: Word(_l("Access is switched off"), ""),
    Outcome.RESTRICTED: Word(_l("Restricted at their request"), ""),
    Outcome.SHOOT_CLOSED: Word(_l("The shoot is closed"), ""),
    Outcome.STAFF: Word(_l("Works in these pages: one by one only"), "warn"),
    Outcome.LEGAL_HOLD: Word(_l("Kept under a legal hold"), "warn"),
    Outcome.TAKEN: Word(_l("Somebody else has this address or employee ID"), "bad"),
    Outcome.NO_HEADSHOT: Word(_l("No headshot yet"), ""),
    Outcome.IN_STYLE: Word(_l("In this style already"), ""),
    Outcome.AWAITS_CHOICE: Word(_l("Has one in this style to choose"), ""),
    Outcome.UNDER_WAY: Word(_l("Others are on their way already"), ""),
    Outcome.NO_PHOTOS: Word(_l("No photo is left that can be used"), ""),
}

STOPPED: dict[str, Any] = {
    NOT_ALLOWED: _l("Whoever asked for it may not do this any more, so it stopped."),
    ArtifactGone.code: _l(
        "Somebody’s data was erased meanwhile, and with it every list that may name them. Upload the list again to go on."
    ),
}
