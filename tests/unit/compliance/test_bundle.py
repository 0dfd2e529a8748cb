"""The auditor's bundle: checked by its own verifier in a bare interpreter, which refuses whatever was changed."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pypdf
import pytest
from click.testing import CliRunner
from conftest import add_member, add_participation
from erasing import erase
from signed_logs import Execute, add_events, go_back_to
from sqlalchemy import select
from work import do_all_work

from compliance import consent, erasure
from compliance.bundle import making
from compliance.bundle.making import files
from compliance.consent.texts import notice
from compliance.log import sequencer
from compliance.reports.company import issuing
from compliance.reports.company.kinds import Report
from compliance.requests import desk
from compliance.requests.words import Words
from core import audit
from core.clock import now
from core.consent import Purpose
from core.db import transaction
from core.models import Channel, Checkpoint, Participation, Right
from core.settings import settings
from core.web.archive import stream
from deploy.cli import main

Change = Callable[[dict[str, bytes]], None]


def bundle_of(org: UUID) -> dict[str, bytes]:
    return dict(files(org))


def verified(content: dict[str, bytes], folder: Path, *kept: Path, own_keys: bool = False) -> tuple[int, str]:
    """Run the bundle's verifier with nothing but the standard library."""
    path = folder / "evidence.zip"
    path.write_bytes(b"".join(stream(content.items(), now())))
    (folder / "verify.py").write_bytes(content["verify.py"])
    (folder / "keys.json").write_bytes(content["keys.json"])
    keys = [] if own_keys else ["--keys", str(folder / "keys.json")]
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(folder / "verify.py"), str(path), *keys, *map(str, kept)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def full(org: UUID) -> UUID:
    """A company with entries, a consent, an erasure with both certificates, and several checkpoints."""
    member = add_member(org)
    row = add_participation(org, member)
    shown = notice(
        "gdpr",
        "en",
        company="Acme",
        processor=settings().operator_name,
        region=settings().storage_region,
        retention_days=30,
        headshot_days=30,
        leaver_days=90,
        latest=now().date(),
        today=now().date(),
    )
    with transaction(org) as session:
        consent.give(session, session.get_one(Participation, row.id), dict.fromkeys(Purpose, True), shown)
    add_events(org, 7)
    erase(org, member.id)
    erasure.turn_epoch()
    do_all_work()
    with transaction(org) as session:
        issuing.issue(session, Report.RETENTION, "en", actor=audit.SYSTEM)
    sequencer.sequence_all()
    return org


def test_the_verifier_is_short_and_uses_nothing_of_ours() -> None:
    text = (making.FOLDER / "verify.py.txt").read_text()
    assert len(text.splitlines()) < 200
    imported = {
        line.split()[1] for line in text.splitlines() if line.lstrip().startswith(("import ", "from "))
    }
    assert imported <= sys.stdlib_module_names


def test_all_of_it_is_verified_in_a_bare_interpreter(full: UUID, tmp_path: Path) -> None:
    content = bundle_of(full)
    code, said = verified(content, tmp_path)
    assert code == 0, said
    assert "ALL HOLDS\n" in said
    assert (
        "certificates, statements and reports: 3, their facts in the log; in the log without a file here: 0"
        in said
    )
    assert "agreed to and not here: 0" in said
    noted = len(checkpoints(content).splitlines())
    assert f"NOT checked here: {noted} (ML-DSA-44, which `headshots verify` checks, and witnesses)" in said
    with transaction(full) as session:
        first, *_, last = session.scalars(select(Checkpoint.note).order_by(Checkpoint.size))
    (tmp_path / "first").write_text(first)
    (tmp_path / "last").write_text(last)
    code, said = verified(content, tmp_path, tmp_path / "first", tmp_path / "last")
    assert (code, "earlier checkpoints of yours: 2 continued" in said) == (0, True), said
    code, said = verified(content, tmp_path, own_keys=True)
    assert (code, "compare the fingerprint" in said) == (0, True)


def entry_file(content: dict[str, bytes]) -> str:
    return next(name for name in content if name.startswith("entries/"))


def lines_of(content: dict[str, bytes]) -> list[bytes]:
    return content[entry_file(content)].splitlines(keepends=True)


def put(content: dict[str, bytes], lines: list[bytes]) -> None:
    content[entry_file(content)] = b"".join(lines)


def rewrite(content: dict[str, bytes]) -> None:
    lines = lines_of(content)
    put(content, [*lines[:3], lines[3].replace(b'"v":1', b'"v":2'), *lines[4:]])


def remove(content: dict[str, bytes]) -> None:
    lines = lines_of(content)
    put(content, [*lines[:3], *lines[4:]])


def swap(content: dict[str, bytes]) -> None:
    lines = lines_of(content)
    lines[2], lines[4] = lines[4], lines[2]
    put(content, lines)


def cut(content: dict[str, bytes]) -> None:
    put(content, lines_of(content)[:-1])


def hide_in_a_gap(content: dict[str, bytes]) -> None:
    """Remove the entries between two checkpoints, and say that a restore lost them."""
    sizes = [json.loads(line)["size"] for line in checkpoints(content).splitlines()]
    first, after = sizes[0], sizes[1]
    about = json.loads(content["bundle.json"])
    stack: list[tuple[int, bytes]] = []
    spoken: dict[str, object] = {}
    exec(content["verify.py"].partition(b"\ndef checkpoint")[0], spoken)
    for line in lines_of(content)[:after]:
        spoken["push"](stack, spoken["leaf"](line[:-1]))  # type: ignore[operator]
    import base64

    about["gaps"] = [
        {"first": first, "after": after, "peaks": [base64.b64encode(one).decode() for _, one in stack]}
    ]
    content["bundle.json"] = json.dumps(about).encode()
    lines = lines_of(content)
    put(content, [*lines[:first], *lines[after:]])


def checkpoints(content: dict[str, bytes]) -> bytes:
    return next(value for name, value in content.items() if name.startswith("checkpoints/"))


def other_root(content: dict[str, bytes]) -> None:
    name = next(name for name in content if name.startswith("checkpoints/"))
    lines = content[name].splitlines(keepends=True)
    one = json.loads(lines[0])
    rows = one["note"].split("\n")
    rows[2] = "A" * 43 + "="
    lines[0] = json.dumps({**one, "note": "\n".join(rows)}).encode() + b"\n"
    content[name] = b"".join(lines)


def other_certificate(content: dict[str, bytes]) -> None:
    one, other = (name for name in content if name.startswith("certificates/"))
    content[one] = content[other]


def other_text(content: dict[str, bytes]) -> None:
    name = next(name for name in content if name.startswith("consent-texts/"))
    content[name] = content[name].replace(b"photo", b"photq", 1)


@pytest.mark.parametrize(
    "change",
    [rewrite, remove, swap, cut, hide_in_a_gap, other_root, other_certificate, other_text],
    ids=lambda one: one.__name__,
)
def test_whatever_was_changed_is_refused(full: UUID, tmp_path: Path, change: Change) -> None:
    content = bundle_of(full)
    before = dict(content)
    change(content)
    assert content != before
    code, said = verified(content, tmp_path)
    assert (code, "DOES NOT HOLD" in said, "ALL HOLDS" in said) == (1, True, False), said


def test_a_fork_from_a_checkpoint_that_somebody_kept_is_told(
    org: UUID, tmp_path: Path, execute: Execute
) -> None:
    kept = add_events(org, 4)
    (tmp_path / "kept").write_text(kept.replace("\n5\n", "\n4\n"))
    code, said = verified(bundle_of(org), tmp_path, tmp_path / "kept")
    assert code == 1, said


def test_gaps_that_the_log_names_are_bridged(org: UUID, tmp_path: Path, execute: Execute) -> None:
    add_events(org, 4)
    add_events(org, 6)
    go_back_to(execute, 5)
    add_events(org, 3)
    code, said = verified(bundle_of(org), tmp_path)
    assert code == 0, said
    assert "1 gap(s)" in said


def test_parts_follow_each_other_and_the_first_comes_at_once(
    org: UUID, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "PART", 16)
    add_events(org, 99)
    add_events(org, 1)
    content = bundle_of(org)
    assert len([name for name in content if name.startswith("entries/")]) == 7
    code, said = verified(content, tmp_path)
    assert code == 0, said

    begun = time.perf_counter()
    parts: Iterator[bytes] = stream(files(org), now())
    next(parts)
    assert time.perf_counter() - begun < 1


def test_the_command_writes_the_same(full: UUID, tmp_path: Path) -> None:
    out = tmp_path / "out.zip"
    done = CliRunner().invoke(main, ["company", "evidence", "acme", "--out", str(out)])
    assert done.exit_code == 0, done.output
    with zipfile.ZipFile(io.BytesIO(out.read_bytes())) as archive:
        assert set(archive.namelist()) == set(bundle_of(full))
    assert CliRunner().invoke(main, ["company", "evidence", "acme", "--out", str(out)]).exit_code == 2


@pytest.mark.parametrize("status", ["pending", "complete"])
def test_the_verifier_reads_certificates_of_the_first_edition(status: str) -> None:
    """What they certify is hashed as it is in their log's entry."""
    spoken: dict[str, Any] = {}
    exec((making.FOLDER / "verify.py.txt").read_text().partition("\ndef main")[0], spoken)
    pdf = (Path(__file__).parent / "first" / f"{status}.pdf").read_bytes()
    number, facts = spoken["facts_in"](pdf)
    attached = dict(pypdf.PdfReader(io.BytesIO(pdf)).attachments)["evidence.json"][0]
    event = json.loads(json.loads(attached)["log"]["event"])
    assert event["facts"]["certificate_id"] == number
    assert event["facts"]["certificate_sha256"] == hashlib.sha256(facts).hexdigest()


def test_the_register_of_requests_names_nobody_and_leads_into_the_log(full: UUID) -> None:
    grace = add_member(full, "Grace")
    with transaction(full) as session:
        desk.open_for(
            session,
            Right.ACCESS,
            Channel.HR,
            member=session.merge(grace),
            asked=Words(text="All of it, please, says Grace."),
            language="en",
            actor=audit.SYSTEM,
        )
    sequencer.sequence_all()
    content = bundle_of(full)
    register = b"".join(found for name, found in content.items() if name.startswith("requests/"))
    assert b"Grace" not in register
    assert str(grace.id).encode() not in register
    (line,) = [one for one in map(json.loads, register.splitlines()) if one["type"] == Right.ACCESS]
    assert (line["state"], line["channel"], line["decided_at"]) == ("received", "hr", None)
    entries = [json.loads(one) for one in lines_of(content)]
    assert {entries[place]["tag"] for place in line["entries"]} == {audit.Tag.REQUEST_RECEIVED}
