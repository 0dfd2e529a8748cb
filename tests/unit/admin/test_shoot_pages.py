"""Brand, styles, shoots and people through the pages."""

from __future__ import annotations

import io
import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from conftest import add_member, add_participation
from lxml import html
from painted import coarse
from PIL import Image
from sealing import put, sealed
from sqlalchemy import select
from work import judge_pictures

from admin.style_form import fields_of, spec_of
from admin.style_words import LABELS
from core import audit
from core.brand import brands
from core.clock import now
from core.db import transaction
from core.ids import new_id
from core.models import (
    Artifact,
    Erasure,
    Invite,
    Kind,
    Member,
    Organization,
    Outbox,
    Participation,
    State,
    Style,
)
from core.people import organizations
from core.queue import JobName
from core.shoots import invites, participations
from core.style.file import read_style
from core.style.outputs import NAMED_OUTPUTS, Frame, OutputCrop, Shape
from core.style.presets import PRESETS, presets
from core.style.spec import (
    Attire,
    Corner,
    Expression,
    Grade,
    Light,
    Logo,
    Scene,
    SceneBackdrop,
    Subject,
    Variants,
)
from core.vault import vault
from workers.jobs import invite_mail

STYLE = {
    "name": "Wall",
    "backdrop_kind": "solid",
    "color": "#aabbcc",
    "eye_line": "0.4",
    "outputs": "square 512x512 jpeg\nslack 256x256 png",
}


def png() -> io.BytesIO:
    target = io.BytesIO()
    Image.new("RGB", (900, 300), "red").save(target, "PNG")
    target.seek(0)
    return target


def save_style(browser: Any, address: str = "/admin/styles/new", **changes: Any) -> dict[str, Any]:
    answer = browser.post(address, {**STYLE, **changes})
    assert answer.status_code == 200, answer.text
    return answer.json


def judged_backdrop(org: UUID, browser: Any, content: bytes) -> str:
    """Send a backdrop's picture ahead of the form, as the studio's page does, and return what the form then says."""
    sent = browser.post("/admin/styles/pictures", {"image": (io.BytesIO(content), "wall.jpg")})
    assert sent.status_code == 200, sent.text
    judge_pictures(org)
    return str(browser.get(sent.json["poll"]).json["result"])


def create_shoot(browser: Any, style_id: str) -> str:
    answer = browser.post(
        "/admin/shoots/new",
        {"name": "Team", "style_id": style_id, "deadline": (now() + timedelta(days=9)).date().isoformat()},
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json["id"])


def test_a_logo_replaces_the_old_one_whose_bytes_are_destroyed(org: UUID, browser: Any) -> None:
    logos = []
    for _ in range(2):
        values = {"name": "Acme Optics", "accent": "#0F6B5C", "logo": (png(), "logo.png")}
        assert browser.post("/admin/brand", values).status_code == 200
        with transaction(org) as session:
            assert session.get_one(Organization, org).logo_id == (logos[0] if logos else None)
        assert "Your new logo is being checked." in browser.get("/admin/brand").text
        judge_pictures(org)
        assert "being checked" not in browser.get("/admin/brand").text
        with transaction(org) as session:
            organization = session.get_one(Organization, org)
            assert (organization.name, organization.accent) == ("Acme Optics", "#0f6b5c")
            logos.append(organization.logo_id)
    assert browser.get(f"/brand/{org}/logo/{logos[1]}").mimetype == "image/png"
    assert browser.get(f"/brand/{org}/logo/{logos[0]}").status_code == 404
    with transaction(org) as session:
        assert session.get_one(Artifact, logos[0]).delete_requested_at is not None
        assert logos[0] in session.scalars(select(Outbox.subject_id).where(Outbox.job == JobName.PURGE)).all()
        sent = session.scalars(select(Artifact).where(Artifact.kind == Kind.UPLOAD)).all()
        assert len(sent) == 2
        assert all(one.delete_requested_at is not None for one in sent), "the files as they came are gone"


def test_a_damaged_logo_says_so_and_the_one_before_stays(org: UUID, browser: Any) -> None:
    with transaction(org) as session:
        before = brands.replace_logo(session, sealed(org, png().getvalue(), Kind.LOGO), actor=audit.SYSTEM)
    values = {"name": "Acme", "accent": "#0f6b5c", "logo": (io.BytesIO(png().getvalue()[:200]), "logo.png")}
    assert browser.post("/admin/brand", values).status_code == 200
    judge_pictures(org)
    assert "This picture is damaged or was cut short." in browser.get("/admin/brand").text
    with transaction(org) as session:
        assert session.get_one(Organization, org).logo_id == before


def test_an_svg_logo_changes_nothing_and_says_what_to_do(org: UUID, browser: Any) -> None:
    values = {"name": "New name", "accent": "#0f6b5c", "logo": (io.BytesIO(b"<svg/>"), "logo.svg")}
    answer = browser.post("/admin/brand", values, json=False)
    assert answer.status_code == 422
    assert "export the picture as a PNG" in answer.text
    with transaction(org) as session:
        assert session.get_one(Organization, org).name == "Acme"


def test_the_preview_shows_the_style_that_the_form_describes(browser: Any) -> None:
    corner = {}
    for color in ("#112233", "#ddeeff"):
        answer = browser.post("/admin/styles/preview.jpg", {**STYLE, "color": color})
        assert answer.mimetype == "image/jpeg"
        with Image.open(io.BytesIO(answer.data)) as picture:
            corner[color] = picture.convert("RGB").getpixel((3, 3))
    for color, seen in corner.items():
        wanted = tuple(int(color[at : at + 2], 16) for at in (1, 3, 5))
        assert max(abs(one - other) for one, other in zip(seen, wanted, strict=True)) < 12


def test_a_preview_shows_a_picture_that_is_not_saved_yet(org: UUID, browser: Any) -> None:
    wall = judged_backdrop(org, browser, png().getvalue())
    values = {**STYLE, "backdrop_kind": "image", "blur": "0", "image_id": wall}
    answer = browser.post("/admin/styles/preview.jpg", values)
    with Image.open(io.BytesIO(answer.data)) as picture:
        red, green, blue = picture.convert("RGB").getpixel((3, 3))
    assert red > 230
    assert max(green, blue) < 40
    with transaction(org) as session:
        assert not session.scalars(select(Style)).all()


def test_the_preview_shows_the_companys_logo(org: UUID, browser: Any) -> None:
    with transaction(org) as session:
        brands.replace_logo(session, sealed(org, png().getvalue(), Kind.LOGO), actor=audit.SYSTEM)
    values = {**STYLE, "use_logo": "1", "corner": "top-right", "logo_width": "0.14"}
    seen = []
    for changes in ({}, {"use_logo": ""}):
        answer = browser.post("/admin/styles/preview.jpg", {**values, **changes})
        with Image.open(io.BytesIO(answer.data)) as picture:
            seen.append(picture.convert("RGB").getpixel((512 - 30, 28)))
    assert seen[0][0] > 200 > 100 > seen[0][1]  # red on the wall
    assert max(abs(one - other) for one, other in zip(seen[1], (0xAA, 0xBB, 0xCC), strict=True)) < 12


def test_a_logo_over_the_head_is_refused_beside_its_field(browser: Any) -> None:
    wrong = {**STYLE, "use_logo": "1", "logo_width": "0.3"}
    answer = browser.post("/admin/styles/preview.jpg", wrong)
    assert answer.status_code == 422
    assert answer.json["error"]["marked"] == ["use_logo"]
    assert "would lie over the head in the size square" in answer.json["error"]["said"][0]
    page = browser.post("/admin/styles/new?lang=de", wrong, json=False)
    assert page.status_code == 422
    marked = html.document_fromstring(page.text).xpath("//*[@id='use_logo-error']")[0]
    assert "läge in der Größe square über dem Kopf" in marked.text_content()


def test_each_wrong_field_is_marked_where_it_stands(browser: Any) -> None:
    wrong = {"name": "", "eye_line": "9", "light_contrast": "7", "saturation": "x", "outputs": "tiny 5x5"}
    page = browser.post("/admin/styles/new", {**STYLE, **wrong}, json=False)
    found = html.document_fromstring(page.text)
    for field in wrong:
        assert found.xpath(f"//*[@id='{field}-error']")[0].text_content(), field
        assert found.xpath(f"//*[@id='{field}']/@aria-invalid") == ["true"], field
    assert found.xpath("//*[@id='exposure-error']")[0].text_content() == ""
    assert "Nothing was saved" in page.text
    summary = found.xpath("//*[@id='summary']//a")
    assert {link.get("href") for link in summary} == {f"#{field}" for field in wrong}
    said = {link.get("href"): link.text_content() for link in summary}
    assert said["#eye_line"] == "Height of the eyes: must be at most 0.6"
    assert said["#light_contrast"].startswith("Hardness: must be at most")
    assert said["#outputs"].startswith("Sizes of your own: “tiny 5x5”, width: must be at least")
    assert "crop.eye_line" not in page.text
    for link in summary:
        assert found.xpath(f"//*[@id='{link.get('href')[1:]}']"), link.get("href")


def test_after_a_failed_save_the_preset_and_what_was_typed_stay(browser: Any) -> None:
    page = html.document_fromstring(browser.get("/admin/styles/new?preset=charcoal").text)
    form = next(form for form in page.forms if form.get("id") == "studio")
    values = dict(form.form_values()) | {"name": "Northwind portraits", "outputs": "nonsense"}
    again = html.document_fromstring(browser.post("/admin/styles/new", values, json=False).text)
    assert [one.text_content() for one in again.xpath("//*[@id='presets']//a[@aria-current]")] == [
        "Charcoal low-key"
    ]
    name = again.xpath("//*[@id='name']")[0]
    assert name.get("value") == "Northwind portraits"
    assert name.get("data-typed") is not None
    assert again.xpath("//*[@id='summary']//a/@href") == ["#outputs"]


def test_a_name_that_is_taken_is_marked_at_the_name(browser: Any) -> None:
    save_style(browser)
    page = html.document_fromstring(browser.post("/admin/styles/new", STYLE, json=False).text)
    assert page.xpath("//*[@id='summary']//a/@href") == ["#name"]
    assert "Another style has this name" in page.xpath("//*[@id='name-error']")[0].text_content()


def test_every_field_of_the_studio_has_its_words(browser: Any) -> None:
    page = html.document_fromstring(browser.get("/admin/styles/new").text)
    form = next(form for form in page.forms if form.get("id") == "studio")
    fields = {name for name in form.fields if not name.startswith("size-")}
    assert fields - {"csrf_token", "image_id", "upload", "preset"} <= set(LABELS)


def test_every_field_of_the_studio_arrives_in_the_style(org: UUID, browser: Any) -> None:
    values = {
        "name": "All", "backdrop_kind": "scene", "scene": "garden", "seed": "12", "scene_blur": "0.06",
        "scene_exposure": "-0.5", "contact": "-0.2", "grain": "0.4", "eye_line": "0.44", "head_height": "0.5",
        "strength": "0.7", "azimuth": "-45", "elevation": "40", "light_contrast": "0.6", "exposure": "-0.1",
        "contrast": "0.2", "warmth": "0.1", "saturation": "0.9", "fade": "0.02", "use_logo": "1",
        "corner": "bottom-right", "logo_width": "0.1", "logo_opacity": "0.8", "size-badge": "1",
        "closer": "0.12", "variant_1": "#112233", "variant_2": "#FFEEDD", "use_variant_2": "1",
        "attire": "own", "expression": "smile", "size-web-avif": "1", "outputs": "card 54x86mm 254dpi head=0.7 eyes=0.5 png nologo\nhero 1600 x 900 avif\npill 300x200 webp rounded border=0.05 #112233",
        "size-avatar": "1", "avatar_shape": "rounded", "avatar_border": "0.03", "avatar_color": "#445566",
    }  # fmt: skip
    saved = save_style(browser, backdrop_kind="solid")  # so that nothing of it is a default of the next
    saved = browser.post(saved["next"], values).json
    with transaction(org) as session:
        spec = session.get_one(Style, UUID(saved["id"])).parsed
    assert spec.backdrop == SceneBackdrop(
        scene=Scene.GARDEN, seed=12, blur=0.06, exposure=-0.5, contact=-0.2, grain=0.4
    )
    assert spec.light == Light(strength=0.7, azimuth=-45, elevation=40, contrast=0.6, exposure=-0.1)
    assert spec.grade == Grade(contrast=0.2, warmth=0.1, saturation=0.9, fade=0.02)
    assert spec.logo == Logo(corner=Corner.BOTTOM_RIGHT, width=0.1, opacity=0.8)
    assert spec.variants == Variants(closer=0.12, colors=("#ffeedd",)), "a colour that is not offered is none"
    assert spec_of(fields_of(spec), "") == spec
    assert spec.subject == Subject(attire=Attire.OWN, expression=Expression.SMILE)
    badge, avif, avatar, card, hero, pill = spec.outputs
    assert avatar.frame == Frame(shape=Shape.ROUNDED, border=0.03, color="#445566")
    assert pill.frame == Frame(shape=Shape.ROUNDED, border=0.05, color="#112233")
    assert (badge, avif) == (NAMED_OUTPUTS["badge"], NAMED_OUTPUTS["web-avif"])
    assert (card.width, card.height, card.dpi, card.format, card.logo) == (540, 860, 254, "png", False)
    assert card.crop == OutputCrop(head_height=0.7, eye_line=0.5)
    assert (hero.width, hero.height, hero.format) == (1600, 900, "avif")
    assert read_style(browser.get(f"{saved['next']}/style.toml").text) == spec
    # And the form shows what was saved, so that saving it again changes nothing.
    page = html.document_fromstring(browser.get(saved["next"]).text).forms
    again = next(form for form in page if form.get("id") == "studio")
    shown = dict(again.form_values())
    assert spec_of(shown, "") == spec


@pytest.mark.parametrize("key", PRESETS)
def test_a_preset_is_saved_as_it_is(org: UUID, browser: Any, key: str) -> None:
    """The studio's sliders reach every value of the presets."""
    page = html.document_fromstring(browser.get(f"/admin/styles/new?preset={key}").text)
    form = next(form for form in page.forms if form.get("id") == "studio")
    for slider in page.xpath("//input[@type='range']"):
        steps = (float(slider.get("value")) - float(slider.get("min"))) / float(slider.get("step"))
        assert steps == pytest.approx(round(steps), abs=1e-6), slider.get("name")
    expected = presets("#2f4b6e")[key]
    assert spec_of(dict(form.form_values()), "") == expected
    answer = browser.get(f"/admin/styles/presets/{key}.jpg")
    assert answer.mimetype == "image/jpeg"
    assert browser.get("/admin/styles/presets/nobody.jpg").status_code == 404


def test_a_typed_name_stays_when_another_preset_is_chosen(browser: Any) -> None:
    page = browser.get("/admin/styles/new?preset=charcoal&name=Northwind+portraits").text
    assert html.document_fromstring(page).xpath("//*[@id='name']/@value") == ["Northwind portraits"]
    page = browser.get("/admin/styles/new?preset=charcoal").text
    assert html.document_fromstring(page).xpath("//*[@id='name']/@value") == ["Charcoal low-key"]


def test_a_style_that_no_shoot_uses_is_changed_in_place(org: UUID, browser: Any) -> None:
    first = save_style(browser)
    second = save_style(browser, first["next"], color="#000000")
    assert (second["id"], second["version"]) == (first["id"], 1)


def test_a_style_that_a_shoot_uses_never_changes_but_gets_a_new_version(org: UUID, browser: Any) -> None:
    first = save_style(browser)
    create_shoot(browser, first["id"])
    second = save_style(browser, first["next"], color="#000000")
    assert second["version"] == 2
    with transaction(org) as session:
        locked = session.get_one(Style, UUID(first["id"]))
        assert locked.spec["backdrop"]["color"] == "#aabbcc"
        assert session.get_one(Style, UUID(second["id"])).spec["backdrop"]["color"] == "#000000"


def test_a_backdrop_picture_that_no_style_shows_any_more_is_destroyed(org: UUID, browser: Any) -> None:
    picture = UUID(judged_backdrop(org, browser, png().getvalue()))
    first = save_style(browser, backdrop_kind="image", image_id=str(picture))
    save_style(browser, first["next"], backdrop_kind="image", image_id=str(picture), blur="0.05")
    with transaction(org) as session:
        assert session.get_one(Artifact, picture).delete_requested_at is None
    save_style(browser, first["next"])
    with transaction(org) as session:
        assert session.get_one(Artifact, picture).delete_requested_at is not None


def test_a_chosen_backdrop_stays_though_another_field_is_refused(org: UUID, browser: Any) -> None:
    wrong = {
        **STYLE,
        "name": "",
        "backdrop_kind": "image",
        "image": (io.BytesIO(coarse(1, (1200, 1000))), "wall.jpg"),
    }
    working = threading.Timer(
        0.5, judge_pictures, (org,), {"patience": 10.0}
    )  # a worker comes while the page waits for it
    working.start()
    refused = browser.post("/admin/styles/new", wrong, json=False)
    working.join()
    assert refused.status_code == 422
    (image_id,) = html.fromstring(refused.text).xpath("//input[@name='image_id']/@value")
    saved = save_style(browser, backdrop_kind="image", image_id=image_id)
    assert "it will look soft" not in saved["message"]
    with transaction(org) as session:
        assert session.get_one(Style, UUID(saved["id"])).spec["backdrop"]["image"] == image_id


def test_only_a_backdrop_of_ones_own_company_is_taken(org: UUID, browser: Any) -> None:
    other = organizations.create("globex", "Globex")
    with transaction(other) as session:
        theirs = vault().keep(session, sealed(other, coarse(1, (400, 400)), Kind.BACKDROP)).id
    with transaction(org) as session:
        logo = put(session, b"png", kind=Kind.LOGO, media_type="image/png", member_id=None).id
        ours = vault().keep(session, sealed(org, coarse(2, (400, 400)), Kind.BACKDROP)).id
    for image, status in ((theirs, 422), (logo, 422), (new_id(), 422), (ours, 200)):
        values = {**STYLE, "backdrop_kind": "image", "image_id": str(image)}
        assert browser.post("/admin/styles/new", values).status_code == status
        shown = browser.post("/admin/styles/preview.jpg", values)
        assert shown.status_code == status


def test_a_styles_card_shows_its_own_backdrop_and_follows_a_change(org: UUID, browser: Any) -> None:
    cards = []
    for name, seed in (("One", 1), ("Two", 2)):
        wall = judged_backdrop(org, browser, coarse(seed, (1200, 1000)))
        saved = save_style(browser, name=name, backdrop_kind="image", image_id=wall)
        (source,) = html.fromstring(browser.get("/admin/styles").text).xpath(
            f"//img[contains(@src, '{saved['id']}')]/@src"
        )
        cards.append(browser.get(source))
        assert browser.get(source, headers={"If-None-Match": cards[-1].headers["ETag"]}).status_code == 304
    assert cards[0].data != cards[1].data
    with Image.open(io.BytesIO(cards[0].data)) as shown:
        assert (shown.format, shown.size) == ("JPEG", (192, 192))
    save_style(browser, saved["next"], name="Two", color="#112233")
    changed = browser.get(source, headers={"If-None-Match": cards[-1].headers["ETag"]})
    assert changed.status_code == 200
    assert changed.data != cards[1].data


def test_only_a_style_that_no_shoot_uses_can_be_deleted(browser: Any) -> None:
    spare, used = save_style(browser, name="Spare"), save_style(browser, name="Used")
    create_shoot(browser, used["id"])
    assert "Delete the style" not in browser.get(used["next"]).text
    refused = browser.post(f"{used['next']}/delete")
    assert (refused.status_code, refused.json["error"]["code"]) == (409, "style_in_use")
    assert "Delete the style" in browser.get(spare["next"]).text
    assert browser.post(f"{spare['next']}/delete", json=False).location == "/admin/styles"
    assert browser.get(spare["next"]).status_code == 404
    assert "Spare" not in browser.get("/admin/styles").text


def test_an_empty_backdrop_is_called_empty_and_a_small_one_soft(org: UUID, browser: Any) -> None:
    empty = {**STYLE, "backdrop_kind": "image", "image": (io.BytesIO(b""), "wall.jpg")}
    refused = browser.post("/admin/styles/new", empty).json["error"]
    assert (refused["field"], refused["message"][:19]) == ("image", "This file is empty.")
    small = judged_backdrop(org, browser, coarse(1, (1600, 999)))
    saved = save_style(browser, backdrop_kind="image", image_id=small)
    assert "less than 1000 pixels on its short side: it will look soft" in saved["message"]
    again = browser.post(saved["next"], {**STYLE, "color": "#112233"}).json
    assert "it will look soft" not in again["message"]


def test_a_logo_that_is_too_small_is_kept_with_a_warning(org: UUID, browser: Any) -> None:
    said = []
    for size in ((99, 40), (100, 40)):
        values = {
            "name": "Acme",
            "accent": "#0F6B5C",
            "logo": (io.BytesIO(coarse(1, size, "PNG")), "logo.png"),
        }
        assert browser.post("/admin/brand", values).status_code == 200
        judge_pictures(org)
        said.append("it will look blurred" in browser.get("/admin/brand").text)
    assert said == [True, False]


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "x" * 81},
        {"color": "red"},
        {"eye_line": "5"},
        {"eye_line": "nan"},
        {"backdrop_kind": "video"},
        {"backdrop_kind": "image"},
        {"backdrop_kind": "image", "image_id": "../../etc/passwd"},
        {"outputs": "huge 99999x99999 jpeg"},
        {"outputs": "a 512x512 exe"},
        {"outputs": ""},
        {"outputs": "a 10x10mm 9999dpi"},
        {"backdrop_kind": "scene", "scene": "beach"},
        {"use_logo": "1", "corner": "middle"},
        {"azimuth": "90"},
        {"outputs": "same 512x512\nsame 256x256"},
        {"outputs": "\n".join(f"s{n} 100x100" for n in range(13))},
    ],
)
def test_a_style_that_cannot_be_used_is_refused_with_a_reason(browser: Any, changes: dict[str, str]) -> None:
    answer = browser.post("/admin/styles/new", {**STYLE, **changes})
    assert answer.status_code == 422
    assert answer.json["error"]["message"]


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"deadline": "soon"},
        {"deadline": "2020-01-01"},
        {"deadline": "9999-12-31"},
        {"style_id": "x"},
        {"style_id": ""},
        {"file_name": "{nobody}"},
    ],
)
def test_a_shoot_that_cannot_be_is_refused_with_a_reason(browser: Any, changes: dict[str, str]) -> None:
    values = {
        "name": "Team",
        "style_id": save_style(browser)["id"],
        "deadline": (now() + timedelta(days=9)).date().isoformat(),
        **changes,
    }
    answer = browser.post("/admin/shoots/new", values)
    assert answer.status_code == 422
    assert answer.json["error"]["message"]


def test_the_counts_name_every_state(org: UUID, browser: Any) -> None:
    shoot_id = add_participation(org, add_member(org), State.READY).shoot_id
    found = browser.get(f"/admin/shoots/{shoot_id}/counts.json").json
    assert set(found["counts"]) == {state.value for state in State}
    assert (found["counts"]["ready"], found["total"], found["done"]) == (1, 1, 0)


def test_a_new_link_leaves_the_old_one_until_its_mail_has_left_and_the_page_says_so(
    org: UUID, browser: Any
) -> None:
    row = add_participation(org, add_member(org), State.INVITED)
    for _ in range(2):
        answer = browser.post(f"/admin/shoots/{row.shoot_id}/people/{row.id}/resend")
        assert answer.status_code == 200
    with transaction(org) as session:
        first, second = session.scalars(select(Invite).order_by(Invite.id)).all()
        assert (first.revoked_at, second.revoked_at) == (None, None)
    assert "newest mail not sent yet" in browser.get(f"/admin/shoots/{row.shoot_id}").text
    with transaction(org) as session:
        invites.left(session, session.get_one(Invite, second.id))
        assert session.get_one(Invite, first.id).revoked_at is not None
    assert "newest mail not sent yet" not in browser.get(f"/admin/shoots/{row.shoot_id}").text


def test_hr_moves_the_deadline_and_reads_how_many_links_follow(org: UUID, browser: Any) -> None:
    row = add_participation(org, add_member(org), State.INVITED)
    shoot = f"/admin/shoots/{row.shoot_id}"
    browser.post(f"{shoot}/people/{row.id}/resend")
    day = now().date() + timedelta(days=30)
    answer = browser.post(f"{shoot}/deadline", {"deadline": day.isoformat()})
    assert (answer.json["links"], answer.json["earlier"]) == (1, 0)
    page = html.fromstring(browser.get(shoot).text)
    assert page.xpath("//input[@id='deadline']/@value") == [day.isoformat()]
    with transaction(org) as session:
        assert session.scalars(select(Invite.expires_at)).one().date() == day
    refused = browser.post(f"{shoot}/deadline", {"deadline": "2020-01-01"})
    assert (refused.status_code, refused.json["error"]["code"]) == (422, "shoot_unusable")
    browser.post(f"{shoot}/close")
    late = browser.post(f"{shoot}/deadline", {"deadline": day.isoformat()})
    assert (late.status_code, late.json["error"]["code"]) == (409, "shoot_closed")


@pytest.mark.parametrize("state", [State.DECLINED, State.APPROVED, State.DELIVERED, State.ERASED])
def test_nobody_is_reminded_who_has_answered(org: UUID, browser: Any, state: State) -> None:
    row = add_participation(org, add_member(org), state)
    one = browser.post(f"/admin/shoots/{row.shoot_id}/people/{row.id}/resend")
    assert (one.status_code, one.json["error"]["code"]) == (409, "not_remindable")
    assert browser.post(f"/admin/shoots/{row.shoot_id}/remind", {"confirmed": "0"}).json["sent"] == 0
    ticked = browser.post(f"/admin/shoots/{row.shoot_id}/people", {"participation": str(row.id)})
    assert (ticked.json["sent"], ticked.json["left"]) == (0, 1)
    with transaction(org) as session:
        assert not session.scalars(select(Invite)).all()


def test_nobody_is_reminded_by_one_click_and_nobody_twice_a_day(org: UUID, browser: Any) -> None:
    row = add_participation(org, add_member(org), State.OPENED)
    address = f"/admin/shoots/{row.shoot_id}/remind"
    assert "Send 1 reminder" in browser.get(address).text
    for unread in ({}, {"confirmed": "0"}, {"confirmed": "517"}):
        assert browser.post(address, unread).json["error"]["code"] == "number_changed"
    assert browser.post(address, {"confirmed": "1"}).json["sent"] == 1
    assert "1 person got a link within the last day" in browser.get(address).text
    assert browser.post(address, {"confirmed": "0"}).json["sent"] == 0
    ticked = {"participation": str(row.id), "action": "resend"}
    assert (
        "Send 1 person a new link?"
        in browser.post(f"/admin/shoots/{row.shoot_id}/people", ticked, json=False).text
    )
    assert browser.post(f"/admin/shoots/{row.shoot_id}/people", ticked).json == {
        **browser.post(f"/admin/shoots/{row.shoot_id}/people", ticked).json,
        "sent": 0,
        "left": 1,
    }


def test_reminding_everyone_reaches_who_has_only_to_choose_with_the_mail_that_says_so(
    org: UUID, browser: Any
) -> None:
    row = add_participation(org, add_member(org), State.READY)
    assert browser.post(f"/admin/shoots/{row.shoot_id}/remind", {"confirmed": "1"}).json["sent"] == 1
    with transaction(org) as session:
        invite = session.scalars(select(Invite)).one()
        mail = invite_mail.mail_of(session, invite.id)
        assert mail is not None
        assert "choose your headshot" in mail.subject
        assert invites.link_of(invite) in mail.text


def test_reminding_everyone_skips_whose_invitation_was_withdrawn(org: UUID, browser: Any) -> None:
    row = add_participation(org, add_member(org), State.INVITED)
    listing = f"/admin/shoots/{row.shoot_id}/people/{row.id}"
    browser.post(f"{listing}/resend")
    assert "Withdraw it now" in browser.get(f"/admin/shoots/{row.shoot_id}").text
    assert browser.post(f"{listing}/revoke").status_code == 200
    assert browser.post(f"/admin/shoots/{row.shoot_id}/remind", {"confirmed": "0"}).json["sent"] == 0
    assert "ended unused" not in browser.get(f"/admin/shoots/{row.shoot_id}").text
    assert browser.post(f"{listing}/resend").status_code == 200


def test_closing_ends_open_links_and_keeps_finished_pictures(org: UUID, browser: Any) -> None:
    row = add_participation(org, add_member(org), State.INVITED)
    browser.post(f"/admin/shoots/{row.shoot_id}/people/{row.id}/resend")
    done = add_member(org, "Grace")
    with transaction(org) as session:
        finished = Participation(
            org_id=org, shoot_id=row.shoot_id, member_id=done.id, state=State.APPROVED, changed_at=now()
        )
        session.add(finished)
    for unfinished in (1, 0):
        assert browser.post(f"/admin/shoots/{row.shoot_id}/close").json["unfinished"] == unfinished
    with transaction(org) as session:
        assert session.get_one(Participation, row.id).state == State.EXPIRED
        assert session.get_one(Participation, finished.id).state == State.APPROVED
        assert session.scalars(select(Invite)).one().revoked_at is not None
    late = browser.post(f"/admin/shoots/{row.shoot_id}/people/{row.id}/resend")
    assert (late.status_code, late.json["error"]["code"]) == (409, "shoot_closed")


def test_every_person_is_on_exactly_one_page(org: UUID, browser: Any) -> None:
    from core.people import listing

    for number in range(7):
        add_member(org, f"P{number}", email=f"p{number}@acme.example")
    seen: list[UUID] = []
    after = None
    with transaction(org) as session:
        while True:
            page = listing.page(session, after_member=after, most=3)
            seen += [one.member.id for one in page.people]
            after = page.after
            if after is None:
                break
        everyone = set(session.scalars(select(Member.id)))
    assert len(seen) == len(set(seen)) == 8
    assert set(seen) == everyone


def test_declining_shows_no_reason_and_costs_nothing(org: UUID, browser: Any) -> None:
    member = add_member(org)
    row = add_participation(org, member, State.OPENED)
    with transaction(org) as session:
        participations.move(
            session, session.get_one(Participation, row.id), State.DECLINED, actor=audit.SYSTEM
        )
    page = browser.get(f"/admin/people/{member.id}").text
    assert "Not participating" in page
    assert "eclined" not in page


def test_erasing_on_behalf_asks_for_the_address(org: UUID, browser: Any) -> None:
    member = add_member(org, "Grace")
    address = f"/admin/people/{member.id}/erase"
    assert browser.post(address, {"confirmation": "grace"}).status_code == 422
    with transaction(org) as session:
        assert not session.scalars(select(Erasure)).all()
    assert browser.post(address, {"confirmation": " GRACE@acme.example "}).status_code == 200
    with transaction(org) as session:
        assert session.scalars(select(Erasure)).one().reason == "employer_request"
        assert session.get_one(Member, member.id).email is None
    assert browser.get(f"/admin/people/{member.id}").status_code == 404
    assert "Grace" not in browser.get("/admin/people").text


def test_the_last_admin_cannot_be_erased(org: UUID, browser: Any) -> None:
    with transaction(org) as session:
        admin = session.scalars(select(Member)).one()
    answer = browser.post(f"/admin/people/{admin.id}/erase", {"confirmation": admin.email})
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "last_admin")


def test_access_is_switched_off_and_on_with_a_button(org: UUID, browser: Any) -> None:
    member = add_member(org, "Grace")
    add_participation(org, member)
    address = f"/admin/people/{member.id}"
    assert "Switch access off" in browser.get(address).text
    assert browser.post(f"{address}/disable", json=False).location == address
    page = browser.get(address).text
    assert "off since" in page
    assert "Switch access on" in page
    assert browser.post(f"{address}/enable", json=False).location == address
    assert "Switch access off" in browser.get(address).text


def test_the_last_admin_cannot_be_switched_off(org: UUID, browser: Any) -> None:
    with transaction(org) as session:
        admin = session.scalars(select(Member)).one()
    answer = browser.post(f"/admin/people/{admin.id}/disable", json=False)
    assert answer.status_code == 409
    assert "last admin" in answer.text
    assert browser.get("/admin/").status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "/admin/shoots/01a20aac-06e6-71c1-bad5-30a9025795b2",
        "/admin/people/01a20aac-06e6-71c1-bad5-30a9025795b2",
        "/admin/styles/01a20aac-06e6-71c1-bad5-30a9025795b2",
        "/admin/styles/new?preset=nobody",
        "/admin/people?after=x",
        "/admin/audit?tag=nobody",
        "/admin/audit?before=x",
        "/admin/audit/checkpoints/9.txt",
        "/admin/nothing",
    ],
)
def test_an_address_that_leads_nowhere_is_answered_calmly(browser: Any, address: str) -> None:
    answer = browser.get(address)
    assert answer.status_code in (404, 422)
    assert "went wrong on our side" not in answer.text


def test_a_wrong_field_of_a_new_shoot_comes_back_with_what_was_typed(org: UUID, browser: Any) -> None:
    style = save_style(browser)["id"]
    values = {"name": "Autumn team", "style_id": style, "deadline": "2999-01-31", "file_name": "same.jpg"}
    answer = browser.post("/admin/shoots/new", values, json=False)
    assert answer.status_code == 422
    assert "Autumn team" in answer.text
    assert "same.jpg" in answer.text
    assert "Wall" in answer.text
