"""A person's report: everything of theirs that the map knows is in it, and nothing of anybody else's."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

import pypdf
import pytest
from conftest import add_member, add_shoot
from sealing import put
from sqlalchemy import LargeBinary, String, inspect
from sqlalchemy.orm import Session
from stage import Stage, build

from compliance.consent.texts import notice
from compliance.reports import held, making, page
from compliance.reports.document import Document, Section, Table
from compliance.reports.manifest import Sent
from compliance.reports.wording import LANGUAGES, Wording
from compliance.requests import desk, export
from compliance.requests import words as request_words
from core import audit, personal
from core.checks.report import GateName
from core.checks.verdict import Measures
from core.clock import now
from core.consent import Purpose
from core.db import transaction
from core.ids import new_id
from core.models import (
    Adapter,
    Alternative,
    Arrival,
    Consent,
    Kind,
    Member,
    Organization,
    Photo,
    Right,
    ShownNotice,
    State,
)
from core.models.sealed import SealedRow
from core.people import organizations
from core.personal import Personal
from core.settings import settings
from workers.engines import FaceDetail

# Columns of bytes that the map calls personal, and what reads them.
READ: Final = {
    ("consents", "signed"): "compliance.consent.signature_of",
    ("members", "sealed"): "the names in `directory`",
    ("subject_requests", "sealed"): "compliance.requests.words",
    ("web_sessions", "device_sha256"): "itself",
}


def _marked(stage: Stage, letter: str) -> list[str]:
    """Write a word of its own into everything that is somebody's, and return these words."""
    with transaction(stage.org) as session:
        member = stage.member(session)
        model = put(
            session, b"weights", kind=Kind.ADAPTER, media_type="application/x-lora", member_id=member.id
        )
        session.add(
            Adapter(
                id=new_id(), org_id=stage.org, kind="person", member_id=member.id,
                participation_id=stage.participation_id, artifact_id=model.id, base="klein", revision="r" * 40,
                rank=8, steps=100, seed=2**60, photos=[], seconds=1.0,
            )
        )  # fmt: skip
        session.add(
            Arrival(
                id=new_id(), org_id=stage.org, participation_id=stage.participation_id, member_id=member.id,
                upload_key="k", pieces=[], received=1,
            )
        )  # fmt: skip
        asked = desk.record_done(session, member, Right.ACCESS)
        request_words.put(asked, request_words.Words(text=f"{letter}-asked"))
        session.flush()
        words = [f"{letter}-asked"]
        for number, (row, name) in enumerate(_places(session, member)):
            word = f"{letter}{number:02d}x"
            words.append(_write(row, name, word))
        session.flush()
        return [word for word in words if word]


def _places(session: Session, member: Member) -> Iterator[tuple[Any, str]]:
    for model in held.tables():
        own = model.id if model is Member else model.member_id  # type: ignore[attr-defined]
        for row in session.query(model).where(own == member.id):
            for attribute in inspect(model).column_attrs:
                column = attribute.columns[0]
                said = personal.declared(column)  # type: ignore[arg-type]
                if (
                    isinstance(said, Personal)
                    and not attribute.key.startswith("plain_")
                    and column.computed is None
                    and isinstance(column.type, String)
                ):
                    yield row, attribute.key
            if isinstance(row, SealedRow):
                yield from ((row, one.name) for one in type(row).sealed_values())


def _write(row: Any, name: str, word: str) -> str:
    before = getattr(row, name)
    if name in ("rejected_code", "returned_code", "alternative", "language", "category"):
        return ""  # of a closed set; its own tests have it
    if name == "verdict":
        row.verdict = {"accepted": True, "issues": [{"code": word, "advice": f"said {word}"}], "measures": {}}
    elif name == "gates":
        row.gates = {"gates": {}, "notes": [word]}
    elif name == "curve":
        row.curve = [{"step": word, "distance": 0.5}]
    elif name in ("subject_x", "subject_y"):
        setattr(row, name, 0.125)
        return ""
    elif before is None or isinstance(before, str):
        setattr(row, name, word)
    return word


def _whole(stage: Stage, language: str = "en") -> tuple[str, str]:
    """Return what goes out in words, and for programs."""
    with transaction(stage.org) as session:
        plan = export.plan(session, stage.member(session), language)
    return "\n".join(plan.report.words()), plan.records.decode()


@pytest.fixture
def people(org: UUID) -> tuple[Stage, Stage]:
    """Two people with everything, in one shoot."""
    shoot = add_shoot(org)
    return build(org, shoot, State.READY), build(org, shoot, State.READY)


def test_everything_of_ones_own_is_in_it_and_nothing_of_the_others(people: tuple[Stage, Stage]) -> None:
    ada, bob = people
    own, others = _marked(ada, "q"), _marked(bob, "z")
    said, records = _whole(ada)
    assert len(own) > 15
    assert [word for word in own if word not in said] == [], "every value stands in the report in words"
    assert [word for word in own if word not in records] == [], "and in the records"
    assert [word for word in others if word in said or word in records] == []
    assert str(bob.member_id) not in records


def test_no_column_of_bytes_is_personal_and_read_by_nothing() -> None:
    """A new sealed column has to be opened for its person, or this fails."""
    unread = [
        (model.__tablename__, column.name)
        for model in held.tables()
        for mapped in inspect(model).tables
        for column in mapped.columns
        if isinstance(personal.declared(column), Personal)
        and isinstance(column.type, LargeBinary)
        and not (issubclass(model, SealedRow) and column.name == "sealed")
        and (mapped.name, column.name) not in READ
    ]
    assert not unread


def test_who_did_it_is_a_role_and_never_a_name(people: tuple[Stage, Stage]) -> None:
    ada, bob = people
    grace = add_member(ada.org, "Grace", role="hr_admin")
    with transaction(ada.org) as session:
        for at in (ada, bob):
            audit.record(
                session,
                audit.Tag.HEADSHOT_HANDED,
                actor=audit.actor_for(grace),
                subject=at.member(session),
                participation=str(at.participation_id),
                headshot=True,
            )
    said, records = _whole(ada)
    assert "Grace" not in said + records
    assert "grace@" not in said + records
    assert "somebody in the role “HR”" in said
    assert said.count("your headshot, downloaded") == 1
    with transaction(ada.org) as session:
        hers = export.plan(session, session.get_one(Member, grace.id), "en")
    told = "\n".join(hers.report.words())
    assert "The company downloaded a copy of your picture\n2" in told, (
        "how often she did something, and to whom not"
    )
    assert str(ada.member_id) not in told + hers.records.decode()


def test_of_two_people_on_a_photo_only_ones_own_face_is_told(people: tuple[Stage, Stage]) -> None:
    ada, _ = people
    faces = [
        {"left": 0.6, "top": 0.2, "width": 0.2, "height": 0.4},
        {"left": 0.1234567, "top": 0.3, "width": 0.1, "height": 0.2},
    ]
    with transaction(ada.org) as session:
        photo = ada.photo(session)
        photo.verdict = {"accepted": True, "issues": [], "measures": {}, "faces": faces}
        photo.subject_x, photo.subject_y = 0.7, 0.4
    said, records = _whole(ada)
    assert "0.1234567" not in records
    assert '"number_of_faces": 2' in records
    assert "Faces on it\n2" in said
    with transaction(ada.org) as session:
        ada.photo(session).subject_x = None
    assert '"left"' not in _whole(ada)[1], "nobody has said which one is theirs"


def test_a_text_is_shown_as_it_was_read_or_said_to_be_lost(people: tuple[Stage, Stage]) -> None:
    ada, _ = people
    with transaction(ada.org) as session:
        company = organizations.current(session)
        shown = notice(
            "gdpr", "de", company=company.name, processor=settings().operator_name,
            region=settings().storage_region, retention_days=company.retention_days,
            headshot_days=company.headshot_days, leaver_days=company.leaver_days, latest=now().date(),
            today=now().date(), engine="studio",
        )  # fmt: skip
        text = shown.purposes[Purpose.PHOTO]
        session.add(
            Consent(
                id=new_id(), org_id=ada.org, member_id=ada.member_id, participation_id=ada.participation_id,
                purpose=Purpose.PHOTO, granted=True, regime="gdpr", language="de", text_version=shown.version,
                text_sha256=text.sha256, notice_sha256=shown.sha256,
            )
        )  # fmt: skip
        session.add(ShownNotice(org_id=ada.org, sha256=shown.sha256, content=shown.content.decode()))
    said, _ = _whole(ada)
    assert text.what in said
    assert shown.promises[0] in said
    assert text.sha256 in said
    assert said.count("cannot be made again here") == len(Purpose), "those of the stage have no text"
    with transaction(ada.org) as session:
        organizations.current(session).name = "Otherwise"
    assert text.what in _whole(ada)[0], "it stays as it was read, whatever the company is called since"


def test_california_has_biometrics_described_and_not_handed_over(people: tuple[Stage, Stage]) -> None:
    ada, _ = people
    with transaction(ada.org) as session:
        photo = session.get_one(Photo, ada.photo_ids[1])
        photo.verdict = {"accepted": True, "issues": [], "measures": {}, "phash": "feedface00"}
        before = export.plan(session, ada.member(session))
        session.get_one(Organization, ada.org).regime = "ccpa"
        after = export.plan(session, ada.member(session))
    assert any(file.name.startswith("likeness/") for file in before.files)
    assert b"feedface00" in before.records
    assert not any(file.name.startswith("likeness/") for file in after.files)
    told = "\n".join(after.report.words())
    assert b"feedface00" not in after.records
    assert "feedface00" not in told
    assert "Numbers that stand for your face\n2 held" in told
    for letter in "ABCDEFGHIJKL":
        assert f"({letter}) " in told, (
            "each letter of the statute is found, or said to be collected of nobody"
        )
    assert "Art. 15" not in told


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_emptiest_person_gets_a_report_that_a_reader_can_read_out(org: UUID, language: str) -> None:
    nobody = add_member(org, "Zoë")
    with transaction(org) as session:
        plan = export.plan(session, session.get_one(Member, nobody.id), language)
    report = making.finished(plan.report, [Sent("data.json", 12, "0" * 64)], plan.regime)
    assert report.language == language
    file = pypdf.PdfReader(io.BytesIO(page.pdf(report)))
    root: Any = file.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == language
    order = [name for name in _structure(root["/StructTreeRoot"]) if name in ("/H1", "/H2", "/Table")]
    assert order[0] == "/H1"
    assert order.count("/H2") == len(report.sections) + 1
    assert "Zoë" in file.pages[0].extract_text()
    assert json.loads(page.unsigned(report).pdf and report.content())["sections"][-1]["id"] == "manifest"


def _structure(node: Any) -> Iterator[str]:
    """Yield the roles of a tagged file in reading order."""
    node = node.get_object()
    if isinstance(node, list):
        for one in node:
            yield from _structure(one)
    elif isinstance(node, dict):
        if "/S" in node:
            yield node["/S"]
        if "/K" in node:
            yield from _structure(node["/K"])


def test_a_letter_without_a_font_stands_as_its_number() -> None:
    section = Section("one", "Name", tables=(Table(("a",), (("\U0010ffff",),)),))
    html = page.html(Document("f/1", "1", "en", now(), "T", "S", "Acme", (section,)))
    assert "[U+10FFFF]" in html
    assert "Unicode number" in html


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_measure_gate_event_and_answer_has_words(language: str) -> None:
    say = Wording(language, "access")
    tables = {
        "measure": Measures.model_fields,
        "gate": GateName,
        "note": FaceDetail,
        "event": {tag.value for tag in audit.Tag} - audit.ABOUT_NOBODY,
        "purpose": Purpose,
        "state": State,
        "alternative": Alternative,
        "right": Right,
        "kind": {kind for kind in Kind if kind not in (Kind.LOGO, Kind.BACKDROP, Kind.STYLE_PICTURE)},
    }
    missing = [
        (name, str(one)) for name, codes in tables.items() for one in codes if str(one) not in say.table(name)
    ]
    assert missing == []


def test_both_languages_say_the_same_things() -> None:
    def shape(words: Any) -> Any:
        if isinstance(words, dict):
            return {name: shape(value) for name, value in words.items()}
        return len(words) if isinstance(words, list) else str

    one, other = (Wording(language, "access").table for language in LANGUAGES)
    for name in ("about", "event", "photos", "ends", "consents", "recipients", "glossary", "rights"):
        assert shape(one(name)) == shape(other(name)), name
