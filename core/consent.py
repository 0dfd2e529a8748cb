"""Consent as a value: what a function that touches a face takes as an argument.

The noun lives here so that `workers` and `compliance` agree on it. Nobody makes one by hand: only
`compliance.consent.require()` (from the stored, unwithdrawn consent of a member) and
`compliance.consent.own_photos()` (the operator's statement on the command line) do.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from core.errors import AppError


class Purpose(StrEnum):
    """What a person agrees to; each is asked, given and withdrawn on its own."""

    PHOTO = "photo"  # retouch one's own photos and deliver the result
    LIKENESS = "likeness"  # a face embedding, to check that results look like the person
    PAINT = "paint"  # show an image model one's photos, which paints a face from them and keeps nothing
    CLOTHES = "clothes"  # show it one's photo, on which it paints other clothes and keeps nothing
    ADAPTER = "adapter"  # train a personal model, which paints a face


# What paints a face; nobody sees one that was not compared with its person's, which takes `likeness`.
PAINTING = frozenset({Purpose.PAINT, Purpose.ADAPTER})
# What measures a face, or has a model learn one: consent that is asked for by itself and explicitly.
EXPLICIT = frozenset({Purpose.LIKENESS, Purpose.ADAPTER})


class ConsentRequired(AppError):
    """A purpose was about to be used that the person has not agreed to."""

    code = "consent_required"
    status = 403


@dataclass(frozen=True, slots=True)
class ValidConsent:
    """Proof, checked a moment ago, of what one person agreed to.

    Attributes:
        member_id: Whose face; `None` only for photos that an operator processes on the command line
            under their own statement.
        purposes: What may be done.
    """

    member_id: UUID | None
    purposes: frozenset[Purpose]

    def covers(self, purpose: Purpose) -> bool:
        """Say whether `purpose` was agreed to."""
        return purpose in self.purposes

    def demand(self, purpose: Purpose) -> None:
        """Stop here unless `purpose` was agreed to.

        Raises:
            ConsentRequired: it was not, or was withdrawn.
        """
        if not self.covers(purpose):
            raise ConsentRequired(
                "This needs consent to “%(purpose)s”, which was not given. Nothing was processed.",
                purpose=purpose.value,
            )
