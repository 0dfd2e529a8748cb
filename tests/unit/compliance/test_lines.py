"""A line of a certificate passes because its places were read, and never without that."""

from __future__ import annotations

import ast
import dataclasses
import io
import json
import shutil
from pathlib import Path
from typing import Any
from uuid import UUID

import pypdf
import pytest
from conftest import add_member, add_participation
from erasing import erase
from sealing import put
from sqlalchemy import create_engine, select, text, update
from work import do_all_work

from compliance import erasure
from compliance.certificate import facts, lines
from compliance.certificate.facts import Check, Verification, Where
from compliance.certificate.parts import VerificationFailed
from compliance.certificate.readback import ReadBack
from core import personal
from core.clock import now
from core.db import transaction
from core.ids import new_id
from core.models import (
    Artifact,
    Base,
    Certificate,
    Erasure,
    Kind,
    Member,
    Outbox,
    Participation,
    Photo,
    State,
)
from core.settings import settings
from core.vault import vault

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def facts_of(org: UUID) -> dict[str, dict[str, Any]]:
    """The certified facts by status."""
    with transaction(org) as session:
        pdfs = {row.status: row.pdf for row in session.scalars(select(Certificate))}
    found = {}
    for status, pdf in pdfs.items():
        evidence = dict(pypdf.PdfReader(io.BytesIO(pdf)).attachments)["evidence.json"][0]
        found[status] = json.loads(evidence)["certificate"]
    return found


def by_category(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f"{one['where']}/{one['category']}": one for one in body["locations"]}


def try_again(org: UUID) -> None:
    with transaction(org) as session:
        session.execute(update(Outbox).values(not_before=now()))
    do_all_work()


@pytest.fixture
def photo_id(org: UUID, member: Member) -> UUID:
    """A photo that came, was cleaned and has a preview: three files of one photo."""
    part = add_participation(org, member, State.READY)
    with transaction(org) as session:
        kinds = (Kind.PHOTO, Kind.PHOTO, Kind.PREVIEW)
        files = [
            put(session, b"face", kind=one, media_type="image/jpeg", member_id=member.id) for one in kinds
        ]
        photo = Photo(
            id=new_id(),
            org_id=org,
            participation_id=session.get_one(Participation, part.id).id,
            member_id=member.id,
            artifact_id=files[1].id,
            preview_id=files[2].id,
            upload_key="one",
        )
        session.add(photo)
        return photo.id


def test_to_have_a_reading_is_to_have_looked() -> None:
    looked: list[tuple[str, ...]] = []

    def look(places: tuple[str, ...]) -> list[str]:
        looked.append(places)
        return ["b"]

    found = ReadBack(Check.NOT_FOUND, ["a", "b"], look)
    assert looked == [("a", "b")]
    assert (found.left, found.verification.read, found.verification.left) == (("b",), 2, 1)
    assert not found.verification.ok
    with pytest.raises(ValueError, match="nothing was looked at"):
        ReadBack(Check.NOT_FOUND, [], lambda _: ())
    with pytest.raises(ValueError, match="answered of others"):
        ReadBack(Check.NOT_FOUND, ["a"], lambda _: ["c"])
    with pytest.raises((TypeError, ValueError)):
        dataclasses.replace(found, left=())
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.left = ()  # type: ignore[misc]


def test_that_something_is_well_is_no_value_that_anybody_can_write() -> None:
    assert "ok" not in Verification.model_fields
    made = {
        file.name
        for file in Path(facts.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Verification"
    }
    assert made == {"readback.py"}


def test_every_place_of_the_map_has_its_line_and_a_photo_counts_once(
    org: UUID, member: Member, photo_id: UUID
) -> None:
    with transaction(org) as session:
        names = {lines.place(one.object_name) for one in session.scalars(select(Artifact))}
    erase(org, member.id)
    body = facts_of(org)["PENDING"]
    found = by_category(body)
    assert set(found["objects/photo"]["places"]) | set(found["objects/preview"]["places"]) == names
    assert (found["objects/photo"]["count"], len(found["objects/photo"]["places"])) == (1, 2)
    assert body["pictures"]["count"] == 1
    for table in lines.tables():
        columns = {
            f"{table.name}.{one.name}"
            for one in table.columns
            if isinstance(personal.declared(one), personal.Personal)
        }
        assert set(found[f"database/{table.name}"]["places"]) == columns
    assert found["key_store/key"]["verification"]["read"] == 1
    assert len(found["key_store/file_keys"]["places"]) == 3
    assert str(member.id) not in json.dumps(body)
    kept = {one["what"]: one["count"] for one in body["retained"]}
    assert kept["members"] == kept["photos"] == kept["participations"] == kept["erasure_ledger"] == 1
    assert kept["artifacts"] == 3
    assert {"audit_events", "erasures", "outbox", "kept_certificates"} <= set(kept)


def test_what_is_kept_is_what_the_tables_have(org: UUID, member: Member, photo_id: UUID) -> None:
    """Whatever table names the person, or their request, by a number: it is counted."""
    erase(org, member.id)
    kept = {one["what"]: one["count"] for one in facts_of(org)["PENDING"]["retained"]}
    with transaction(org) as session:
        request_id = session.scalars(select(Erasure.id)).one()
        for table in Base.metadata.tables:
            numbers = f"%{member.id}%", f"%{request_id}%"
            rows = session.execute(
                text(f"SELECT count(*) FROM {table} t WHERE t::text LIKE :one OR t::text LIKE :other"),
                {"one": numbers[0], "other": numbers[1]},
            ).scalar_one()
            if rows:
                assert kept.get(table, 0), f"{table} has {rows} row(s) and is not named"


def test_a_file_that_the_storage_has_again_is_removed_and_read_again_before_the_final_certificate(
    org: UUID, member: Member, photo_id: UUID, tmp_path: Path
) -> None:
    folder = Path(settings().storage_url.removeprefix("file://"))
    saved = tmp_path / "backup"
    shutil.copytree(folder, saved)
    erase(org, member.id)
    shutil.copytree(saved, folder, dirs_exist_ok=True)
    with transaction(org) as session:
        names = list(session.scalars(select(Artifact.object_name)))
    assert all(map(vault().store.exists, names))
    erasure.turn_epoch()
    do_all_work()
    assert not any(map(vault().store.exists, names))
    checked = by_category(facts_of(org)["COMPLETE"])["objects/photo"]["verification"]
    assert (checked["read"], checked["left"]) == (2, 0)


def test_a_storage_that_lies_later_gets_no_final_certificate(
    org: UUID, member: Member, photo_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    erase(org, member.id)
    monkeypatch.setattr(vault().store, "exists", lambda _name: True)
    monkeypatch.setattr(vault().store, "delete", lambda _name: None)
    erasure.turn_epoch()
    do_all_work()
    assert list(facts_of(org)) == ["PENDING"]
    monkeypatch.undo()
    try_again(org)
    assert sorted(facts_of(org)) == ["COMPLETE", "PENDING"]


def test_a_name_written_back_after_the_first_certificate_is_not_in_the_second(
    org: UUID, member: Member, photo_id: UUID
) -> None:
    """What the first certificate read is no reading for the second."""
    erase(org, member.id)
    with transaction(org) as session:
        session.execute(update(Member).where(Member.id == member.id).values(first_name="Ada"))
    erasure.turn_epoch()
    do_all_work()
    with transaction(org) as session:
        assert session.get_one(Member, member.id).first_name is None
    first, second = (facts_of(org)[one] for one in ("PENDING", "COMPLETE"))
    assert second["locations"][0]["verification"]["at"] >= first["locations"][0]["verification"]["at"]
    # What was written back lay in no backup: the directory is in none.
    assert (first["directory"]["status"], second["directory"]["status"]) == ("PENDING", "COMPLETE")
    assert second["directory"]["backups_until"] == second["epoch"]["destroyed_at"]


def test_a_row_that_cannot_be_emptied_gets_no_final_certificate(
    org: UUID, member: Member, photo_id: UUID, environment: dict[str, str]
) -> None:
    erase(org, member.id)
    owner = create_engine(environment["HEADSHOTS_DATABASE_OWNER_URL"])
    with owner.begin() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION back() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN NEW.first_name := 'Ada'; RETURN NEW; END $$"
            )
        )
        connection.execute(
            text("CREATE TRIGGER back BEFORE UPDATE ON directory FOR EACH ROW EXECUTE FUNCTION back()")
        )
    owner.dispose()
    with transaction(org) as session:
        session.execute(update(Member).where(Member.id == member.id).values(first_name="Ada"))
    erasure.turn_epoch()
    do_all_work()
    assert list(facts_of(org)) == ["PENDING"]


def test_a_place_that_nobody_looked_into_stops_the_certificate(
    org: UUID, member: Member, photo_id: UUID
) -> None:
    erase(org, member.id)
    with transaction(org) as session:
        stored = lines.stored(session, member.id)
    looked = lines.look_for(stored)
    del stored[Kind.PREVIEW]
    fewer = lines.look_for(stored)
    with transaction(org) as session:
        record = session.scalars(select(Erasure)).one()
        read = lines.read(session, record, looked)
        for one in read:
            others = [other for other in read if other is not one]
            with pytest.raises(VerificationFailed) as refused:
                lines.demand(session, member.id, others)
            assert refused.value.details["locations"]
            there = one.model_copy(update={"verification": one.verification.model_copy(update={"left": 1})})
            with pytest.raises(VerificationFailed):
                lines.demand(session, member.id, [there, *others])
        with pytest.raises(VerificationFailed, match="not read again"):
            lines.read(session, record, fewer)


def test_somebody_without_a_picture_is_certified_as_such(org: UUID) -> None:
    other = add_member(org, "Grace")
    erase(org, other.id)
    body = facts_of(org)["PENDING"]
    assert body["pictures"] == {
        "status": "NONE_HELD",
        "count": 0,
        "unreadable_since": None,
        "backups_until": None,
    }
    assert body["directory"]["status"] == "PENDING"
    assert {one["where"] for one in body["locations"]} == {Where.KEYS.value, Where.DATABASE.value}
