"""Looking again: the only way to a line of a certificate that says that something is gone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from compliance.certificate.facts import Check, Verification
from core.clock import now


@dataclass(frozen=True, init=False)
class ReadBack:
    """What looking again found. To make one *is* to look: nobody can have one of a place that was not read.

    Attributes:
        check: how it was looked.
        places: where.
        left: of these, in which something still stood.
        at: when.
    """

    check: Check
    places: tuple[str, ...]
    left: tuple[str, ...]
    at: datetime

    def __init__(
        self, check: Check, places: Iterable[str], look: Callable[[tuple[str, ...]], Collection[str]]
    ) -> None:
        """Look at `places` now.

        Args:
            check: How.
            places: Where; opaque names, as the certificate lists them.
            look: Reads them, and returns those in which something stands.

        Raises:
            ValueError: there is no place to look at, or `look` answers of others.
        """
        asked = tuple(places)
        if not asked:
            raise ValueError("nothing was looked at")
        found = set(look(asked))
        if strangers := found - set(asked):
            raise ValueError(f"asked of some places, answered of others: {sorted(strangers)}")
        for name, value in (
            ("check", check),
            ("places", asked),
            ("left", tuple(one for one in asked if one in found)),
            ("at", now()),
        ):
            object.__setattr__(self, name, value)

    @property
    def verification(self) -> Verification:
        """What the certificate says of it."""
        return Verification(check=self.check, at=self.at, read=len(self.places), left=len(self.left))
