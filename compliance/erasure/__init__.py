"""Erasing a person: from the press of the button to the proof.

`request` makes everything unreadable in one transaction. The `erase` job destroys the key and the
objects and checks both (`execute`). The `certify` job signs what was found. `turn_epoch` kills every older
copy of the key store, and with it what backups hold; `settle` then completes the certificates.
"""

from compliance.erasure.begin import ErasureReason, LegalHold, Requested, is_held, receipt_of, request
from compliance.erasure.destroy import TOOL, execute, held, remove
from compliance.erasure.epochs import brought_back, name_all, replay_ledger, settle, settle_all, turn_epoch

__all__ = [
    "TOOL",
    "ErasureReason",
    "LegalHold",
    "Requested",
    "brought_back",
    "execute",
    "held",
    "is_held",
    "name_all",
    "receipt_of",
    "remove",
    "replay_ledger",
    "request",
    "settle",
    "settle_all",
    "turn_epoch",
]
