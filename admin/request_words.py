"""What rights, states, reasons and steps of requests are called on pages."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from admin.words import Word
from compliance.requests.desk import Extension, Proof
from core.models import Channel, Right, Stage
from core.regimes import Regime

RIGHTS: dict[Right, Any] = {
    Right.ACCESS: _l("See their data"),
    Right.PORTABILITY: _l("Take their data along"),
    Right.ERASURE: _l("Erase their data"),
    Right.RECTIFICATION: _l("Correct their data"),
    Right.RESTRICTION: _l("Restrict what is done with it"),
    Right.OBJECTION: _l("Object to what is done with it"),
    Right.OPT_OUT: _l("Opt out of selling and sharing"),
    Right.LIMIT: _l("Limit the use of sensitive data"),
    Right.WITHDRAWAL: _l("Take their consent back"),
}
CHANNELS: dict[Channel, Any] = {
    Channel.SELF_SERVICE: _l("by themselves, on “Your data”"),
    Channel.HR: _l("told to somebody of the company"),
    Channel.PUBLIC_FORM: _l("by the public form"),
    Channel.AGENT: _l("by an agent of theirs"),
    Channel.OPENDSR: _l("by your company’s privacy program (OpenDSR)"),
}
LAWS: dict[Regime, Any] = {
    Regime.GDPR: _l("General Data Protection Regulation (GDPR)"),
    Regime.UK: _l("UK GDPR and Data Protection Act 2018"),
    Regime.SWISS: _l("Swiss Federal Act on Data Protection"),
    Regime.CCPA: _l("California Consumer Privacy Act"),
    Regime.BIPA: _l("Illinois: Biometric Information Privacy Act"),
    Regime.TEXAS: _l("Texas: Business and Commerce Code 503.001"),
    Regime.WASHINGTON: _l("Washington: chapter 19.375 RCW"),
    Regime.COLORADO: _l("Colorado: C.R.S. 6-1-1314"),
    Regime.OTHER: _l("The law of where the person works"),
}
STAGES: dict[Stage, Word] = {
    Stage.RECEIVED: Word(_l("new"), "info", _l("Nobody has confirmed yet that it came.")),
    Stage.ACKNOWLEDGED: Word(_l("confirmed"), "info", _l("The person knows that it came.")),
    Stage.VERIFYING: Word(_l("who asks?"), "warn", _l("The person was asked to show who they are.")),
    Stage.IN_PROGRESS: Word(_l("in progress"), "info", _l("It is being answered.")),
    Stage.HELD: Word(_l("held"), "warn", _l("A legal hold keeps the data for now.")),
    Stage.FULFILLED: Word(_l("met"), "good", _l("What was asked for was done.")),
    Stage.PARTLY: Word(_l("met in part"), "warn", _l("A part was refused, with a reason.")),
    Stage.DENIED: Word(_l("refused"), "bad", _l("It was refused, with a reason.")),
    Stage.CANCELLED: Word(_l("taken back"), "", _l("It ended without an answer.")),
    Stage.CLOSED: Word(_l("closed"), "", _l("It is over, and who asked is no longer kept with it.")),
}
EXTENSIONS: dict[Extension, Any] = {
    Extension.COMPLEX: _l("it is complex"),
    Extension.MANY: _l("many requests have to be answered"),
}
PROOFS: dict[Proof, Any] = {
    Proof.SIGNED_IN: _l("signed in"),
    Proof.MAIL_CODE: _l("a code sent to their address"),
    Proof.KNOWN: _l("known in person, or asked back on a known number"),
    Proof.DOCUMENT: _l("a document that was looked at and not kept"),
    Proof.CONTROLLER: _l("your company’s privacy program, which signed"),
    Proof.MANDATE: _l("a mandate that the person signed"),
}
HAPPENED: dict[str, Any] = {
    "received": _l("Came in"),
    Stage.RECEIVED.value: _l("Came in"),
    Stage.ACKNOWLEDGED.value: _l("Confirmed to the person"),
    Stage.VERIFYING.value: _l("Asked who they are"),
    Stage.IN_PROGRESS.value: _l("Begun"),
    Stage.HELD.value: _l("Held"),
    Stage.FULFILLED.value: _l("Met"),
    Stage.PARTLY.value: _l("Met in part"),
    Stage.DENIED.value: _l("Refused"),
    Stage.CANCELLED.value: _l("Ended without an answer"),
    Stage.CLOSED.value: _l("Closed; who asked is forgotten"),
    "verified": _l("Noted who asks"),
    "extended": _l("Extended"),
    "lifted": _l("Hold lifted"),
    "corrected": _l("Record corrected"),
    "unrestricted": _l("Restriction lifted"),
    "refusal_proposed": _l("Refusal proposed"),
    "refusal_dropped": _l("Proposed refusal dropped"),
    "processor_told": _l("Processor told"),
    "processor_answered": _l("Processor answered"),
    "callback_undelivered": _l("Privacy program could not be told"),
    "mail_undelivered": _l("Mail could not be delivered"),
}
