"""Whatever is sent, wherever it stands: never a crash, never SQL, and a word on what to change."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from click.testing import CliRunner
from conftest import add_participation
from flask import Flask
from flask.testing import FlaskClient

from admin.app import create_app as create_admin
from core import audit
from core.clock import now
from core.db import Lookup, transaction
from core.models import Member, Role, Shoot, SignInMethod, State
from core.models.bounds import TooLong
from core.people import members, sessions
from core.shoots import open_links, shoots
from deploy.cli import main
from portal.app import create_app as create_portal
from sso.credentials import load_or_create
from sso.devidp import app as devidp

NUL = "a\0b"
LONG = "ä" * 3000
SOME_ID = "01a20aac-06e6-71c1-bad5-30a9025795b2"


@pytest.fixture
def sites(org: UUID) -> dict[str, tuple[Flask, str]]:
    """Both apps, each with the token of somebody who may do everything there."""
    person = members.NewMember("boss@acme.example", "Robin", "Boss", role=Role.HR_ADMIN)
    with transaction(org) as session:
        (boss,) = members.add(session, [person], actor=audit.SYSTEM, tag=audit.Tag.MEMBER_IMPORTED)
    add_participation(org, boss, State.UPLOADING)
    found = {}
    for app, method in ((create_portal(), SignInMethod.INVITE), (create_admin(), SignInMethod.SAML)):
        app.config["WTF_CSRF_ENABLED"] = False
        with transaction(org) as session:
            token = sessions.start(session, session.get_one(Member, boss.id), method)
        found[app.name] = app, token
    return found


def browser_of(site: tuple[Flask, str], *, signed_in: bool = True) -> FlaskClient:
    app, token = site
    browser = app.test_client()
    if signed_in:
        browser.set_cookie(app.config["SIGN_IN_COOKIE"], token)
    return browser


def routes(app: Flask, text: str) -> Iterator[tuple[str, str]]:
    """Yield (method, address) of every route, with `text` for each name in it."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.endswith("static"):
            continue
        values = {
            name: 1 if f"int:{name}>" in rule.rule else SOME_ID if f"uuid:{name}>" in rule.rule else text
            for name in rule.arguments
        }
        for method in sorted({"GET", "POST"} & (rule.methods or set())):
            yield method, app.url_map.bind("localhost").build(rule.endpoint, values, method=method)


@pytest.mark.parametrize("name", ["portal", "admin"])
@pytest.mark.parametrize("signed_in", [True, False])
@pytest.mark.parametrize("kind", ["text/html", "application/json"])
def test_a_nul_anywhere_is_refused(
    sites: dict[str, tuple[Flask, str]], name: str, signed_in: bool, kind: str
) -> None:
    tried = 0
    for method, address in routes(sites[name][0], "acme"):
        ways = [{"query_string": {"q": NUL}}, {"query_string": {NUL: "q"}}]
        if method == "POST":
            ways += [
                {"data": {"name": NUL, "q": NUL}},
                {"data": {NUL: ""}},
                {"json": {"people": [{"name": NUL}]}},
                {"json": ["\ud800"]},
                {"data": {"photo": (io.BytesIO(b"x"), NUL)}, "buffered": True},
            ]
        for way in ways:
            answer = browser_of(sites[name], signed_in=signed_in).open(
                address, method=method, headers={"Accept": kind}, **way
            )
            assert answer.status_code == 400, (method, address, way)
            assert "cannot be used" in answer.text
            tried += 1
    assert tried > 50


@pytest.mark.parametrize("name", ["portal", "admin"])
def test_what_would_hold_up_everybody_else_is_refused(sites: dict[str, tuple[Flask, str]], name: str) -> None:
    """Marks piled on one letter, more brackets than anybody sends, a form larger than any of ours."""
    browser = browser_of(sites[name])
    address = "/trust/acme/data" if name == "portal" else "/admin/brand"
    piled = "a" + "\u0301\u0316" * 100 + "@acme.example"
    assert browser.post(address, data={"email": piled}).status_code == 400
    deep = browser.post(address, data="[" * 100_000 + "]" * 100_000, content_type="application/json")
    assert deep.status_code == 400
    large = browser.post(address, data={"email": "x" * 2_500_000})
    assert large.status_code == 413


@pytest.mark.parametrize("name", ["portal", "admin"])
def test_a_nul_in_a_path_or_a_cookie_is_refused_and_the_cookie_forgotten(
    sites: dict[str, tuple[Flask, str]], name: str
) -> None:
    for method, address in [*routes(sites[name][0], NUL), ("GET", "/%00"), ("GET", "/no\0where")]:
        if "%00" in address:
            assert browser_of(sites[name]).open(address, method=method).status_code == 400, address
    for cookie in ("company", "lang", sites[name][0].config["SIGN_IN_COOKIE"], "anything"):
        for address in ("/", "/admin/sign-in", "/admin/", "/me/", "/trust/acme", "/sso/", "/nowhere"):
            answer = (
                sites[name][0]
                .test_client(use_cookies=False)
                .get(address, headers={"Cookie": f'{cookie}="a\\000b"'})
            )
            assert answer.status_code == 400, (cookie, address)
            assert any(
                line.startswith(f"{cookie}=;") and "Max-Age=0" in line
                for line in answer.headers.getlist("Set-Cookie")
            )


class Fields(HTMLParser):
    """The forms of a page: where each is sent, and what it sends."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[tuple[str, str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((values.get("method", "get").upper(), values.get("action", ""), {}))
        elif (
            tag in ("input", "select", "textarea")
            and self.forms
            and values.get("name", "csrf_token") != "csrf_token"
            and values.get("type") != "file"
        ):
            self.forms[-1][2].setdefault(values["name"], values.get("value", ""))


def pages(org: UUID, name: str) -> list[str]:
    with transaction(org) as session:
        shoot = session.query(Shoot).first()
        if name == "portal":
            link = open_links.create(
                session,
                shoots.get(session, shoot.id, lock=True),
                domains="acme.example",
                most=5,
                last_day=now().date(),
                free_mail=False,
                actor=audit.SYSTEM,
            )
            return [
                *("/", "/verify", "/me/privacy", "/me/photos", "/me/consent", "/me/declined"),
                f"/j/{open_links.token_of(link)}",
            ]
        person = session.query(Member).first()
    return [
        *(
            "/admin/",
            "/admin/brand",
            "/admin/styles",
            "/admin/styles/new",
            "/admin/shoots/new",
            "/admin/people",
        ),
        *(f"/admin/people/{person.id}", f"/admin/shoots/{shoot.id}", f"/admin/shoots/{shoot.id}/import"),
        f"/admin/shoots/{shoot.id}/open-link",
        *("/admin/audit", "/admin/sign-in", "/sso/", f"/admin/styles/{shoot.style_id}"),
    ]


@pytest.mark.parametrize("name", ["portal", "admin"])
def test_overlong_input_in_any_field_of_any_form_is_told_kindly(
    sites: dict[str, tuple[Flask, str]], org: UUID, name: str
) -> None:
    tried = set()
    for page in pages(org, name):
        for method, action, fields in Fields(browser_of(sites[name]).get(page).text).forms:
            address = urlsplit(action or page).path
            for field in fields:
                key = "query_string" if method == "GET" else "data"
                answer = browser_of(sites[name]).open(
                    address, method=method, **{key: {**fields, field: LONG}}
                )
                where = (method, address, field, answer.status_code)
                assert answer.status_code < 500, where
                assert "SELECT" not in answer.text, where
                assert "INSERT" not in answer.text, where
                tried.add((address, field))
    assert len(tried) > (2 if name == "portal" else 40), tried


def test_overlong_text_never_reaches_the_database(
    sites: dict[str, tuple[Flask, str]], org: UUID, member: Member
) -> None:
    """Also where no form bounds it: the column itself does, with words."""
    browser = browser_of(sites["admin"])
    answer = browser.post("/admin/brand", data={"name": "x" * 300, "accent": "#123456"})
    assert answer.status_code == 422
    assert "at most 120 characters" in answer.text
    with transaction(org) as session:
        row = session.get_one(Member, member.id)
        with pytest.raises(TooLong, match="there is room for 120"):
            row.department = "x" * 121
        row.department = "ä" * 120


@pytest.mark.parametrize("name", ["x" * 300, " "])
def test_a_company_name_that_cannot_be_is_one_line_and_makes_nothing(
    org: UUID, tmp_path: Path, name: str
) -> None:
    base = "http://localhost"
    keys = tmp_path / "keys"
    load_or_create(keys, "devidp", "unused")
    metadata = tmp_path / "idp.xml"
    idp = devidp.create_app(f"{base}/devidp", keys, [])
    metadata.write_bytes(idp.test_client().get("/metadata", base_url=f"{base}/devidp").data)
    command = ["create-company", "globex", name, "--idp-metadata", str(metadata), "--admin-group", "hr"]
    made = CliRunner().invoke(main, command)
    assert made.exit_code == 1, made.output
    assert len(made.output.strip().splitlines()) == 1
    assert not re.search("INSERT|SELECT|psycopg|Traceback", made.output)
    assert Lookup.organization("globex") is None


@pytest.mark.parametrize(
    "row",
    [
        b"grace@acme.example;Gra\0ce;Hopper",
        b"gr\0ace@acme.example;Grace;Hopper",
        b"grace@acme.example;" + b"G" * 300 + b";Hopper",
        b"grace@acme.example;\xed\xa0\x80;Hopper",
        b"g" * 300 + b"@acme.example;Grace;Hopper",
    ],
)
def test_a_roster_with_what_cannot_be_kept_is_told_kindly(
    sites: dict[str, tuple[Flask, str]], org: UUID, row: bytes
) -> None:
    with transaction(org) as session:
        shoot_id = session.query(Shoot).one().id
    content = b"Email;First name;Last name\n" + row + b"\nada@acme.example;Ada;Lovelace\n"
    browser = browser_of(sites["admin"])
    answer = browser.post(
        f"/admin/shoots/{shoot_id}/import",
        data={"roster": (io.BytesIO(content), "people.csv")},
        buffered=True,
        follow_redirects=True,
    )
    assert answer.status_code in (200, 422), answer.status_code
    # What was understood can be read otherwise, and imported. That ends the list, so it comes last: a way
    # back to it is told so, see `test_going_back_to_a_list_that_was_imported_leads_to_the_next_one`.
    for method, address, fields in sorted(Fields(answer.text).forms, key=lambda form: form[0] == "POST"):
        if address.startswith("/admin/shoots/"):
            sent = browser.open(
                address, method=method, **{"query_string" if method == "GET" else "data": fields}
            )
            assert sent.status_code in (200, 303, 422), (method, address)


@pytest.mark.parametrize("number", ["99999999999999999999999", "-1", "x", "1e9"])
def test_a_number_that_is_none_is_told_kindly(
    sites: dict[str, tuple[Flask, str]], org: UUID, number: str
) -> None:
    browser = browser_of(sites["admin"])
    for page in pages(org, "admin"):
        answer = browser.get(
            page, query_string=dict.fromkeys(("page", "after", "state", "tag", "style"), number)
        )
        assert answer.status_code < 500, page
    assert browser.get(f"/admin/people/{number}").status_code < 500
