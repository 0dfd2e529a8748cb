"""Mail over SMTP, to real servers: with and without encryption, willing and refusing."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from servers.smtp import serving

from core import settings as settings_module
from core.clock import now
from core.errors import ConfigurationError
from core.ids import new_id
from core.mail import lines
from core.mail.message import Inline, Mail, MailFailed, compose
from core.mail.smtp import send

PIXEL = b"\x89PNG\r\n\x1a\n not really, but no mail server looks"


class Receiver:
    """A server's manners: what it answers to a recipient and to a message; keeps what it takes."""

    def __init__(self) -> None:
        self.taken: list[tuple[Session, Envelope]] = []
        self.to_recipient = "250 OK"
        self.to_message = "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.to_recipient

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if self.to_message.startswith("250"):
            self.taken.append((session, envelope))
        return self.to_message

    def message(self) -> EmailMessage:
        ((_, envelope),) = self.taken
        assert isinstance(envelope.content, bytes)
        parsed = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed


Serve = Callable[..., Receiver]


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    def set_up(smtp_url: str, **more: str) -> None:
        required = [n for n, field in settings_module.Settings.model_fields.items() if field.is_required()]
        values = {
            **dict.fromkeys(required, "not used by mail, but must be there"),
            "environment": "test",
            "base_url": "https://photos.example.com",
            "smtp_url": smtp_url,
            "mail_from": "Headshots <headshots@example.com>",
            **more,
        }
        for name, value in values.items():
            monkeypatch.setenv(f"HEADSHOTS_{name.upper()}", value)
        settings_module.settings.cache_clear()

    yield set_up
    settings_module.settings.cache_clear()
    lines._tls.cache_clear()


@pytest.fixture
def serve(configure: Callable[..., None]) -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(
            url: str = "smtp://{place}", *, settings: dict[str, str] | None = None, **options: object
        ) -> Receiver:
            receiver = Receiver()
            port = stack.enter_context(serving(receiver, **options))
            configure(url.format(place=f"127.0.0.1:{port}"), **(settings or {}))
            return receiver

        yield start


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate and key for 127.0.0.1, signed by itself, in one PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - timedelta(days=1))
        .not_valid_after(now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine trusts the test's certificate, as it would an official one."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    lines._tls.cache_clear()


def a_mail(**changes: object) -> Mail:
    values: dict[str, object] = {
        "to": "ada@example.com",
        "subject": "Grüße – your headshot",
        "text": "Hello Ada, größer & schöner.\n" + "long " * 400,
        "html": '<p>Hello Ada, größer &amp; schöner.</p><img src="cid:logo">',
        "inline": (Inline("logo", PIXEL, "image/png"),),
    }
    return Mail(**(values | changes))  # type: ignore[arg-type]


def test_text_html_and_picture_arrive_as_written(serve: Serve) -> None:
    server = serve()
    sent = a_mail(sender_name="Müller & Söhne", reply_to="hr@example.com")
    send(sent)
    got = server.message()
    assert got["Subject"] == sent.subject
    assert got["To"] == "ada@example.com"
    assert got["Reply-To"] == "hr@example.com"
    assert got["From"].addresses[0].display_name == "Müller & Söhne"
    assert got["From"].addresses[0].addr_spec == "headshots@example.com"
    assert got["Message-ID"] == f"<{sent.id}@photos.example.com>"
    assert got["Auto-Submitted"] == "auto-generated"
    assert got["Date"].datetime - now() < timedelta(minutes=1)
    plain, rich = got.get_body(("plain",)), got.get_body(("html",))
    assert plain is not None
    assert rich is not None
    assert plain.get_content().splitlines() == sent.text.splitlines()
    assert rich.get_content().strip() == sent.html
    (picture,) = [part for part in got.walk() if part.get_content_maintype() == "image"]
    assert picture["Content-ID"] == "<logo>"
    assert picture.get_content_disposition() == "inline"
    assert picture.get_content() == PIXEL


def test_no_line_is_longer_than_servers_take(serve: Serve) -> None:
    server = serve()
    send(a_mail(html="<p>" + "wide " * 5000 + "</p>"))
    ((_, envelope),) = server.taken
    assert isinstance(envelope.content, bytes)
    # RFC 5321 §4.5.3.1.6: 998 octets without CRLF; and 7 bits, so that no server needs an extension.
    assert max(len(line) for line in envelope.content.split(b"\r\n")) <= 998
    assert envelope.content.isascii()


def test_the_address_that_ends_mails_arrives_whole(serve: Serve) -> None:
    server = serve()
    address = f"https://photos.a-company-with-a-long-name.example.com/reminders/{'A' * 64}"
    send(a_mail(unsubscribe=address))
    ((_, envelope),) = server.taken
    assert isinstance(envelope.content, bytes)
    assert f"\r\nList-Unsubscribe: <{address}>\r\n".encode() in envelope.content
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in envelope.content


@pytest.mark.parametrize(
    "subject", ["Hi\r\nBcc: eve@example.com", "Hi\nBcc: eve@example.com\n\nBody", "Hi\x00\x0b\x85\u2028there"]
)
def test_subject_cannot_start_another_header(serve: Serve, subject: str) -> None:
    server = serve()
    send(a_mail(subject=subject, sender_name=subject))
    assert server.message()["Bcc"] is None
    assert "\n" not in server.message()["Subject"]
    assert server.message().get_body(("plain",)) is not None
    assert server.taken[0][1].rcpt_tos == ["ada@example.com"]


@pytest.mark.parametrize(
    "address",
    ["", "ada", "ada@", "@example.com", "a@example.com\r\nRCPT TO:<eve@example.com>", "a@example.com, eve@example.com",
     "Ada <ada@example.com>", "ada@example.com>\nBcc: eve", "ada@exa mple.com", "ada@" + "x" * 70 + ".com"],
)  # fmt: skip
def test_impossible_recipient_is_refused_before_any_server_hears_of_it(serve: Serve, address: str) -> None:
    server = serve()
    with pytest.raises(MailFailed) as caught:
        send(a_mail(to=address))
    assert not caught.value.retryable
    assert not server.taken


def test_address_with_foreign_letters_in_its_domain_is_reached(serve: Serve) -> None:
    server = serve()
    send(a_mail(to="ada@müller.example"))
    assert server.taken[0][1].rcpt_tos == ["ada@xn--mller-kva.example"]
    send(a_mail(to="ada@straße.example"))
    assert server.taken[1][1].rcpt_tos == ["ada@xn--strae-oqa.example"], "and not strasse.example"


@pytest.mark.parametrize(("answer", "retryable"), [("450 busy", True), ("550 no such user", False)])
def test_refused_recipient_says_whether_to_try_again(serve: Serve, answer: str, retryable: bool) -> None:
    server = serve()
    server.to_recipient = answer
    with pytest.raises(MailFailed) as caught:
        send(a_mail())
    assert caught.value.retryable is retryable
    assert caught.value.reply == int(answer[:3])


@pytest.mark.parametrize(("answer", "retryable"), [("451 later", True), ("554 spam", False)])
def test_refused_message_says_whether_to_try_again(serve: Serve, answer: str, retryable: bool) -> None:
    server = serve()
    server.to_message = answer
    with pytest.raises(MailFailed) as caught:
        send(a_mail())
    assert caught.value.retryable is retryable


def test_server_that_is_away_is_tried_again(configure: Callable[..., None]) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        configure(f"smtp://127.0.0.1:{nobody.getsockname()[1]}")
        with pytest.raises(MailFailed) as caught:
            send(a_mail())
    assert caught.value.retryable


def test_failure_carries_and_logs_no_address(serve: Serve, capfd: pytest.CaptureFixture[str]) -> None:
    server = serve()
    server.to_recipient = "550 ada@example.com is unknown here"
    with pytest.raises(MailFailed) as caught:
        send(a_mail())
    assert "ada@" not in str(caught.value)
    # An error tracker walks the chain.
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert "ada@" not in "".join(capfd.readouterr())


def test_connection_is_encrypted_when_the_server_can(
    serve: Serve, server_tls: ssl.SSLContext, trusted: None
) -> None:
    server = serve(tls_context=server_tls)
    send(a_mail())
    assert server.taken[0][0].ssl is not None


def test_certificate_that_nobody_vouches_for_is_not_trusted(serve: Serve, server_tls: ssl.SSLContext) -> None:
    server = serve(tls_context=server_tls)
    with pytest.raises(MailFailed) as caught:
        send(a_mail())
    assert caught.value.retryable
    assert not server.taken


def test_smtps_encrypts_from_the_first_byte(serve: Serve, server_tls: ssl.SSLContext, trusted: None) -> None:
    server = serve("smtps://{place}", ssl_context=server_tls)
    send(a_mail())
    assert len(server.taken) == 1


def test_production_sends_nothing_over_an_open_line(serve: Serve) -> None:
    server = serve(settings={"environment": "production"})
    with pytest.raises(MailFailed) as caught:
        send(a_mail())
    assert caught.value.retryable
    assert not server.taken


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_password_never_travels_over_an_open_line(serve: Serve) -> None:
    seen: list[object] = []

    def check(*arguments: object) -> AuthResult:
        seen.append(arguments)
        return AuthResult(success=True)

    serve("smtp://user:word@{place}", authenticator=check, auth_require_tls=False)
    with pytest.raises(MailFailed):
        send(a_mail())
    assert seen == []


def test_user_and_password_may_hold_any_character(
    serve: Serve, server_tls: ssl.SSLContext, trusted: None
) -> None:
    seen: list[LoginPassword] = []

    def check(
        _server: SMTP, _session: Session, _envelope: Envelope, _method: str, data: LoginPassword
    ) -> AuthResult:
        seen.append(data)
        return AuthResult(success=True)

    server = serve("smtp://us%40er:w%3Ard%2F@{place}", tls_context=server_tls, authenticator=check)
    send(a_mail())
    assert seen == [LoginPassword(b"us@er", b"w:rd/")]
    assert len(server.taken) == 1


def test_wrong_password_is_not_the_recipients_fault(
    serve: Serve, server_tls: ssl.SSLContext, trusted: None
) -> None:
    serve(
        "smtp://user:wrong@{place}",
        tls_context=server_tls,
        authenticator=lambda *_: AuthResult(success=False, handled=False),
    )
    with pytest.raises(MailFailed) as caught:
        send(a_mail())
    assert caught.value.retryable


@pytest.mark.parametrize("url", ["http://mail", "smtp://", "mail:25", "smtp://host:x", "smtp://host:99999"])
def test_unusable_server_address_is_named_with_its_setting(configure: Callable[..., None], url: str) -> None:
    configure(url)
    with pytest.raises(ConfigurationError, match="HEADSHOTS_SMTP_URL"):
        send(a_mail())


def test_unusable_sender_is_named_with_its_setting(configure: Callable[..., None]) -> None:
    configure("smtp://mail", mail_from="nobody")
    with pytest.raises(ConfigurationError, match="HEADSHOTS_MAIL_FROM"):
        compose(a_mail())


def test_the_same_mail_sent_again_has_the_same_message_id(serve: Serve) -> None:
    serve()
    mail_id = new_id()
    assert compose(a_mail(id=mail_id))["Message-ID"] == compose(a_mail(id=mail_id))["Message-ID"]
