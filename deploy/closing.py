"""A company leaves: it gets its data back, everybody is erased with a certificate, and its end is certified."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from admin import delivery, download
from compliance import closing
from compliance.bundle.making import files as evidence
from core import audit
from core.clock import now, rfc3339
from core.db import transaction
from core.errors import InvalidInput
from core.models import Member, Shoot
from core.people import organizations, tabular
from core.portraits.downloads import NothingToDownload
from core.settings import settings
from core.web import archive
from deploy import installation
from deploy.company import find

PEOPLE = ("email", "first_name", "last_name", "employee_id", "department", "place", "language", "role")


def close(slug: str, name: str, out: Path, *, export: bool) -> Iterator[str]:
    """Go on with a company's end, and say line by line how far it is.

    Args:
        slug: the company's short name.
        name: its full name, typed by whoever means it.
        out: folder for what it gets back and for what certifies its end; made if it is not there.
        export: whether it gets anything back. A file that is there already is not made again.

    Raises:
        NotFound: there is no such company.
        InvalidInput: that is not its name; nothing was changed.
    """
    installation.demand()
    org_id = find(slug)
    with transaction(org_id) as session:
        if organizations.current(session).name != name:
            raise InvalidInput(f"That is not the name of {slug}. Nothing was changed.")
        before = closing.standing(session)
    out.mkdir(mode=0o700, parents=True, exist_ok=True)  # names and pictures of everybody come to lie in it
    if export and before.living:
        yield from _give_back(org_id, out)
    # Each time: a restored backup may have brought back a sign-in, a shoot or a logo, where the key stays destroyed.
    closing.end(org_id)
    if before.living or before.key:
        yield "Nobody can sign in any more, and nothing about anybody can be read."
    with transaction(org_id) as session:
        found = closing.standing(session)
    signed = closing.certify(org_id)
    yield (
        f"{found.people - found.living} of {found.people} people erased, {found.certified} with a complete certificate; "
        f"{found.objects} objects not seen gone yet."
    )
    if signed is None:
        yield (
            "The end is certified once every certificate is complete, which takes until the epoch key has turned, "
            f"{settings().epoch_hours} hours at most: run this again then."
        )
        return
    (out / "closing.note").write_text(signed, encoding="utf-8")
    _write(out / "evidence.zip", evidence(org_id))
    yield f"Certified: {out / 'closing.note'} and {out / 'evidence.zip'}. Check them with `headshots verify`."


def _give_back(org_id: UUID, out: Path) -> Iterator[str]:
    """Write the list of people and each shoot's archive; one that was written before stays."""
    with transaction(org_id) as session:
        people = _people(session)
        named = [
            (shoot.id, download.name_of(shoot)) for shoot in session.scalars(select(Shoot).order_by(Shoot.id))
        ]
    if not (target := out / "people.csv").exists():
        target.write_bytes(tabular.write((*PEOPLE, "added"), people))
        yield f"{target}: {len(people)} people."
    for number, (shoot_id, called) in enumerate(named, 1):
        target = out / f"{number:02d}-{called}"
        if target.exists():
            continue
        try:
            made = delivery.files_of(org_id, shoot_id, audit.SYSTEM, str)
        except NothingToDownload:
            continue
        _write(target, made)
        yield f"{target}: the headshots of a shoot."


def _people(session: Session) -> list[tuple[str, ...]]:
    living = session.scalars(select(Member).where(Member.erased_at.is_(None)).order_by(Member.id))
    return [
        (*(str(getattr(one, name) or "") for name in PEOPLE), rfc3339(one.created_at))
        for one in living.yield_per(1000)
    ]


def _write(target: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write a ZIP under its name only once it is whole."""
    half = target.with_name(f".{target.name}.part")
    with half.open("wb") as file:
        for part in archive.stream(files, now()):
            file.write(part)
    half.replace(target)
