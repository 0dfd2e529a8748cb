"""What rights and states are called to the person whose data it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask_babel import lazy_gettext as _l

from core.models import Right, Stage


@dataclass(frozen=True)
class Word:
    """A label, the look of its pill, and what it means in a sentence."""

    label: Any
    look: str
    meaning: Any


RIGHTS: Final[dict[Right, Any]] = {
    Right.ACCESS: _l("See my data"),
    Right.PORTABILITY: _l("Take my data along"),
    Right.ERASURE: _l("Erase my data"),
    Right.RECTIFICATION: _l("Correct my data"),
    Right.RESTRICTION: _l("Keep my data, and use it for nothing"),
    Right.OBJECTION: _l("Object to what is done with my data"),
    Right.OPT_OUT: _l("Do not sell or share my data"),
    Right.LIMIT: _l("Limit the use of my sensitive data"),
    Right.WITHDRAWAL: _l("Take my consent back"),
}
STAGES: Final[dict[Stage, Word]] = {
    Stage.RECEIVED: Word(_l("arrived"), "info", _l("It has arrived, and is confirmed to you soon.")),
    Stage.ACKNOWLEDGED: Word(_l("confirmed"), "info", _l("It is with the people who answer it.")),
    Stage.VERIFYING: Word(
        _l("a question to you"), "warn", _l("You were asked by mail how you can be recognised.")
    ),
    Stage.IN_PROGRESS: Word(_l("in progress"), "info", _l("It is being answered.")),
    Stage.HELD: Word(_l("held"), "warn", _l("The law obliges the company to keep the data for now.")),
    Stage.FULFILLED: Word(_l("done"), "good", _l("What you asked for was done.")),
    Stage.PARTLY: Word(
        _l("done in part"), "warn", _l("A part was refused; the mail says why and what you can do.")
    ),
    Stage.DENIED: Word(_l("refused"), "bad", _l("It was refused; the mail says why and what you can do.")),
    Stage.CANCELLED: Word(_l("ended"), "", _l("It ended without an answer.")),
    Stage.CLOSED: Word(_l("done"), "good", _l("It is over, and who asked is no longer kept with it.")),
}
