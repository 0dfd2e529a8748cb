"""HR makes an open link, hands it around and withdraws it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import cv2
import numpy as np
import pytest
from conftest import add_member, add_participation, add_shoot
from lxml import etree, html
from reading import english_in
from sqlalchemy import select

from admin import qr
from core import audit
from core.clock import end_of_day, now
from core.db import transaction
from core.models import AuditEvent, Member, OpenLink, Role, Shoot
from core.people.free_mail import FREE_MAIL
from core.shoots import open_links, shoots


def day(days: int) -> str:
    return (now() + timedelta(days=days)).date().isoformat()


def form(**values: str) -> dict[str, str]:
    return {"domains": "acme.example", "most": "50", "last_day": day(5), **values}


@pytest.fixture
def shoot(org: UUID) -> Shoot:
    """A shoot that ends in two weeks."""
    return add_shoot(org)


@pytest.fixture
def address(shoot: Shoot) -> str:
    """Of its page."""
    return f"/admin/shoots/{shoot.id}/open-link"


def links(org: UUID) -> list[OpenLink]:
    with transaction(org) as session:
        return list(session.scalars(select(OpenLink).order_by(OpenLink.id)))


def told(org: UUID) -> list[tuple[str, dict[str, Any]]]:
    with transaction(org) as session:
        rows = session.scalars(select(AuditEvent).order_by(AuditEvent.id))
        return [(row.tag, row.facts) for row in rows if row.tag.startswith("open_link")]


def test_a_link_is_made_shown_and_counted(org: UUID, browser: Any, shoot: Shoot, address: str) -> None:
    empty = html.fromstring(browser.get(address).text)
    assert empty.xpath("string(//input[@name='domains']/@value)") == "acme.example", (
        "as HR's own address has it"
    )
    made = browser.post(address, form(domains="Acme.example; @B\u00fccher.example"))
    assert made.status_code == 200, made.text
    (link,) = links(org)
    assert link.domains == ["acme.example", "xn--bcher-kva.example"]
    assert (link.most, link.joined, link.ends_at) == (50, 0, end_of_day((now() + timedelta(days=5)).date()))
    assert made.json["link"] == f"http://localhost/j/{open_links.token_of(link)}"
    for _ in range(2):  # as often as it is asked for
        page = html.fromstring(browser.get(address).text)
        assert page.xpath("string(//input[@id='address']/@value)") == made.json["link"]
    with transaction(org) as session:
        session.get_one(OpenLink, link.id).joined = 12
    for text in (browser.get(address).text, browser.get(f"/admin/shoots/{shoot.id}").text):
        assert "12 of 50 have joined" in text
    assert "@acme.example, @b\u00fccher.example" in browser.get(address).text
    ((tag, facts),) = told(org)
    assert tag == "open_link.created"
    assert (facts["most"], facts["domains"], facts["link"]) == (50, 2, str(link.id))
    assert "acme" not in str(facts)


def test_a_new_one_takes_the_place_of_the_old(org: UUID, browser: Any, address: str) -> None:
    first = browser.post(address, form()).json["link"]
    second = browser.post(address, form(most="7")).json["link"]
    assert first != second
    old, new = links(org)
    assert (old.revoked_at is None, new.revoked_at is None) == (False, True)
    assert [tag for tag, _ in told(org)] == ["open_link.created", "open_link.revoked", "open_link.created"]


def test_a_link_is_withdrawn_once(org: UUID, browser: Any, address: str) -> None:
    browser.post(address, form())
    for _ in range(2):
        assert browser.post(f"{address}/revoke").status_code == 200
    (link,) = links(org)
    assert link.revoked_at is not None
    assert [tag for tag, _ in told(org)] == ["open_link.created", "open_link.revoked"]
    assert "Withdraw it now" not in browser.get(address).text
    assert browser.get(f"{address}/qr.svg").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "field", "words"),
    [
        ({"domains": ""}, "domains", "one at least"),
        ({"domains": "acme"}, "domains", "no domain"),
        ({"domains": "acme.example, <b>"}, "domains", "no domain"),
        ({"domains": "x" * 300 + ".example"}, "domains", "no domain"),
        ({"domains": ",".join(f"a{n}.example" for n in range(21))}, "domains", "20 at most"),
        ({"most": ""}, "most", "a number from 1"),
        ({"most": "0"}, "most", "a number from 1"),
        ({"most": "10001"}, "most", "a number from 1"),
        ({"most": "9" * 5000}, "most", "a number from 1"),
        ({"most": "²"}, "most", "a number from 1"),
        ({"last_day": ""}, "last_day", "as a day"),
        ({"last_day": day(-1)}, "last_day", "today or later"),
        ({"last_day": day(15)}, "last_day", "not after the shoot"),
    ],
)
def test_what_cannot_be_is_told_beside_its_field_and_nothing_is_made(
    org: UUID, browser: Any, address: str, wrong: dict[str, str], field: str, words: str
) -> None:
    answer = browser.post(address, form(**wrong), json=False)
    assert answer.status_code == 422
    page = html.fromstring(answer.text)
    assert words in page.xpath("string(//div[@role='alert'])")
    assert page.xpath("//*[@aria-invalid='true']/@name") == [field]
    assert "<b>," not in answer.text
    assert links(org) == []


def test_the_last_day_may_be_the_shoots(org: UUID, browser: Any, shoot: Shoot, address: str) -> None:
    browser.post(f"/admin/shoots/{shoot.id}/deadline", {"deadline": day(14)})
    assert browser.post(address, form(last_day=day(14))).status_code == 200


def test_where_anybody_can_have_an_address_hr_is_warned_once(org: UUID, browser: Any, address: str) -> None:
    assert "Anybody can have an address there" not in browser.get(address).text
    warned = browser.post(address, form(domains="acme.example, GMail.com"), json=False)
    assert warned.status_code == 422
    assert "Anybody can have an address at gmail.com" in warned.text
    assert html.fromstring(warned.text).xpath("//input[@name='free_mail']")
    assert links(org) == []
    meant = browser.post(address, form(domains="acme.example, gmail.com", free_mail="yes"))
    assert meant.status_code == 200
    assert links(org)[0].domains == ["acme.example", "gmail.com"]


def test_free_mail_is_named_as_addresses_are_compared(environment: dict[str, str]) -> None:
    assert all(open_links.domains_in(one) == [one] for one in FREE_MAIL)


def test_hr_at_a_free_provider_is_proposed_no_domain(
    org: UUID, shoot: Shoot, browser: Any, address: str
) -> None:
    with transaction(org) as session:
        session.scalars(select(Member)).one().email = "robin@gmail.com"
    assert html.fromstring(browser.get(address).text).xpath("string(//input[@name='domains']/@value)") == ""


def test_a_closed_shoot_has_none_and_gets_none(org: UUID, browser: Any, shoot: Shoot, address: str) -> None:
    made = browser.post(address, form()).json["link"]
    browser.post(f"/admin/shoots/{shoot.id}/close")
    assert browser.post(address, form(), json=False).status_code == 409
    page = browser.get(address).text
    assert "Open it again first" in page
    assert made not in page
    assert len(links(org)) == 1


def test_a_full_link_says_so(org: UUID, browser: Any, address: str) -> None:
    browser.post(address, form(most="1"))
    with transaction(org) as session:
        session.scalars(select(OpenLink)).one().joined = 1
    assert "As many people have joined as you planned for" in browser.get(address).text


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.AUDITOR])
def test_who_may_not_invite_sees_no_link(
    org: UUID, signed_in: Callable[[Role], Any], browser: Any, shoot: Shoot, address: str, role: Role
) -> None:
    made = browser.post(address, form()).json["link"]
    other = signed_in(role)
    assert other.get(address).status_code == 403
    assert other.get(f"{address}/qr.svg").status_code == 403
    page = other.get(f"/admin/shoots/{shoot.id}").text
    assert made not in page
    assert "open-link" not in page


def test_both_pages_speak_german(org: UUID, browser: Any, shoot: Shoot, address: str) -> None:
    add_participation(org, add_member(org))
    for _ in range(2):
        page = browser.get(f"{address}?lang=de").text
        assert english_in(page, "Headshots") == []
        browser.post(address, form())
    assert english_in(browser.post(address, form(domains="gmail.com"), json=False).text, "Headshots") == []
    assert "sind dabei" in browser.get(f"/admin/shoots/{shoot.id}").text


def test_the_code_reads_as_the_address(org: UUID, browser: Any, address: str) -> None:
    made = browser.post(address, form()).json["link"]
    answer = browser.get(f"{address}/qr.svg")
    assert answer.content_type == "image/svg+xml"
    assert 'src="' in browser.get(address).text
    assert read(answer.text) == made


def read(svg: str) -> str:
    """Read a code as a camera does, of what the picture shows."""
    root = etree.fromstring(svg.encode())
    side = int(root.get("viewBox").split()[2])
    picture = np.full((side, side), 255, np.uint8)
    for module in root[1].get("d").split("M")[1:]:
        x, y = module.partition("h")[0].split()
        picture[int(y), int(x)] = 0
    assert (picture[:4] == 255).all(), "the quiet zone"
    assert (picture[:, :4] == 255).all()
    assert (picture[4:] == 0).any()
    text, *_ = cv2.QRCodeDetectorAruco().detectAndDecode(picture.repeat(8, 0).repeat(8, 1))
    return text


@pytest.mark.parametrize("length", range(30, 200, 10))
def test_no_code_is_shown_that_reads_as_something_else(length: int) -> None:
    text = "https://photos.example.com/j/" + "aZ0_-bY9" * 25
    made = qr.svg(text[:length])
    assert made is None or read(made) == text[:length]
    assert made is not None or length > 130


def test_two_admins_at_once_make_one_link(org: UUID, shoot: Shoot) -> None:
    met = Barrier(3, timeout=30)

    def make(_: int) -> None:
        with transaction(org) as session:
            met.wait()
            open_links.create(
                session,
                shoots.get(session, shoot.id, lock=True),
                domains="acme.example",
                most=5,
                last_day=(now() + timedelta(days=1)).date(),
                free_mail=False,
                actor=audit.SYSTEM,
            )

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(make, range(3)))
    assert [one.revoked_at is None for one in links(org)].count(True) == 1
