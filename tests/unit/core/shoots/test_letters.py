"""What the mails say, in the company's brand and the reader's language."""

from __future__ import annotations

import io
import re
import shutil
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from uuid import UUID

import pytest
from conftest import add_member, add_participation
from PIL import Image
from sealing import put

from core import audit
from core.clock import now
from core.db import transaction
from core.mail.message import Mail, compose
from core.models import Artifact, Invite, Kind, Member, Participation, Shoot, SignInMethod, State
from core.people import organizations, sessions
from core.shoots import devices, invites, letters, wording
from core.shoots.letters import invitation, ready, reminder
from core.shoots.wording import TEMPLATES
from core.style.colors import MIN_CONTRAST, contrast, parse_hex, text_on


class _Words(HTMLParser):
    """The words that a reader of the HTML part sees."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("style", "title") or "display:none" in (dict(attrs).get("style") or ""):
            self._hidden += 1
        if tag == "img":
            self.seen.append(dict(attrs).get("alt") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "title", "div") and self._hidden:
            self._hidden -= 1

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.seen.append(data)


KINDS = ("invite", "ready", "remind", "remind_ready", "device", "disowned")


def words_of(text: str) -> set[str]:
    return {word for word in text.replace(":\n", "\n").split() if word != "--"}


def words(html: str) -> set[str]:
    parser = _Words()
    parser.feed(html)
    return words_of(" ".join(parser.seen))


def invite_for(org: UUID, person: Member) -> tuple[Participation, Invite]:
    row = add_participation(org, person)
    with transaction(org) as session:
        return row, invites.create(session, row, actor=audit.SYSTEM)


def invitation_of(org: UUID, person: Member) -> tuple[Mail, Invite]:
    _, invite = invite_for(org, person)
    fetch_logo(org)
    with transaction(org) as session:
        return invitation(session, invite), invite


def fetch_logo(org: UUID) -> None:
    with transaction(org) as session:
        held = letters.unfetched_logo(session, organizations.current(session))
    if held is not None:
        letters.fetch_logo(held)


def a_mail(org: UUID, kind: str, language: str = "en", days: int = 14) -> Mail:
    """A mail of each kind that we send, to Zoë, so many days before the shoot's last one."""
    row, invite = invite_for(org, add_member(org, "Zoë", email="zoe@acme.example", language=language))
    fetch_logo(org)
    with transaction(org) as session:
        session.get_one(Shoot, row.shoot_id).deadline = now() + timedelta(days=days, minutes=1)
        if kind == "remind_ready":
            session.get_one(Participation, row.id).state = State.READY
        session.flush()
        if kind == "ready":
            return ready(session, row)
        if kind in ("device", "disowned"):
            zoe = session.get_one(Member, row.member_id)
            for device in ("phone", "laptop"):
                token = sessions.start(session, zoe, SignInMethod.INVITE, participation=row)
                opened = sessions.row_of(session, token)
                devices.arrive(session, opened, secret=device, agent="Android")
            if kind == "disowned":
                devices.disown(session, opened.id)
            return letters.opened(session, opened)
        return (invitation if kind == "invite" else reminder)(session, session.get_one(Invite, invite.id))


def set_logo(org: UUID, content: bytes, media_type: str = "image/png") -> None:
    with transaction(org) as session:
        artifact = put(session, content, kind=Kind.LOGO, media_type=media_type, member_id=None)
        organizations.current(session).logo_id = artifact.id


def picture(size: tuple[int, int] = (1200, 300), kind: str = "PNG") -> bytes:
    content = io.BytesIO()
    Image.new("RGB", size, "#224466").save(content, kind)
    return content.getvalue()


def test_invitation_answers_what_an_employee_asks(org: UUID, member: Member) -> None:
    mail, invite = invitation_of(org, member)
    assert mail.to == member.email
    assert mail.sender_name == "Acme Headshots"
    assert mail.reply_to == "privacy@acme.example"
    for said in (
        "Hello Ada,", "Acme invites you", "“Spring”", "2 minutes and 3 photos", "Where does my face go?",
        "30 days after you approve", "Declining is fine", invites.link_of(invite), "privacy@acme.example",
        letters._day(invite.expires_at, "en"),
    ):  # fmt: skip
        assert said in mail.text


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("kind", KINDS)
def test_text_says_what_html_says(org: UUID, language: str, kind: str) -> None:
    mail = a_mail(org, kind, language)
    assert f'<html lang="{language}">' in mail.html
    read, heard = words(mail.html), words_of(mail.text)
    # HTML prints the address once more for programs that cannot click, with a sentence that says so.
    assert read - heard <= words_of(wording.words(language)["link_hint"])
    assert heard <= read


def test_member_with_a_language_we_lack_reads_english(org: UUID) -> None:
    mail, _ = invitation_of(org, add_member(org, "Yuki", language="ja"))
    assert "Hello Yuki," in mail.text


def test_both_languages_say_the_same_things() -> None:
    def shape(value: object) -> object:
        if isinstance(value, dict):
            return {key: shape(inner) for key, inner in value.items()}
        return sorted(re.findall(r"\{\w+\}", str(value)))

    english, german = wording.words("en"), wording.words("de")
    assert shape(english) == shape(german)
    assert {path.name for path in TEMPLATES.glob("mail.*.toml")} == {
        f"mail.{code}.toml" for code in wording.LANGUAGES
    }


def test_names_cannot_write_html_or_headers(org: UUID) -> None:
    with transaction(org) as session:
        organizations.current(session).name = "<b>Acme</b> {accent} & Söhne"
    mail, _ = invitation_of(org, add_member(org, '<img src=x onerror="x">', email="evil@acme.example"))
    assert "<b>Acme</b>" not in mail.html
    assert "<img src=x" not in mail.html
    assert "<b>Acme</b> {accent} & Söhne" in mail.text


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_logo_travels_small_as_a_png_in_the_mail(org: UUID, member: Member, kind: str) -> None:
    set_logo(org, picture(kind=kind))
    mail, _ = invitation_of(org, member)
    (logo,) = mail.inline
    assert logo.media_type == "image/png"
    assert f'src="cid:{logo.cid}" width="192" height="48"' in mail.html
    with Image.open(io.BytesIO(logo.content)) as shown:
        assert shown.size == (384, 96)
    assert 'alt="Acme"' in mail.html


def test_a_wave_of_mails_fetches_the_logo_once(org: UUID, member: Member, tmp_path: Path) -> None:
    set_logo(org, picture())
    first, _ = invitation_of(org, member)
    shutil.rmtree(tmp_path / "storage")
    second, _ = invitation_of(org, member)
    assert second.inline == first.inline != ()


@pytest.mark.parametrize("broken", [b"<svg/>", picture()[:60]])
def test_logo_that_cannot_be_read_stops_no_mail(org: UUID, member: Member, broken: bytes) -> None:
    set_logo(org, broken)
    mail, _ = invitation_of(org, member)
    assert mail.inline == ()
    assert ">Acme</p>" in mail.html


def test_deleted_logo_stops_no_mail(org: UUID, member: Member) -> None:
    set_logo(org, picture())
    with transaction(org) as session:
        logo_id = organizations.current(session).logo_id
        assert logo_id
        session.get_one(Artifact, logo_id).delete_requested_at = now()
    mail, _ = invitation_of(org, member)
    assert mail.inline == ()


@pytest.mark.parametrize("accent", ["#ffee00", "#000000", "#ffffff", "#2f4b6e", "#808080"])
def test_every_accent_can_be_read_on_button_and_ground(org: UUID, member: Member, accent: str) -> None:
    with transaction(org) as session:
        organizations.current(session).accent = accent
    mail, _ = invitation_of(org, member)
    on_accent = re.search(r"font-weight:bold;color:(#\w{6});text-decoration:none", mail.html)
    on_light = re.search(r'class="link"[^>]*style="color:(#\w{6})', mail.html)
    on_dark = re.search(r"\.link \{ color: (#\w{6}) !important", mail.html)
    assert on_accent
    assert on_light
    assert on_dark
    assert contrast(parse_hex(on_accent[1]), parse_hex(accent)) >= MIN_CONTRAST
    assert contrast(parse_hex(on_light[1]), (255, 255, 255)) >= MIN_CONTRAST
    assert contrast(parse_hex(on_dark[1]), parse_hex("#171a1f")) >= MIN_CONTRAST
    assert text_on(parse_hex(accent)) == parse_hex(on_accent[1])


def test_mail_loads_nothing_from_elsewhere(org: UUID, member: Member) -> None:
    mail, invite = invitation_of(org, member)
    addresses = set(re.findall(r"https?://[^\s\"'<>]+", mail.html))
    assert addresses == {invites.link_of(invite), "http://localhost/trust/acme"}
    assert "<script" not in mail.html


def test_ready_mail_carries_the_newest_link(org: UUID, member: Member) -> None:
    row, older = invite_for(org, member)
    with transaction(org) as session:
        newer = invites.create(session, row, actor=audit.SYSTEM)
        mail = ready(session, row)
    assert invites.link_of(newer) in mail.text
    assert invites.link_of(older) not in mail.text


def test_ready_mail_without_an_invitation_leads_to_the_persons_own_pages(org: UUID, member: Member) -> None:
    row = add_participation(org, member, State.READY)
    with transaction(org) as session:
        mail = ready(session, row)
    assert "http://localhost/me/\n" in mail.text


def test_every_subject_names_the_shoot_so_that_two_invitations_differ(org: UUID, member: Member) -> None:
    row, invite = invite_for(org, member)
    with transaction(org) as session:
        name = session.get_one(Shoot, row.shoot_id).name
        for language in wording.LANGUAGES:
            session.get_one(Member, member.id).language = language
            for mail in (invitation(session, invite), ready(session, row)):
                assert mail.subject.endswith(f": {name}")


@pytest.mark.parametrize("language", wording.LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_mail_names_its_sender_and_the_public_promises(org: UUID, kind: str, language: str) -> None:
    mail = a_mail(org, kind, language)
    (sender,) = compose(mail)["From"].addresses
    assert sender.display_name == ("Acme Headshots" if language == "en" else "Acme Porträts")
    assert "http://localhost/trust/acme" in mail.text
    assert 'href="http://localhost/trust/acme"' in mail.html


@pytest.mark.parametrize("kind", KINDS)
def test_only_reminders_can_be_ended_and_with_one_click(org: UUID, kind: str) -> None:
    mail = a_mail(org, kind)
    message = compose(mail)
    if not kind.startswith("remind"):
        assert message["List-Unsubscribe"] is None
        assert "/reminders/" not in mail.text
        return
    address = re.fullmatch(r"<(http://localhost/reminders/[\w=-]+)>", message["List-Unsubscribe"])
    assert address
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert address[1] in mail.text
    assert f'href="{address[1]}"' in mail.html


@pytest.mark.parametrize(
    ("language", "days", "said"),
    [
        ("en", 3, "Reminder, 3 days left: "),
        ("en", 1, "Reminder, 1 day left: "),
        ("de", 0, "Erinnerung, letzter Tag: "),
        ("de", 2, "Erinnerung, noch 2 Tage: "),
    ],
)
@pytest.mark.parametrize("kind", ["remind", "remind_ready"])
def test_a_reminder_says_so_and_how_long_there_is(
    org: UUID, kind: str, language: str, days: int, said: str
) -> None:
    mail = a_mail(org, kind, language, days)
    assert mail.subject.startswith(said)
    left = said.split(", ")[1].removesuffix(": ")
    assert f"({left})" in mail.text
    assert ("This is a reminder." if language == "en" else "Dies ist eine Erinnerung.") in mail.text


def test_who_is_reminded_after_the_deadline_has_until_their_link_ends(org: UUID) -> None:
    mail = a_mail(org, "remind", days=-2)
    assert "14 days left" in mail.subject
