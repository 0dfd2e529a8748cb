"""What a request may be refused for: only what a law has, told with its place and with what the person can do.

The places are those of the law of where the person works, as quoted in docs/requests.md; counsel confirm them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from compliance.requests.clocks import STOPS
from core.models import Right
from core.regimes import Regime


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


_EVERYWHERE: Final = {Basis.UNFOUNDED: "", Basis.NOT_VERIFIED: ""}
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
_SWISS: Final[dict[Right, dict[Basis, str]]] = {
    Right.ACCESS: {
        Basis.LEGAL_OBLIGATION: "Art. 26(1)(a) FADP",
        Basis.OTHERS_RIGHTS: "Art. 26(1)(b) FADP",
        Basis.UNFOUNDED: "Art. 26(1)(c) FADP",
    },
    Right.PORTABILITY: {
        Basis.LEGAL_OBLIGATION: "Art. 26(1)(a), 29(1) FADP",
        Basis.OTHERS_RIGHTS: "Art. 26(1)(b), 29(1) FADP",
        Basis.UNFOUNDED: "Art. 26(1)(c), 29(1) FADP",
    },
    Right.RECTIFICATION: {
        Basis.ACCURATE: "Art. 32(1) FADP",
        Basis.LEGAL_OBLIGATION: "Art. 32(1)(a) FADP",
        Basis.ARCHIVING: "Art. 32(1)(b) FADP",
    },
    Right.ERASURE: {
        Basis.LEGAL_OBLIGATION: "Art. 31(1), 32(2) FADP",
        Basis.LEGAL_CLAIMS: "Art. 31(1), 32(2) FADP",
    },
    Right.RESTRICTION: {Basis.NO_GROUND: "Art. 32(2) FADP"},
    Right.OBJECTION: {
        Basis.COMPELLING: "Art. 30(2)(b), 31(1) FADP",
        Basis.LEGAL_CLAIMS: "Art. 30(2)(b), 31(1) FADP",
    },
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
# Where no law is known that gives employees the right, the company answers all the same: with reasons, and no place.
_NO_STATUTE: Final[dict[Right, dict[Basis, str]]] = {
    Right.ERASURE: {Basis.LEGAL_OBLIGATION: "", Basis.LEGAL_CLAIMS: ""},
    Right.ACCESS: {Basis.OTHERS_RIGHTS: ""},
    Right.PORTABILITY: {Basis.OTHERS_RIGHTS: ""},
    Right.RECTIFICATION: {Basis.ACCURATE: ""},
    Right.RESTRICTION: {Basis.NO_GROUND: ""},
    Right.OBJECTION: {Basis.COMPELLING: "", Basis.LEGAL_CLAIMS: ""},
}
_BIPA: Final = _NO_STATUTE | {
    Right.ERASURE: {Basis.LEGAL_OBLIGATION: "740 ILCS 14/15(a)", Basis.LEGAL_CLAIMS: ""}
}


def _british(places: dict[Basis, str]) -> dict[Basis, str]:
    """Return the same places in the regulation as the United Kingdom has kept it."""
    return {basis: place.replace("GDPR", "UK GDPR") for basis, place in places.items()}


_ALWAYS_GDPR: Final = {Basis.UNFOUNDED: "Art. 12(5)(b) GDPR", Basis.NOT_VERIFIED: "Art. 12(2), (6) GDPR"}
_ALWAYS: Final = {
    Regime.GDPR: _ALWAYS_GDPR,
    Regime.UK: _british(_ALWAYS_GDPR),
    Regime.SWISS: {Basis.UNFOUNDED: "", Basis.NOT_VERIFIED: "Art. 16(5) DPO"},
    Regime.CCPA: {
        Basis.UNFOUNDED: "Cal. Civ. Code § 1798.145(h)(3)",
        Basis.NOT_VERIFIED: "11 CCR §§ 7060–7062",
    },
}
_BY_RIGHT: Final = {
    Regime.GDPR: _GDPR,
    Regime.UK: {right: _british(places) for right, places in _GDPR.items()},
    Regime.SWISS: _SWISS,
    Regime.CCPA: _CCPA,
    Regime.BIPA: _BIPA,
}
# Why an erasure may be held for the time being.
HOLDS: Final = (Basis.LEGAL_CLAIMS, Basis.LEGAL_OBLIGATION)


def offered(right: Right, regime: Regime) -> dict[Basis, str]:
    """Return what a request of this kind may be refused for where its person works, each with its place in that law.

    A place is empty where that law, as far as it is known here, has no rule of its own.
    """
    own = _BY_RIGHT.get(regime, _NO_STATUTE).get(right, {})
    always = dict(_ALWAYS.get(regime, _EVERYWHERE))
    if right in STOPS or right is Right.WITHDRAWAL:
        del always[Basis.NOT_VERIFIED]  # nobody has to show who they are for these
    return own | {basis: place for basis, place in always.items() if basis not in own}
