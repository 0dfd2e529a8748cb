"""Attesting by name that no backup holds the epoch keys: noted, logged, listed and certified."""

from __future__ import annotations

import io
import json
from pathlib import Path
from uuid import UUID

import pypdf
import pytest
from click.testing import CliRunner, Result
from erasing import erase
from sqlalchemy import select

from compliance.certificate import issuing
from compliance.certificate.parts import EVIDENCE_NAME
from compliance.evidence import signing_keys
from compliance.signing import log_origin
from compliance.verify import verify_file
from core import attestations, audit
from core.db import transaction
from core.models import AuditEvent, Certificate, Member
from core.settings import settings
from deploy.cli import main


def run(*command: str, stdin: str = "") -> Result:
    return CliRunner().invoke(main, list(command), input=stdin)


def attest(*more: str) -> Result:
    return run("keys", "attest", "--name", "Ada Lovelace", "--yes", *more)


def test_whoever_attests_reads_the_places_first_and_it_is_noted_once_they_agree(org: UUID) -> None:
    keyring = str(settings().keyring_path.resolve())
    refused = run("keys", "attest", "--name", "Ada Lovelace", stdin="n\n")
    assert refused.exit_code == 1
    assert keyring in refused.stderr
    assert attestations.given() == []
    done = run("keys", "attest", "--name", "Ada  Lovelace", "--role", "Head of IT", "--json", stdin="y\n")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert (said["name"], said["role"]) == ("Ada Lovelace", "Head of IT")
    assert keyring in said["sentence"]
    with transaction(org) as session:
        events = session.scalars(select(AuditEvent).where(AuditEvent.tag == audit.Tag.KEYRING_ATTESTED)).all()
    assert [one.facts for one in events] == [{"sentence_sha256": said["sentence_sha256"]}]
    listed = run("keys", "attestations")
    assert listed.exit_code == 0
    assert "Ada Lovelace (Head of IT)" in listed.stdout
    for name in ("  ", "A" * 201, "Ada\x07"):
        refused = run("keys", "attest", "--name", name, "--yes")
        assert (refused.exit_code, "Nothing was noted" in refused.stderr) == (1, True), name
    assert len(attestations.given()) == 1


def test_a_certificate_has_the_newest_attestation_and_says_when_the_keys_lie_elsewhere_since(
    org: UUID, member: Member, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert issuing._keyring(1).attested is None
    attest()
    attest("--role", "CISO")
    erase(org, member.id)
    with transaction(org) as session:
        pdf = session.scalars(select(Certificate.pdf)).one()
    evidence = json.loads(pypdf.PdfReader(io.BytesIO(pdf)).attachments[EVIDENCE_NAME][0])
    said = evidence["certificate"]["keyring"]["attested"]
    assert (said["by"], said["role"], said["same_place"]) == ("Ada Lovelace", "CISO", True)
    assert said["sentence_sha256"] == attestations.digest(attestations.given()[0])
    assert verify_file(pdf, signing_keys().published_keys([log_origin("localhost", org)])).ok

    monkeypatch.setenv("HEADSHOTS_ESCROW_PATH", str(tmp_path / "escrow"))
    settings.cache_clear()
    moved = issuing._keyring(1).attested
    assert moved is not None
    assert not moved.same_place
    listed = run("keys", "attestations")
    assert (listed.exit_code, "another place" in listed.stderr) == (1, True)
