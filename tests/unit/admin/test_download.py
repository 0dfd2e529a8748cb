"""Downloading a shoot as one ZIP."""

from __future__ import annotations

import io
import zipfile
from typing import Any
from uuid import UUID

from conftest import add_member, add_shoot
from lxml import html
from origins import read
from PIL import Image
from sealing import put, sealed
from sqlalchemy import select

from compliance import erasure
from compliance.erasure import ErasureReason
from core import audit
from core.brand import brands, styles
from core.clock import now
from core.db import transaction
from core.ids import new_id
from core.models import (
    Alternative,
    AuditEvent,
    Headshot,
    Kind,
    Member,
    Participation,
    Photo,
    Shoot,
    State,
    Style,
)
from core.style.outputs import Output
from core.style.spec import Corner, Logo, StyleSpec


def png(color: str, size: int = 1024) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (size, size), color).save(target, "PNG")
    return target.getvalue()


def finish(org: UUID, shoot: Shoot, member: Member, color: str, engine: str = "studio") -> UUID:
    """Give a person an approved headshot of one colour."""
    with transaction(org) as session:
        row = Participation(
            id=new_id(),
            org_id=org,
            shoot_id=shoot.id,
            member_id=member.id,
            changed_at=now(),
            state=State.APPROVED,
        )
        session.add(row)
        session.flush()
        sealed = put(session, png(color), kind=Kind.HEADSHOT, media_type="image/png", member_id=member.id)
        photo = Photo(
            id=new_id(),
            org_id=org,
            participation_id=row.id,
            member_id=member.id,
            artifact_id=sealed.id,
            upload_key="k",
        )
        session.add(photo)
        session.flush()
        headshot = Headshot(
            id=new_id(),
            org_id=org,
            participation_id=row.id,
            member_id=member.id,
            photo_id=photo.id,
            style_id=shoot.style_id,
            artifact_id=sealed.id,
            engine=engine,
            rank=0,
            gates={},
            seconds=1.0,
        )
        session.add(headshot)
        row.chosen_headshot_id = headshot.id
        return row.id


def decline(org: UUID, shoot: Shoot, member: Member, alternative: Alternative) -> None:
    with transaction(org) as session:
        session.add(
            Participation(
                org_id=org,
                shoot_id=shoot.id,
                member_id=member.id,
                changed_at=now(),
                state=State.DECLINED,
                alternative=alternative,
            )
        )
        if alternative is Alternative.OWN_PICTURE:
            put(session, png("blue"), kind=Kind.OWN_PICTURE, media_type="image/png", member_id=member.id)


def opened(content: bytes) -> zipfile.ZipFile:
    found = zipfile.ZipFile(io.BytesIO(content))
    assert found.testzip() is None
    return found


def pictures(found: zipfile.ZipFile) -> list[str]:
    """Return what an archive has beside its list of itself, which comes last."""
    *names, last = found.namelist()
    assert last == "manifest.csv"
    return sorted(names)


def test_the_archive_holds_each_approved_headshot_under_the_companys_name(org: UUID, browser: Any) -> None:
    shoot = add_shoot(org)
    row = finish(org, shoot, add_member(org, "Grace", employee_id="EMP-0007"), "red")
    finish(org, shoot, add_member(org, "Ada"), "green")
    answer = browser.get(f"/admin/shoots/{shoot.id}/download.zip")
    assert answer.mimetype == "application/zip"
    found = opened(answer.data)
    assert pictures(found) == ["EMP-0007_Example_Grace.jpg", "Example_Ada.jpg"]
    assert {entry.compress_type for entry in found.infolist()} == {zipfile.ZIP_STORED}
    with Image.open(io.BytesIO(found.read("EMP-0007_Example_Grace.jpg"))) as picture:
        assert (picture.format, picture.size) == ("JPEG", (1024, 1024))
        assert picture.convert("RGB").getpixel((500, 500))[0] > 240
    credentials = read(found.read("EMP-0007_Example_Grace.jpg"), "image/jpeg")
    assert credentials is not None
    assert (credentials.state, credentials.actions[1]["action"]) == ("Valid", "c2pa.edited")
    assert not any(word in credentials.whole for word in ("Grace", "Example", "EMP-0007", "Acme"))
    with transaction(org) as session:
        assert session.get_one(Participation, row).state == State.DELIVERED
        event = session.scalars(select(AuditEvent).where(AuditEvent.tag == "shoot.downloaded")).one()
    assert event.facts["people"] == 2
    assert b"Grace" not in event.leaf


def test_a_file_says_whose_portrait_it_is_and_carries_the_logo(org: UUID, browser: Any) -> None:
    shoot = add_shoot(org, StyleSpec(logo=Logo(corner=Corner.TOP_LEFT, width=0.1, margin=0.02)))
    with transaction(org) as session:
        brands.save(session, name="Acme Optics", accent="#000000", actor=audit.SYSTEM)
        brands.replace_logo(session, sealed(org, png("lime", 64), Kind.LOGO), actor=audit.SYSTEM)
    finish(org, shoot, add_member(org, "Grace"), "red")
    found = opened(browser.get(f"/admin/shoots/{shoot.id}/download.zip").data)
    with Image.open(io.BytesIO(found.read("Example_Grace.jpg"))) as picture:
        said = picture.info["xmp"].decode()
        assert picture.convert("RGB").getpixel((60, 60))[1] > 200
        assert picture.convert("RGB").getpixel((900, 900))[1] < 40
    assert "Portrait of Grace Example, Acme Optics" in said
    assert "Portrait photo of Grace Example against a grey backdrop" in said
    assert "<rdf:li>Acme Optics</rdf:li>" in said


def test_each_file_is_of_the_style_that_its_headshot_was_made_in(org: UUID, browser: Any) -> None:
    """Also after the shoot got another style, and where departments have one of their own."""
    wide = Output(name="wide", width=1000, height=500)
    shoot = add_shoot(org, StyleSpec(logo=Logo(corner=Corner.TOP_LEFT, width=0.1, margin=0.02)))
    with transaction(org) as session:
        brands.replace_logo(session, sealed(org, png("lime", 64), Kind.LOGO), actor=audit.SYSTEM)
    before = finish(org, shoot, add_member(org, "Before"), "red")
    later = add_shoot(org, StyleSpec(outputs=(wide,)))
    with transaction(org) as session:
        session.get_one(Shoot, shoot.id).style_id = later.style_id
    after = finish(org, later, add_member(org, "After"), "blue")
    with transaction(org) as session:
        session.get_one(Participation, after).shoot_id = shoot.id
    sizes = set(
        html.fromstring(browser.get(f"/admin/shoots/{shoot.id}/deliver").text).xpath(
            "//input[@name='size']/@value"
        )
    )
    assert sizes > {"wide", "square"}
    whole = opened(browser.get(f"/admin/shoots/{shoot.id}/download.zip").data)
    with Image.open(io.BytesIO(whole.read("Example_Before.jpg"))) as picture:
        assert picture.size == (1024, 1024)
        assert picture.convert("RGB").getpixel((60, 60))[1] > 200, "its own style's logo"
    with Image.open(io.BytesIO(whole.read("Example_After.jpg"))) as picture:
        assert picture.size == (1000, 500)
    chosen = opened(browser.get(f"/admin/shoots/{shoot.id}/download.zip?size=wide&size=square").data)
    assert pictures(chosen) == ["square/Example_Before.jpg", "wide/Example_After.jpg"]
    files = f"/admin/shoots/{shoot.id}/pictures/{before}/files"
    assert browser.get(f"{files}/square").status_code == 200
    assert browser.get(f"{files}/wide").status_code == 422, "this picture has no such size"
    with transaction(org) as session:
        handed = session.scalars(select(AuditEvent).where(AuditEvent.tag == audit.Tag.HEADSHOT_HANDED)).all()
    assert "wide" not in {str(event.facts["outputs"]) for event in handed if event.facts["alone"]}
    assert sum(bool(event.facts["alone"]) for event in handed) == 1, "what was refused was not handed over"
    assert browser.get(f"/admin/shoots/{shoot.id}/download.zip?size=poster").status_code == 422


def test_an_avatar_s_new_frame_counts_for_headshots_that_exist(org: UUID, browser: Any) -> None:
    shoot = add_shoot(org, StyleSpec(outputs=("square", "avatar")))
    finish(org, shoot, add_member(org, "Grace"), "green")
    with transaction(org) as session:
        style = session.get_one(Style, shoot.style_id)
        style.locked_at = now()
        ring = {"name": "avatar", "frame": {"border": 0.1, "color": "#ff0000"}}
        wanted = StyleSpec(name=style.name, outputs=("square", ring))
        styles.save(session, wanted, style=style, actor=audit.SYSTEM)
    found = opened(browser.get(f"/admin/shoots/{shoot.id}/download.zip?size=avatar").data)
    with Image.open(io.BytesIO(found.read("Example_Grace.png"))) as picture:
        assert picture.getpixel((256, 10)) == (255, 0, 0, 255)
        assert picture.getpixel((0, 0))[3] == 0


def test_who_declined_is_there_with_initials_or_a_picture_of_their_own(org: UUID, browser: Any) -> None:
    shoot = add_shoot(org)
    decline(org, shoot, add_member(org, "Grace"), Alternative.INITIALS)
    decline(org, shoot, add_member(org, "Ada"), Alternative.OWN_PICTURE)
    found = opened(browser.get(f"/admin/shoots/{shoot.id}/download.zip").data)
    assert pictures(found) == ["alternatives/Example_Ada.png", "alternatives/Example_Grace.png"]
    with Image.open(io.BytesIO(found.read("alternatives/Example_Ada.png"))) as picture:
        assert picture.convert("RGB").getpixel((9, 9)) == (0, 0, 255)
    for name, action in (("Ada", "c2pa.opened"), ("Grace", "c2pa.created")):
        credentials = read(found.read(f"alternatives/Example_{name}.png"), "image/png")
        assert credentials is not None
        assert (credentials.state, credentials.actions[0]["action"]) == ("Valid", action)


def test_people_of_one_name_do_not_overwrite_each_other(org: UUID, browser: Any) -> None:
    shoot = add_shoot(org)
    for number in range(3):
        finish(org, shoot, add_member(org, "Grace", email=f"g{number}@acme.example"), "red")
    found = opened(browser.get(f"/admin/shoots/{shoot.id}/download.zip").data)
    assert pictures(found) == ["Example_Grace.jpg", "Example_Grace_2.jpg", "Example_Grace_3.jpg"]


def test_someone_erased_while_the_download_runs_is_not_in_it(org: UUID, browser: Any) -> None:
    shoot = add_shoot(org)
    first, second = add_member(org, "Ada"), add_member(org, "Grace")
    finish(org, shoot, first, "red")
    finish(org, shoot, second, "green")
    answer = browser.get(f"/admin/shoots/{shoot.id}/download.zip", buffered=False)
    pieces = answer.iter_encoded()
    content = next(pieces)
    with transaction(org) as session:
        erasure.request(
            session,
            session.get_one(Member, second.id),
            reason=ErasureReason.SELF_SERVICE,
            actor=audit.SYSTEM,
            language="en",
        )
    content += b"".join(pieces)
    assert pictures(opened(content)) == ["Example_Ada.jpg"]


def test_nothing_to_download_is_said_and_not_sent(org: UUID, browser: Any) -> None:
    answer = browser.get(
        f"/admin/shoots/{add_shoot(org).id}/download.zip", headers={"Accept": "application/json"}
    )
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "nothing_to_download")


def test_a_form_with_no_size_ticked_hands_nothing_over(org: UUID, browser: Any) -> None:
    shoot = add_shoot(org)
    finish(org, shoot, add_member(org, "Grace"), "red")
    answer = browser.post(f"/admin/shoots/{shoot.id}/download.zip")
    assert (answer.status_code, answer.json["error"]["code"]) == (422, "no_size_chosen")
    answer = browser.post(f"/admin/shoots/{shoot.id}/download.zip", json=False)
    assert answer.location.endswith("/deliver")
    assert "No size is ticked" in browser.get(answer.location).text
    with transaction(org) as session:
        assert session.scalar(select(AuditEvent.id).where(AuditEvent.tag == "shoot.downloaded")) is None


def test_model_made_pictures_say_so_in_a_corner_once_the_company_wants_it_and_photos_never(
    org: UUID, browser: Any
) -> None:
    shoot = add_shoot(org)
    made = {"ada": "diffusion", "grace": "wardrobe", "linus": "studio"}
    for name, engine in made.items():
        finish(org, shoot, add_member(org, name.title()), "white", engine)
    brand = {"name": "Acme", "accent": "#2f4b6e"}

    def labelled() -> dict[str, bool]:
        found = {}
        archive = opened(browser.get(f"/admin/shoots/{shoot.id}/download.zip").data)
        for file in pictures(archive):
            content = archive.read(file)
            name = next(one for one in made if one in file.lower())
            with Image.open(io.BytesIO(content)) as image:
                width, height = image.size
                corner = image.convert("L").crop((width // 2, height * 9 // 10, width, height))
                dark = corner.getextrema()[0] < 120
            said = read(content, "image/jpeg")
            assert said is not None
            assert any("visible label" in one["description"] for one in said.actions) is dark
            found[name] = dark
        return found

    nobody = dict.fromkeys(made, False)
    assert labelled() == nobody, "off at first"
    browser.post("/admin/brand", brand | {"label_asked": "1", "label": "1"})
    assert labelled() == {"ada": True, "grace": True, "linus": False}
    browser.post("/admin/brand", brand)  # a form from before it was asked for clears nothing
    assert labelled() == {"ada": True, "grace": True, "linus": False}
    assert ' name="label" value="1" aria-describedby="label-hint" checked' in browser.get("/admin/brand").text
    browser.post("/admin/brand", brand | {"label_asked": "1"})
    assert labelled() == nobody
    with transaction(org) as session:
        events = session.scalars(
            select(AuditEvent.facts)
            .where(AuditEvent.tag == "organization.label_changed")
            .order_by(AuditEvent.id)
        ).all()
    assert events == [{"wanted": True}, {"wanted": False}]
