"""A company leaves: it gets back what is its, nothing of its people is left anywhere, and that is certified."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from conftest import add_member, add_participation
from PIL import Image
from portraits_made import add_headshot
from sqlalchemy import select
from work import do_all_work

from compliance import closing, erasure
from compliance.evidence import published_keys
from compliance.verify import Kind as Checked
from compliance.verify import verify_file
from core import audit
from core.brand import brands
from core.clock import now
from core.db import transaction
from core.errors import InvalidInput
from core.ids import new_id
from core.models import (
    Artifact,
    Erasure,
    Member,
    OpendsrController,
    Recall,
    SamlConnectionRow,
    Shoot,
    State,
)
from core.people import members, organizations
from core.vault import vault
from deploy.closing import close


def png() -> bytes:
    target = io.BytesIO()
    Image.fromarray(np.full((1024, 1024, 3), 128, np.uint8)).save(target, "PNG")
    return target.getvalue()


def test_a_company_that_leaves_gets_its_data_and_a_proof_of_its_end(org: UUID, tmp_path: Path) -> None:
    ada, bob = add_member(org, "Ada"), add_member(org, "=Bob")
    add_headshot(org, ada, State.APPROVED, png())
    add_participation(org, bob, State.INVITED)
    other = organizations.create("globex", "Globex")
    stays = add_member(other, "Gil")
    logo = brands.seal_logo(org, png())
    with transaction(org) as session:
        brands.replace_logo(session, logo, actor=audit.SYSTEM)
    out = tmp_path / "leaving"

    with pytest.raises(InvalidInput):
        list(close("acme", "acme", out, export=True))
    assert not out.exists(), "another name closes nothing"

    told = "\n".join(close("acme", "Acme", out, export=True))
    assert "run this again" in told
    assert out.stat().st_mode & 0o077 == 0, "names and pictures of everybody are no other account's to read"
    assert not (out / "closing.note").exists(), "nothing is certified before it is so"
    people = list(csv.DictReader(io.StringIO((out / "people.csv").read_text("utf-8-sig"))))
    assert [one["first_name"] for one in people] == ["Ada", "'=Bob"]
    archives = sorted(out.glob("*.zip"))
    assert len(archives) == 1
    names = zipfile.ZipFile(archives[0]).namelist()
    assert len(names) == 2
    assert names[0].endswith(".jpg")
    assert names[1] == "manifest.csv"

    do_all_work()
    with transaction(org) as session:
        found = closing.standing(session)
        assert (found.people, found.living, found.objects, found.key, found.over) == (2, 0, 0, False, False)
        assert {one.reason for one in session.scalars(select(Erasure))} == {"company_closed"}
    assert closing.still_stored(org) == 0
    before = (out / "people.csv").read_bytes()
    list(close("acme", "Acme", out, export=True))
    assert (out / "people.csv").read_bytes() == before, "who was erased does not empty what was given back"

    erasure.turn_epoch()
    erasure.settle_all()
    do_all_work()
    told = "\n".join(close("acme", "Acme", out, export=True))
    assert "Certified" in told
    note = (out / "closing.note").read_bytes()
    checked = verify_file(note, published_keys(org))
    assert (checked.ok, checked.kind, checked.status) == (True, Checked.CLOSING, "CLOSED")
    body = json.loads(note.decode().partition("\n\n")[0])
    assert (body["people"], len(body["certificates"]), body["objects_left"]) == (2, 2, 0)
    evidence = zipfile.ZipFile(out / "evidence.zip")
    assert sum(name.startswith("certificates/") for name in evidence.namelist()) == 4  # PENDING and COMPLETE
    for changed in (
        note.replace(b'"people": 2', b'"people": 3'),
        note.replace(b'"objects_left": 0', b'"objects_left": 7'),
    ):
        assert not verify_file(changed, published_keys(org)).ok
    assert not verify_file(note, published_keys(other)).ok
    with transaction(other) as session:
        assert session.get_one(Member, stays.id).first_name == "Gil"
        assert vault().keys.exists(other)


def test_nothing_is_certified_while_an_object_was_not_seen_gone(org: UUID, tmp_path: Path) -> None:
    add_headshot(org, add_member(org, "Ada"), State.APPROVED, png())
    list(close("acme", "Acme", tmp_path / "out", export=False))
    do_all_work()
    erasure.turn_epoch()
    erasure.settle_all()
    do_all_work()
    with transaction(org) as session:
        artifact = session.scalars(select(Artifact).limit(1)).one()
        artifact.destroyed_at, gone = None, artifact.destroyed_at
    assert closing.certify(org) is None
    with transaction(org) as session:
        session.get_one(Artifact, artifact.id).destroyed_at = gone
    vault().store.put(artifact.object_name, b"a storage that brought it back")
    assert closing.certify(org) is None
    vault().store.delete(artifact.object_name)
    assert closing.certify(org) is not None


def gone(org: UUID, out: Path) -> None:
    list(close("acme", "Acme", out, export=False))
    do_all_work()
    erasure.turn_epoch()
    erasure.settle_all()
    do_all_work()


def test_nobody_joins_a_company_that_has_left(org: UUID, tmp_path: Path) -> None:
    """An import, a sign-in that was under way, a provider that a restored backup trusts again: all add people here."""
    add_member(org, "Ada")
    gone(org, tmp_path / "out")
    for tag in (audit.Tag.MEMBER_IMPORTED, audit.Tag.MEMBER_PROVISIONED):
        with pytest.raises(members.CompanyLeft), transaction(org) as session:
            members.add(
                session, [members.NewMember("eve@acme.example", "Eve", "Late")], actor=audit.SYSTEM, tag=tag
            )
    list(close("acme", "Acme", tmp_path / "out", export=False))
    assert (tmp_path / "out" / "closing.note").exists()


def test_what_a_restored_backup_opens_again_is_closed_before_the_end_is_certified(
    org: UUID, tmp_path: Path
) -> None:
    part = add_participation(org, add_member(org, "Ada"), State.INVITED)
    gone(org, tmp_path / "out")
    with transaction(org) as session:
        session.get_one(Shoot, part.shoot_id).closed_at = None
        session.add(
            SamlConnectionRow(
                id=new_id(),
                org_id=org,
                idp_entity_id="https://idp.example",
                idp_sso_url="https://idp.example/sso",
                idp_certificates=[],
                attributes={},
                admin_groups=[],
            )
        )
        session.add(OpendsrController(org_id=org, domain="privacy.example", certificate=""))
    assert closing.certify(org) is None
    list(close("acme", "Acme", tmp_path / "again", export=False))
    with transaction(org) as session:
        assert session.scalars(select(SamlConnectionRow)).all() == []
        assert session.scalars(select(OpendsrController)).all() == []
        assert session.get_one(Shoot, part.shoot_id).closed_at is not None
    assert (tmp_path / "again" / "closing.note").exists()


def test_no_name_of_a_file_outlives_the_company(org: UUID, tmp_path: Path) -> None:
    """What it is given back counts as handed out, and with it the names of whom to look for; nobody can read that page any more."""
    ada = add_member(org, "Ada")
    add_headshot(org, ada, State.APPROVED, png())
    list(close("acme", "Acme", tmp_path / "out", export=True))
    with transaction(org) as session:
        asked = session.scalars(select(Recall)).one()
        assert (asked.sealed, asked.ended_at is None) == (None, False)
        assert asked.ends_at <= now()
    assert not vault().keys.exists(asked.id)
    gone(org, tmp_path / "out")
    with transaction(org) as session:
        session.get_one(Recall, asked.id).ended_at = None
    assert closing.certify(org) is None, "a backup brought it back"
    list(close("acme", "Acme", tmp_path / "out", export=True))
    assert (tmp_path / "out" / "closing.note").exists()
