"""Whoever has yesterday's backup, a certificate and the log cannot tell by them whose certificate it is; its person can."""

from __future__ import annotations

import io
import json
import re
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import pypdf
import pytest
from click.testing import CliRunner
from conftest import add_member, add_participation
from erasing import erase
from sqlalchemy import select, text

from compliance import opening
from compliance.evidence import published_keys
from core import audit
from core.clock import now
from core.db import transaction
from core.ids import new_id
from core.models import AuditEvent, Base, Certificate, Kind, Member, Participation, State
from core.portraits import downloads
from core.vault import vault
from deploy.cli import main

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

# What identifies: hashes, random names and ids, in any spelling. Counts, sizes and closed words do not name a row.
NAMES = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32,64}|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d"
)
EMAIL = "ada@acme.example"


def dump(org: UUID) -> str:
    """Every row of every table, with those that the prescribed backup leaves out: the worst that could be kept."""
    with transaction(org) as session:
        rows = [
            row
            for table in Base.metadata.tables
            for row in session.scalars(text(f"SELECT t::text FROM {table} t"))
        ]
        leaves = session.scalars(select(AuditEvent.leaf)).all()
    return "\n".join([*rows, *(leaf.decode() for leaf in leaves)])


def names(of: str, but: set[str]) -> set[str]:
    return {one.replace(" ", "T") for one in NAMES.findall(of)} - but


@pytest.fixture
def lived(org: UUID, member: Member) -> Participation:
    """Somebody with stored files, a consent, and a copy that the company downloaded."""
    part = add_participation(org, member, State.APPROVED)
    hr = add_member(org, "Robin", role="hr_admin")
    photo = vault().seal(org, b"a face", kind=Kind.PHOTO, media_type="image/jpeg", member_id=member.id)
    with transaction(org) as session:
        vault().keep(session, photo)
        row = session.get_one(Participation, part.id)
        row.chosen_headshot_id = new_id()
        assert downloads.handed(session, part.id, is_master=True, actor=audit.actor_for(hr))
    return part


def of_certificate(org: UUID) -> tuple[bytes, str]:
    """The file, and everything that it says."""
    with transaction(org) as session:
        pdf = session.scalars(select(Certificate.pdf)).one()
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    pages = "\n".join(page.extract_text() for page in reader.pages)
    evidence = dict(reader.attachments)["evidence.json"][0].decode()
    said = json.loads(evidence)
    return pdf, "\n".join([pages, evidence, said["log"]["event"]])


def test_nothing_in_a_certificate_or_in_the_log_since_stands_in_yesterdays_backup(
    org: UUID, member: Member, lived: Participation
) -> None:
    yesterday = dump(org)
    time.sleep(1.0)  # as certificates tell times to the second
    began = now()
    receipt = erase(org, member.id).receipt
    _, said = of_certificate(org)
    company = names(json.dumps(published_keys(org)), set()) | {str(org)}
    known = names(yesterday, company)
    assert names(said, company) & known == set()
    with transaction(org) as session:
        since = session.scalars(select(AuditEvent).where(AuditEvent.created_at >= began)).all()
        log = "\n".join(one.leaf.decode() for one in since)
    assert '"erasure.requested"' in log
    assert '"participation.moved"' in log
    assert names(log, company) & known == set()
    # Nor does the public link lead to it: the row has the hash of its first half alone, and that is of after.
    assert receipt not in dump(org)
    assert opening.split(receipt)[1] not in dump(org)
    # Whoever guesses the address has nothing to try it with: neither what stands in rows nor the company's own numbers.
    subject = json.loads(said[said.index('{"certificate"') :].partition("\n")[0])["certificate"]["subject"]
    for key in names(yesterday, set()):
        assert opening.commitment(key, EMAIL) != subject


def verify(tmp_path: Path, org: UUID, receipt: str, address: str) -> tuple[int, str]:
    pdf, _ = of_certificate(org)
    (tmp_path / "certificate.pdf").write_bytes(pdf)
    (tmp_path / "keys.json").write_text(json.dumps(published_keys(org)))
    (tmp_path / "mail.eml").write_text(
        f"See https://photos.example/erased/{receipt[:50]}=\r\n{receipt[50:]}\r\n"
    )
    done = CliRunner().invoke(
        main,
        [
            *("verify", str(tmp_path / "certificate.pdf"), "--keys", str(tmp_path / "keys.json")),
            *("--receipt", str(tmp_path / "mail.eml"), "--address", address),
        ],
    )
    return done.exit_code, done.output


def test_person_shows_with_their_receipt_whose_certificate_it_is(
    org: UUID, member: Member, tmp_path: Path
) -> None:
    receipt = erase(org, member.id).receipt
    assert verify(tmp_path, org, receipt, "ADA@acme.example")[0] == 0
    code, said = verify(tmp_path, org, receipt, "bob@acme.example")
    assert code == 1
    assert "about this person" in said
    other = opening.split(receipt)[0] + opening.new()
    assert verify(tmp_path, org, other, EMAIL)[0] == 1
    code, said = verify(tmp_path, org, opening.split(receipt)[0], EMAIL)
    assert code == 1
    assert "does not hold one whole receipt" in said


def test_auditor_finds_by_the_old_hash_what_an_erased_person_did(org: UUID, member: Member) -> None:
    from compliance.log import listing

    before = member.pseudonym
    erase(org, member.id)
    with transaction(org) as session:
        wanted: dict[str, Any] = {"person": before}
        found = listing.events(session, listing.Wanted(of_people=True, **wanted))
        after = session.get_one(Member, member.id).pseudonym
    assert after != before
    assert found
