"""What a request may be refused for: only what a law has, told with its place and with what the person can do.

The places are those of the law as quoted in docs/requests.md; counsel confirm them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from compliance.requests.clocks import STOPS, Law
from core.models import Right


class Basis(StrEnum):
    """A reason to refuse; its words are in `letters.toml`."""

    EXPRESSION = "expression"
    LEGAL_OBLIGATION = "legal_obligation"
    PUBLIC_HEALTH = "public_health"
    ARCHIVING = "archiving"
    LEGAL_CLAIMS = "legal_claims"
    TRANSACTION = "transaction"
    SECURITY = "security"
    DEBUGGING = "debugging"
    CALECPA = "calecpa"
    RESEARCH = "research"
    INTERNAL_USE = "internal_use"
    UNFOUNDED = "unfounded"
    NOT_VERIFIED = "not_verified"
    OTHERS_RIGHTS = "others_rights"
    ACCURATE = "accurate"
    NO_GROUND = "no_ground"
    COMPELLING = "compelling"


_ALWAYS: Final = {
    Law.GDPR: {Basis.UNFOUNDED: "Art. 12(5)(b) GDPR", Basis.NOT_VERIFIED: "Art. 12(2), (6) GDPR"},
    Law.CCPA: {
        Basis.UNFOUNDED: "Cal. Civ. Code § 1798.145(h)(3)",
        Basis.NOT_VERIFIED: "11 CCR §§ 7060–7062",
    },
}
_GDPR: Final[dict[Right, dict[Basis, str]]] = {
    Right.ERASURE: {
        Basis.EXPRESSION: "Art. 17(3)(a) GDPR",
        Basis.LEGAL_OBLIGATION: "Art. 17(3)(b) GDPR",
        Basis.PUBLIC_HEALTH: "Art. 17(3)(c) GDPR",
        Basis.ARCHIVING: "Art. 17(3)(d) GDPR",
        Basis.LEGAL_CLAIMS: "Art. 17(3)(e) GDPR",
    },
    Right.ACCESS: {Basis.OTHERS_RIGHTS: "Art. 15(4) GDPR"},
    Right.PORTABILITY: {Basis.OTHERS_RIGHTS: "Art. 20(4) GDPR"},
    Right.RECTIFICATION: {Basis.ACCURATE: "Art. 16 GDPR"},
    Right.RESTRICTION: {Basis.NO_GROUND: "Art. 18(1) GDPR"},
    Right.OBJECTION: {Basis.COMPELLING: "Art. 21(1) GDPR", Basis.LEGAL_CLAIMS: "Art. 21(1) GDPR"},
}
_CCPA: Final[dict[Right, dict[Basis, str]]] = {
    Right.ERASURE: {
        Basis.TRANSACTION: "Cal. Civ. Code § 1798.105(d)(1)",
        Basis.SECURITY: "Cal. Civ. Code § 1798.105(d)(2)",
        Basis.DEBUGGING: "Cal. Civ. Code § 1798.105(d)(3)",
        Basis.EXPRESSION: "Cal. Civ. Code § 1798.105(d)(4)",
        Basis.CALECPA: "Cal. Civ. Code § 1798.105(d)(5)",
        Basis.RESEARCH: "Cal. Civ. Code § 1798.105(d)(6)",
        Basis.INTERNAL_USE: "Cal. Civ. Code § 1798.105(d)(7)",
        Basis.LEGAL_OBLIGATION: "Cal. Civ. Code § 1798.105(d)(8)",
    },
    Right.ACCESS: {Basis.OTHERS_RIGHTS: "Cal. Civ. Code § 1798.145(k)"},
    Right.PORTABILITY: {Basis.OTHERS_RIGHTS: "Cal. Civ. Code § 1798.145(k)"},
    Right.RECTIFICATION: {Basis.ACCURATE: "11 CCR § 7023(b)"},
}
# Why an erasure may be held for the time being.
HOLDS: Final = (Basis.LEGAL_CLAIMS, Basis.LEGAL_OBLIGATION)


def offered(right: Right, law: Law) -> dict[Basis, str]:
    """Return what a request of this kind may be refused for under a law, each with its place in it."""
    own = (_GDPR if law is Law.GDPR else _CCPA).get(right, {})
    always = dict(_ALWAYS[law])
    if right in STOPS or right is Right.WITHDRAWAL:
        del always[Basis.NOT_VERIFIED]  # nobody has to show who they are for these
    return own | always
