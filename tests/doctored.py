"""Asking the doctor about one thing, and its word for word that no secret is in it."""

from __future__ import annotations

from conftest import SECRET, forget_process_state

from core.mail import lines
from deploy.doctor.finding import Finding, Grade, examine
from deploy.doctor.looks import looks

PASSWORD = "correct-horse-battery"
USER = "byron-of-tests"


def findings(check: str, *, patience_seconds: float = 8.0) -> list[Finding]:
    """Return all that it finds."""
    forget_process_state()
    lines._tls.cache_clear()
    found = list(
        examine([look for look in looks() if look.check == check], patience_seconds=patience_seconds)
    )
    for one in found:
        assert not {PASSWORD, SECRET, USER} & set(one.sentence().replace(":", " ").replace("@", " ").split())
    return found


def finding(check: str, **patience: float) -> Finding:
    """Return the one thing that is wrong."""
    (one,) = (one for one in findings(check, **patience) if one.grade is not Grade.OK)
    return one
