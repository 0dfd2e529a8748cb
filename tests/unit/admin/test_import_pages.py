"""Importing people through the pages."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from conftest import add_member, add_shoot
from lxml import html
from sealing import got
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from work import do_jobs

from compliance import retention
from core.clock import now
from core.db import Lookup, transaction
from core.errors import Unavailable
from core.models import Artifact, AuditEvent, Invite, Kind, Member, Outbox, Participation, RosterImport, State
from core.queue import JobName, redis_client
from core.shoots import commits, import_results, imports, participations
from core.vault import Held, vault

HEADER = "email,first name,last name,employee id,department,language\n"
GOOD = "grace@acme.example,Grace,Hopper,E1,Navy,en\nemmy@acme.example,Emmy,Noether,E2,Algebra,de\n"
BAD = 'nobody@,No,Body,E3,,\nx@acme.example,"=1+1",X,E4,,\n'


@pytest.fixture
def shoot(org: UUID) -> UUID:
    return add_shoot(org).id


def upload(browser: Any, shoot: UUID, text: str) -> dict[str, Any]:
    answer = browser.post(
        f"/admin/shoots/{shoot}/import", {"roster": (io.BytesIO(text.encode()), "roster.csv")}
    )
    assert answer.status_code == 200, answer.text
    return answer.json


def confirm(browser: Any, shoot: UUID, import_id: str, **said: str) -> Any:
    return browser.post(f"/admin/shoots/{shoot}/import/commit", {"import": import_id, **said})


def commit(browser: Any, shoot: UUID, import_id: str, **said: str) -> Any:
    """Confirm a list and have a worker import it; return what the page then says, or why it was refused."""
    answer = confirm(browser, shoot, import_id, **said)
    if answer.status_code != 200:
        return answer
    do_jobs(Lookup.organizations()[0], JobName.IMPORT_ROSTER)
    return browser.get(answer.json["next"], headers={"Accept": "application/json"})


def said_in(form: Any) -> dict[str, str]:
    return {name: value for name, value in form.fields.items() if name not in ("csrf_token", "import")}


def count(org: UUID, thing: Any, *where: Any) -> int:
    with transaction(org) as session:
        return session.scalar(select(func.count()).select_from(thing).where(*where)) or 0


def test_a_dry_run_judges_every_row_and_invites_nobody(org: UUID, shoot: UUID, browser: Any) -> None:
    run = upload(browser, shoot, HEADER + GOOD + BAD)
    assert run["counts"] == {"ok": 2, "warning": 0, "skipped": 0, "rejected": 2}
    page = browser.get(f"/admin/shoots/{shoot}/import/{run['import']}").text
    assert "Grace" in page
    assert "This is not a complete email address." in page
    assert count(org, Participation) == 0
    assert count(org, Outbox, Outbox.job == JobName.INVITE_MAIL) == 0


def test_a_commit_invites_the_good_rows_and_offers_the_bad_ones_with_reasons(
    org: UUID, shoot: UUID, browser: Any
) -> None:
    run = upload(browser, shoot, HEADER + GOOD + BAD)
    done = commit(browser, shoot, run["import"]).json
    assert (done["invited"], done["rejected"]) == (2, 2)
    assert count(org, Participation, Participation.state == State.INVITED) == 2
    assert count(org, Invite, Invite.revoked_at.is_(None)) == 2
    assert count(org, Outbox, Outbox.job == JobName.INVITE_MAIL) == 2
    with transaction(org) as session:
        emmy = session.scalars(select(Member).where(Member.email == "emmy@acme.example")).one()
        assert (emmy.last_name, emmy.employee_id, emmy.department, emmy.language) == (
            "Noether",
            "E2",
            "Algebra",
            "de",
        )
        tags = set(session.scalars(select(AuditEvent.tag)))
    assert {"member.imported", "invite.created", "roster.imported"} <= tags
    refused = browser.get(done["rejected_url"])
    assert refused.headers["Content-Disposition"] == "attachment; filename=not-imported.csv"
    assert "This is not a complete email address." in refused.text
    assert "'=1+1" in refused.text
    assert "Grace" not in refused.text


def test_a_file_is_committed_once_however_often_the_button_is_pressed(
    org: UUID, shoot: UUID, browser: Any
) -> None:
    run = upload(browser, shoot, HEADER + GOOD)
    first, second = (confirm(browser, shoot, run["import"]) for _ in range(2))
    assert first.json == second.json
    assert count(org, Outbox, Outbox.job == JobName.IMPORT_ROSTER) == 1
    done = commit(browser, shoot, run["import"])
    assert (done.status_code, done.json["invited"]) == (200, 2)
    assert commit(browser, shoot, run["import"]).json == done.json
    assert count(org, Invite) == 2


def test_going_back_to_a_list_that_was_confirmed_leads_to_what_came_of_it(
    org: UUID, shoot: UUID, browser: Any
) -> None:
    run = upload(browser, shoot, HEADER + GOOD)
    confirm(browser, shoot, run["import"])
    page = browser.get(f"/admin/shoots/{shoot}/import/{run['import']}")
    assert page.status_code == 303
    waiting = browser.get(page.headers["Location"]).text
    assert "0 of 2 rows are done" in waiting
    assert "A list is being imported." in browser.get(f"/admin/shoots/{shoot}").text
    do_jobs(org, JobName.IMPORT_ROSTER)
    assert "2 people are being invited." in browser.get(page.headers["Location"]).text
    assert "A list is being imported." not in browser.get(f"/admin/shoots/{shoot}").text


def test_every_row_is_told_its_result(org: UUID, shoot: UUID, browser: Any) -> None:
    commit(browser, shoot, upload(browser, shoot, HEADER + GOOD.splitlines(keepends=True)[0])["import"])
    done = commit(browser, shoot, upload(browser, shoot, HEADER + GOOD + BAD)["import"]).json
    assert (done["invited"], done["skipped"], done["rejected"]) == (1, 1, 2)
    rows = list(csv.DictReader(io.StringIO(browser.get(done["results_url"]).text.removeprefix("\ufeff"))))
    assert [(row["line"], row["result"]) for row in rows] == [
        ("2", "already there"),
        ("3", "invited"),
        ("4", "refused"),
        ("5", "refused"),
    ]
    assert rows[2]["reason"] == "This is not a complete email address."


def test_a_list_that_waits_for_a_worker_outlives_the_hour_and_its_result_does_not(
    org: UUID, shoot: UUID, browser: Any
) -> None:
    run = upload(browser, shoot, HEADER + GOOD + BAD)
    confirm(browser, shoot, run["import"])

    def an_hour_later() -> None:
        with transaction(org) as session:
            session.execute(update(Artifact).values(created_at=now() - timedelta(minutes=61)))
            retention.sweep(session)

    an_hour_later()
    done = commit(browser, shoot, run["import"]).json
    assert done["invited"] == 2
    address = f"/admin/shoots/{shoot}/import/{run['import']}"
    an_hour_later()
    assert browser.get(f"{address}/results.csv").status_code == 410
    page = browser.get(f"{address}/result").text
    assert "2 people are being invited." in page
    assert ".csv" not in page


def test_a_list_that_stopped_goes_on_where_it_was(org: UUID, shoot: UUID, browser: Any) -> None:
    run = upload(browser, shoot, HEADER + GOOD)
    confirm(browser, shoot, run["import"])
    with transaction(org) as session:
        owed = session.scalars(select(Outbox).where(Outbox.job == JobName.IMPORT_ROSTER)).one()
        owed.failed_at = now()
        commits.give_up(session, UUID(run["import"]), "OSError")
    page = browser.get(f"/admin/shoots/{shoot}/import/{run['import']}/result").text
    assert "The import has stopped" in page
    assert "Go on with the list" in page
    assert commit(browser, shoot, run["import"]).json["invited"] == 2


def test_until_its_result_is_kept_a_list_is_on_its_way_with_all_rows_done(
    org: UUID, shoot: UUID, browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = upload(browser, shoot, HEADER + GOOD)

    def away(*_: object) -> None:
        raise Unavailable("The storage does not answer.")

    with monkeypatch.context() as patched:
        patched.setattr(import_results, "seal", away)
        waiting = commit(browser, shoot, run["import"]).json
    assert (waiting["done"], waiting["percent"], waiting["finished_at"], waiting["failure"]) == (
        *(2, 100, None, None),
    )
    assert "results_url" not in waiting
    address = f"/admin/shoots/{shoot}/import/{run['import']}"
    assert "2 of 2 rows are done" in browser.get(f"{address}/result").text
    assert browser.get(f"{address}/results.csv").status_code == 410
    assert "A list is being imported." in browser.get(f"/admin/shoots/{shoot}").text
    with transaction(org) as session:
        session.execute(update(Outbox).values(not_before=now()))
    do_jobs(org, JobName.IMPORT_ROSTER)
    assert "2 people are being invited." in browser.get(f"{address}/result").text


def test_a_list_that_is_deleted_while_it_is_confirmed_is_gone(
    org: UUID, shoot: UUID, browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = upload(browser, shoot, HEADER + GOOD)
    real = imports.read

    def deleted_after(held: Held, shoot_id: UUID) -> bytes:
        content = real(held, shoot_id)
        with transaction(org) as session:
            commits.end_all(session, commits.Ended.ERASED)
        return content

    with monkeypatch.context() as patched:
        patched.setattr(imports, "read", deleted_after)
        assert confirm(browser, shoot, run["import"]).status_code == 410
    assert count(org, RosterImport) == 0


def test_a_list_whose_key_is_destroyed_while_a_page_opens_it_is_gone(
    shoot: UUID, browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = upload(browser, shoot, HEADER + GOOD)
    real = imports.find

    def destroyed_after(session: Session, import_id: UUID) -> Held:
        held = real(session, import_id)
        vault().keys.forget([import_id])
        return held

    monkeypatch.setattr(imports, "find", destroyed_after)
    assert browser.get(f"/admin/shoots/{shoot}/import/{run['import']}").status_code == 410


def test_each_fault_of_a_row_stands_in_a_line_of_its_own(shoot: UUID, browser: Any) -> None:
    run = upload(browser, shoot, HEADER + "nobody,,,E1,Sales,en\n")
    page = browser.get(f"/admin/shoots/{shoot}/import/{run['import']}").text
    said = html.fromstring(page).xpath("//ul[@class='reasons']/li/text()")
    assert said == ["There is no name.", "This is not a complete email address."]


def test_the_letters_that_an_address_cannot_have_are_named_in_the_language_of_the_page(
    shoot: UUID, browser: Any
) -> None:
    run = upload(browser, shoot, HEADER + "jürgen.müller@acme.example,Jürgen,Müller,E1,Sales,de\n")
    for language, said in (("en", "cannot have: ü. Please"), ("de", "nicht enthalten: ü. Bitte")):
        page = browser.get(f"/admin/shoots/{shoot}/import/{run['import']}?lang={language}").text
        reasons = html.fromstring(page).xpath("//ul[@class='reasons']/li/text()")
        assert len(reasons) == 1
        assert said in reasons[0]


def test_importing_the_same_people_again_makes_no_duplicates(org: UUID, shoot: UUID, browser: Any) -> None:
    commit(browser, shoot, upload(browser, shoot, HEADER + GOOD)["import"])
    run = upload(browser, shoot, HEADER + GOOD.upper().replace("EN\n", "en\n").replace("DE\n", "de\n"))
    assert run["counts"]["skipped"] == 2
    commit(browser, shoot, run["import"])
    assert count(org, Invite) == 2
    assert count(org, Member, Member.role == "employee") == 2


def test_someone_who_is_known_is_invited_into_the_shoot_under_the_known_name(
    org: UUID, shoot: UUID, browser: Any
) -> None:
    known = add_member(org, "Grace")
    run = upload(browser, shoot, HEADER + GOOD)
    assert run["counts"]["warning"] == 1
    commit(browser, shoot, run["import"])
    with transaction(org) as session:
        assert session.scalars(select(Member.last_name).where(Member.id == known.id)).one() == "Example"
        assert session.scalars(select(Participation).where(Participation.member_id == known.id)).one()


def test_an_employee_id_of_someone_else_is_rejected(org: UUID, shoot: UUID, browser: Any) -> None:
    add_member(org, "Someone", employee_id="E1")
    run = upload(browser, shoot, HEADER + GOOD)
    rows = browser.get(
        f"/admin/shoots/{shoot}/import/{run['import']}?show=rejected", headers={"Accept": "application/json"}
    ).json["rows"]
    assert [row["reasons"] for row in rows] == [["employee_id_taken"]]


def test_someone_who_declined_is_not_invited_again_by_an_import(org: UUID, shoot: UUID, browser: Any) -> None:
    from core import audit

    commit(browser, shoot, upload(browser, shoot, HEADER + GOOD)["import"])
    with transaction(org) as session:
        row = session.scalars(select(Participation)).first()
        assert row is not None
        participations.move(session, row, State.DECLINED, actor=audit.SYSTEM)
    assert upload(browser, shoot, HEADER + GOOD)["counts"]["skipped"] == 2


def test_names_of_a_list_lie_in_the_vault_and_nowhere_else(
    org: UUID, shoot: UUID, browser: Any, tmp_path: Any
) -> None:
    run = upload(browser, shoot, HEADER + GOOD + BAD)
    stored = [path.read_bytes() for path in (tmp_path / "storage").rglob("*") if path.is_file()]
    assert stored
    assert not any(b"Grace" in content or b"grace@acme" in content for content in stored)
    redis = redis_client()
    assert not any(b"grace" in key + (redis.dump(key) or b"") for key in redis.keys("*"))
    cookies = " ".join(cookie.value for cookie in browser._client._cookies.values())
    assert "race" not in cookies
    with transaction(org) as session:
        kept = session.scalars(select(Artifact).where(Artifact.kind == Kind.ROSTER)).one()
        assert kept.id == UUID(run["import"])
        assert b"shoot_id" in got(session, kept.id)
    commit(browser, shoot, run["import"])
    with transaction(org) as session:
        assert session.get_one(Artifact, UUID(run["import"])).delete_requested_at is not None


def test_a_list_belongs_to_its_shoot(org: UUID, shoot: UUID, browser: Any) -> None:
    with transaction(org) as session:
        from core.models import Style

        for style in session.scalars(select(Style)):
            style.name = "First"
    other = add_shoot(org).id
    run = upload(browser, shoot, HEADER + GOOD)
    assert commit(browser, other, run["import"]).status_code == 410
    assert browser.get(f"/admin/shoots/{other}/import/{run['import']}").status_code == 410


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", bytes(range(256)), b"a,b\n1,2\n", HEADER.encode()])
def test_a_file_that_is_no_list_is_explained_and_never_breaks(
    shoot: UUID, browser: Any, content: bytes
) -> None:
    answer = browser.post(
        f"/admin/shoots/{shoot}/import", {"roster": (io.BytesIO(content), "r.csv")}, json=False
    )
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def send(browser: Any, shoot: UUID, content: bytes) -> dict[str, Any]:
    answer = browser.post(f"/admin/shoots/{shoot}/import", {"roster": (io.BytesIO(content), "roster.csv")})
    assert answer.status_code == 200, answer.text
    return answer.json


NAMES = "email,first name,last name\nanna@acme.example,Anna,Ağaoğlu\njan@acme.example,Jan,Çakır\n"
WEIRD = "Angestellte/r,Kontakt,Ort\nAnna Müller,anna@acme.example,Ulm\nGrace Hopper,grace@,Bonn\n"


def test_nobody_is_invited_from_names_that_can_be_read_in_two_ways(
    org: UUID, shoot: UUID, browser: Any
) -> None:
    run = send(browser, shoot, NAMES.encode("cp1254"))
    assert (run["asks"], run["total"]) == ("encoding", 0)
    address = f"/admin/shoots/{shoot}/import/{run['import']}"
    page = html.fromstring(browser.get(address).text)
    offered = page.xpath("//input[@type='radio'][@name='encoding']/@value")
    assert "cp1254" in offered
    assert len(offered) > 1
    assert not page.xpath("//input[@type='radio'][@checked]")
    assert "Ağaoğlu" in page.text_content()
    assert not page.xpath("//form[contains(@action, '/commit')]")
    assert "Will be invited" not in page.text_content()
    refused = commit(browser, shoot, run["import"])
    assert (refused.status_code, refused.json["error"]["code"]) == (422, "import_unclear")
    assert count(org, Participation) == 0


def test_what_hr_chooses_holds_for_rows_filters_rejected_rows_and_the_commit(
    org: UUID, shoot: UUID, browser: Any
) -> None:
    run = send(browser, shoot, (NAMES + "nobody@,Ayşe,Çelik\n").encode("cp1254"))
    address = f"/admin/shoots/{shoot}/import/{run['import']}"
    page = html.fromstring(browser.get(f"{address}?encoding=cp1254").text)
    assert "Çakır" in page.text_content()
    for link in page.xpath(f"//a[starts-with(@href, '{address}')]/@href"):
        assert "encoding=cp1254" in link
    refused = browser.get(page.xpath("//a[contains(@href, 'rejected.csv')]/@href")[0])
    assert "Ayşe" in refused.text
    (form,) = (one for one in page.forms if one.action.endswith("/commit"))
    done = commit(browser, shoot, run["import"], **said_in(form))
    assert done.json["invited"] == 2
    assert "Ayşe" in browser.get(done.json["rejected_url"]).text
    with transaction(org) as session:
        jan = session.scalars(select(Member).where(Member.email == "jan@acme.example")).one()
        assert jan.last_name == "Çakır"


def test_a_list_without_known_columns_asks_which_is_which(org: UUID, shoot: UUID, browser: Any) -> None:
    run = send(browser, shoot, WEIRD.encode())
    assert (run["asks"], run["total"]) == ("columns", 0)
    address = f"/admin/shoots/{shoot}/import/{run['import']}"
    page = html.fromstring(browser.get(address).text)
    assert commit(browser, shoot, run["import"]).status_code == 422
    (form,) = (one for one in page.forms if "email" in one.fields)
    assert (form.method, form.fields["email"], form.fields["full_name"]) == ("GET", "1", "0")
    said = "&".join(f"{name}={value}" for name, value in form.form_values())
    mapped = html.fromstring(browser.get(f"{address}?{said}").text)
    assert mapped.xpath("//tr[@class='ignored']/td[1]/text()") == ["Ort"]
    assert "Müller" in mapped.text_content()
    (form,) = (one for one in mapped.forms if one.action.endswith("/commit"))
    done = commit(browser, shoot, run["import"], **said_in(form))
    assert (done.json["invited"], done.json["rejected"]) == (1, 1)
    assert "Hopper" in browser.get(done.json["rejected_url"]).text
    with transaction(org) as session:
        anna = session.scalars(select(Member).where(Member.email == "anna@acme.example")).one()
        assert (anna.first_name, anna.last_name) == ("Anna", "Müller")


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("header=yes&email=1", 422),
        ("header=yes&email=1&full_name=1", 422),
        ("header=yes&email=1&full_name=99", 422),
        ("header=yes&email=x", 422),
        ("encoding=klingon", 422),
        ("encoding=cp1252", 200),
    ],
)
def test_a_choice_that_does_not_fit_is_explained_and_can_be_made_again(
    shoot: UUID, browser: Any, said: str, status: int
) -> None:
    run = send(browser, shoot, WEIRD.encode())
    answer = browser.get(f"/admin/shoots/{shoot}/import/{run['import']}?{said}")
    assert answer.status_code == status
    assert "commit" not in answer.text


def test_columns_that_are_not_used_are_named(shoot: UUID, browser: Any) -> None:
    run = upload(browser, shoot, "email,first name,last name,Shoe size,\na@acme.example,A,B,42,x\n")
    page = html.fromstring(browser.get(f"/admin/shoots/{shoot}/import/{run['import']}").text)
    assert page.xpath("//tr[@class='ignored']/td[1]/text()") == ["Shoe size", "Column 5"]


ROW = "jm@acme.example,Jürgen,Müller\n"
SHOWN = ("jm@acme.example", "Jürgen", "Müller")


@pytest.mark.parametrize(
    "content",
    [
        f"Name,Vorname,Nachname,E-Mail\nJürgen Müller,Jürgen,Müller,{SHOWN[0]}\n".encode(),
        f"Name,First Name,Surname,Email\nJürgen Müller,Jürgen,Müller,{SHOWN[0]}\n".encode(),
        f"sep=\t\nemail\tfirst name\tlast name\n{ROW}".replace(",", "\t").encode(),
        f'"sep=;"\nemail;first name;last name\n{ROW}'.replace(",", ";").encode(),
        f"sep=;;;\nemail;first name;last name\n{ROW}".replace(",", ";").encode(),
        "email,first name,last name\n\u200bjm@acme.example\u200b,Jür\u00adgen\u200b,\ufeffMüller\n".encode(),
        f"First Name [Required],Email Address [Required],Last Name [Required]\nJürgen,{SHOWN[0]},Müller\n".encode(),
        f"Anzeigename,Benutzerprinzipalname,Ort\nJürgen Müller,{SHOWN[0]},Ulm\n".encode(),
        f"Mitarbeiter;Dienstliche E-Mail;Pers.-Nr.\r\nMüller, Jürgen;{SHOWN[0]};E1\r\n".encode("utf-8-sig"),
        f"Mitarbeiter;Dienstliche E-Mail;Pers.-Nr.\r\nMüller, Jürgen;{SHOWN[0]};E1\r\n".encode("utf-16"),
        f"email,first name,last name\n{ROW}".encode("cp1252"),
        f"email,first name,last name\n{ROW}".encode("mac_roman"),
    ],
)
def test_a_list_shows_what_a_spreadsheet_shows(shoot: UUID, browser: Any, content: bytes) -> None:
    run = send(browser, shoot, content)
    assert run["asks"] is None
    page = html.fromstring(browser.get(f"/admin/shoots/{shoot}/import/{run['import']}").text)
    (row,) = page.xpath("//table[contains(@class, 'rows')]/tbody/tr")
    cells = {cell.get("data-label"): cell.text_content().strip() for cell in row}
    assert (cells["Email"], cells["First name"], cells["Last name"]) == SHOWN
    assert (cells["Verdict"], cells["Reason"]) == ("Will be invited", "")


def test_one_row_in_another_encoding_is_read_and_marked_beside_whole_ones(shoot: UUID, browser: Any) -> None:
    content = f"email,first name,last name\n{ROW}z@acme.example,Zoë,Größer\n".encode()
    run = send(browser, shoot, content + "r@acme.example,René,X\nq@acme.example,Ren?,X\n".encode("cp1252"))
    page = html.fromstring(browser.get(f"/admin/shoots/{shoot}/import/{run['import']}").text)
    rows = [
        [cell.text_content().strip() for cell in row]
        for row in page.xpath("//table[contains(@class, 'rows')]/tbody/tr")
    ]
    assert [row[1] for row in rows] == [
        *("Will be invited", "Will be invited", "Invited, please check", "Not imported"),
    ]
    assert [row[3] for row in rows] == ["Jürgen", "Zoë", "René", "Ren?"]
    assert "stored in another way" in rows[2][-1]
    assert "Letters were lost" in rows[3][-1]


@pytest.mark.parametrize("encoding", ["cp1250", "cp1251", "cp932", "mac_roman", "utf-8-twice"])
def test_another_encoding_is_asked_or_said_and_never_silent(shoot: UUID, browser: Any, encoding: str) -> None:
    names = {"cp1251": "Ольга,Иванова", "cp932": "花子,田中", "cp1250": "Łukasz,Dvořák"}.get(
        encoding, "Jürgen,Müller"
    )
    text = f"email,first name,last name\nx@acme.example,{names}\n"
    twice = encoding == "utf-8-twice"
    run = send(browser, shoot, text.encode().decode("cp1252").encode() if twice else text.encode(encoding))
    page = browser.get(f"/admin/shoots/{shoot}/import/{run['import']}").text
    first, last = names.split(",")
    assert first in page
    assert last in page
    assert ("Which names are right?" if run["asks"] else "please compare") in page


def test_what_stands_above_the_header_is_said(shoot: UUID, browser: Any) -> None:
    run = upload(browser, shoot, "People of Acme, all\nas of March\n" + HEADER + GOOD)
    assert (run["counts"]["ok"], run["above"]) == (2, ["People of Acme all", "as of March"])
    page = html.fromstring(browser.get(f"/admin/shoots/{shoot}/import/{run['import']}").text)
    assert "as of March" in page.xpath("string(//p[@id='above'])")
    run = upload(browser, shoot, "People of Acme\n" + WEIRD)
    assert "People of Acme" in browser.get(f"/admin/shoots/{shoot}/import/{run['import']}").text


def test_an_encoding_that_was_found_out_is_said(shoot: UUID, browser: Any) -> None:
    run = send(browser, shoot, "email,first name,last name\na@acme.example,Jörg,Müller\n".encode("cp1252"))
    assert run["encoding"] == "cp1252"
    page = browser.get(f"/admin/shoots/{shoot}/import/{run['import']}").text
    assert "Western European (Windows)" in page
    assert "please compare" in page


def test_pasted_rows_work_like_a_file(shoot: UUID, browser: Any) -> None:
    answer = browser.post(
        f"/admin/shoots/{shoot}/import", {"pasted": HEADER.replace(",", "\t") + "a@acme.example\tA\tB\n"}
    )
    assert answer.json["counts"]["ok"] == 1


@pytest.mark.parametrize("content", [b"", b" \r\n"])
def test_an_empty_file_is_called_empty(shoot: UUID, browser: Any, content: bytes) -> None:
    address = f"/admin/shoots/{shoot}/import"
    answer = browser.post(address, {"roster": (io.BytesIO(content), "roster.csv")})
    assert answer.status_code == 422
    assert answer.json["error"]["message"].startswith("This file is empty.")
    assert browser.post(address, {}).json["error"]["message"].startswith("Please choose a file")
