"""A company's privacy program asks by OpenDSR: signed both ways, on the same desk, and told when something changes."""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4  # noqa: TID251 - the specification asks for version 4

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from sqlalchemy import select
from unit.compliance.test_request_moves import walk
from unit.portal.conftest import Person
from werkzeug.test import TestResponse

from compliance.requests import clocks, moves, regimes, words
from compliance.requests.opendsr import answering, exchange, signing
from core import audit, outside
from core.clock import now, rfc3339
from core.db import transaction
from core.errors import InvalidInput
from core.models import Channel, OpendsrRequest, Organization, Outbox, Right, Stage, SubjectRequest
from core.queue import JobName
from core.regimes import Regime
from core.settings import settings
from deploy.doctor import machine

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
DOMAIN = "localhost.example"
NOBODY = {"identity_type": "email", "identity_format": "raw"}


@dataclass
class Authority:
    """A certificate authority of the tests."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        self.root = self._sign("Authority", self.key.public_key(), self.key, ca=True)

    def _sign(
        self, name: str, key: Any, by: Any, *, ca: bool = False, names: list[x509.GeneralName] | None = None, days: int = 30
    ) -> x509.Certificate:  # fmt: skip
        called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = called if ca else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority")])
        built = (
            x509.CertificateBuilder()
            .subject_name(called).issuer_name(issuer).public_key(key).serial_number(x509.random_serial_number())
            .not_valid_before(now() - timedelta(days=40)).not_valid_after(now() + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )  # fmt: skip
        if names:
            built = built.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return built.sign(by, SHA256())

    def odd(self, curve: ec.EllipticCurve, names: bytes | None = None) -> str:
        """Return a certificate with a key of this curve, or with something else where its names stand."""
        san = (
            x509.SubjectAlternativeName([x509.DNSName(DOMAIN)])
            if names is None
            else x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, names)
        )
        built = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "odd")]))
            .issuer_name(self.root.subject).public_key(ec.generate_private_key(curve).public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now() - timedelta(days=1))
            .not_valid_after(now() + timedelta(days=1)).add_extension(san, critical=False)
        )  # fmt: skip
        return built.sign(self.key, SHA256()).public_bytes(Encoding.PEM).decode()

    def issue(
        self, *names: str, days: int = 30, itself: bool = False
    ) -> tuple[ec.EllipticCurvePrivateKey, str]:
        key = ec.generate_private_key(ec.SECP256R1())
        said: list[x509.GeneralName] = [
            x509.IPAddress(ip_address(one)) if one[0].isdigit() else x509.DNSName(one) for one in names
        ]
        made = self._sign(
            names[0], key.public_key(), key if itself else self.key, ca=itself, names=said, days=days
        )
        return key, made.public_bytes(Encoding.PEM).decode()


def _of_unknown_curve(pem: str) -> str:
    """Return a certificate whose key nobody here can read."""
    der = x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER)
    p256 = bytes.fromhex("06082a8648ce3d030107")
    return ssl.DER_cert_to_PEM_cert(der.replace(p256, p256[:-1] + b"\x77"))


def pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass
class Program:
    """The company's privacy program."""

    person: Person
    key: ec.EllipticCurvePrivateKey
    slug: str
    ours: x509.Certificate
    domain: str = DOMAIN

    def _signature(self, content: bytes) -> str:
        return base64.b64encode(self.key.sign(content, ec.ECDSA(SHA256()))).decode()

    def request(self, **changes: Any) -> dict[str, Any]:
        return {
            "regulation": "gdpr",
            "subject_request_id": str(uuid4()),
            "subject_request_type": "erasure",
            "subject_identities": [
                {
                    "identity_type": "email",
                    "identity_value": self.person.member.email,
                    "identity_format": "raw",
                }
            ],
            "submitted_time": rfc3339(now() - timedelta(days=2)),
            **changes,
        }

    def send(self, body: dict[str, Any] | bytes, **headers: str) -> TestResponse:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        signed = {signing.CONTROLLER: self.domain, signing.SIGNATURE: self._signature(content), **headers}
        address = f"/opendsr/{self.slug}/v2/requests"
        return self.checked(self.person.browser.post(address, data=content, headers=signed))

    def bare(self, method: str, number: str, at: str = "") -> TestResponse:
        address, at = f"/opendsr/{self.slug}/v2/requests/{number}", at or now().isoformat()
        line = f"{method} {address}\n{at}".encode()
        headers = {
            signing.CONTROLLER: self.domain,
            signing.SIGNATURE: self._signature(line),
            "X-OpenDSR-Time": at,
        }
        return self.checked(self.person.browser.open(address, method=method, headers=headers))

    def checked(self, answer: TestResponse) -> TestResponse:
        """Demand that our answer is signed, whatever it says."""
        assert answer.headers[signing.PROCESSOR] == "localhost"
        check(self.ours, answer.headers[signing.SIGNATURE], answer.data)
        return answer


def check(certificate: x509.Certificate, signature: str, content: bytes) -> None:
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(base64.b64decode(signature), content, ec.ECDSA(SHA256()))


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def program(
    ada: Person, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Program]:
    """A program on the company's list, and an installation that signs."""
    ours, certificate = authority.issue("localhost")
    (tmp_path / "opendsr.pem").write_bytes(pem_of(ours) + certificate.encode())
    monkeypatch.setenv("HEADSHOTS_OPENDSR_PATH", str(tmp_path / "opendsr.pem"))
    monkeypatch.setenv("HEADSHOTS_CALLBACK_NETWORKS", '["127.0.0.0/8", "::1/128"]')
    settings.cache_clear()
    key, pem = authority.issue(DOMAIN)
    with transaction(ada.org_id) as session:
        exchange.allow(session, DOMAIN, pem, actor=audit.SYSTEM)
        slug = session.get_one(Organization, ada.org_id).slug
    yield Program(ada, key, slug, x509.load_pem_x509_certificate(certificate.encode()))
    monkeypatch.undo()
    settings.cache_clear()


def rows(person: Person) -> list[SubjectRequest]:
    with transaction(person.org_id) as session:
        return list(session.scalars(select(SubjectRequest).order_by(SubjectRequest.id)))


def test_discovery_says_what_can_be_asked_and_where_our_certificate_is(program: Program) -> None:
    browser = program.person.browser
    said = program.checked(browser.get(f"/opendsr/{program.slug}/v2/discovery")).json
    assert said["api_version"] == "2.0"
    assert said["supported_subject_request_types"] == ["access", "portability", "erasure"]
    sent = browser.get(said["processor_certificate"].replace(settings().base_url.rstrip("/"), "")).data
    assert x509.load_pem_x509_certificate(sent) == program.ours


def test_a_request_lands_on_the_desk_with_its_clock_and_once(program: Program) -> None:
    body = program.request()
    content = json.dumps(body).encode()
    answer = program.send(content)
    assert answer.status_code == 201
    assert base64.b64decode(answer.json["encoded_request"]) == content
    assert program.send(content).json["subject_request_id"] == body["subject_request_id"]
    (row,) = rows(program.person)
    assert (row.member_id, row.type, row.channel) == (
        program.person.member.id,
        Right.ERASURE,
        Channel.OPENDSR,
    )
    assert (row.verified, row.verification, row.state) == (True, "controller", Stage.RECEIVED)
    with transaction(program.person.org_id) as session:
        place = regimes.place_of(session)
    assert rfc3339(row.received_at) == body["submitted_time"], "the clock counts from when the person asked"
    assert row.due_at == clocks.due(row.received_at, Right.ERASURE, regimes.law_of(row.regime), place)
    assert answer.json["expected_completion_time"] == rfc3339(row.due_at)
    other = program.send({**body, "regulation": "ccpa"})
    assert other.status_code == 400
    assert len(rows(program.person)) == 1


def test_nothing_is_read_that_is_not_signed_by_a_program_of_the_company(
    program: Program, authority: Authority
) -> None:
    body = json.dumps(program.request()).encode()
    stranger, _ = authority.issue(DOMAIN)
    right = program._signature(body)
    forged = base64.b64encode(stranger.sign(body, ec.ECDSA(SHA256()))).decode()
    for content, headers in (
        (body + b" ", {signing.SIGNATURE: right}),
        (body, {signing.SIGNATURE: forged}),
        (body, {signing.SIGNATURE: "not base64"}),
        (body, {signing.SIGNATURE: ""}),
        (body, {signing.CONTROLLER: "evil.example"}),
        (body, {signing.CONTROLLER: ""}),
        (b"not json at all", {signing.SIGNATURE: right}),
    ):
        answer = program.send(content, **headers)
        assert answer.status_code == 403, headers
        assert answer.json["error"]["code"] == 403
    assert rows(program.person) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"regulation": "lgpd"}, "regulation"),
        ({"subject_request_id": "1"}, "subject_request_id"),
        ({"subject_request_id": "a7551968-d5d6-14b2-9831-815ac9017798"}, "subject_request_id"),
        ({"subject_request_type": "rectification"}, "subject_request_type"),
        ({"subject_identities": []}, "subject_identities"),
        ({"subject_identities": [{**NOBODY, "identity_value": "a\0@acme.example"}]}, "identity_value"),
        ({"subject_identities": [{**NOBODY, "identity_value": "\ud800@acme.example"}]}, "identity_value"),
        ({"submitted_time": "yesterday"}, "submitted_time"),
        ({"submitted_time": "2999-01-01T00:00:00Z"}, "submitted_time"),
        ({"submitted_time": "2001-01-01T00:00:00Z"}, "submitted_time"),
        ({"status_callback_urls": ["http://localhost.example/x"]}, "status_callback_urls"),
        ({"status_callback_urls": ["https://elsewhere.example/x"]}, "status_callback_urls"),
        ({"status_callback_urls": ["https://notlocalhost.example/x"]}, "status_callback_urls"),
        ({"status_callback_urls": ["https://localhost.example@169.254.169.254/x"]}, "status_callback_urls"),
    ],
)
def test_what_is_no_request_is_refused_by_field_and_without_its_values(
    program: Program, changes: dict[str, Any], field: str
) -> None:
    answer = program.send(program.request(**changes))
    assert answer.status_code == 400
    assert field in answer.json["error"]["message"]
    assert program.person.member.email not in answer.text
    assert rows(program.person) == []
    assert program.send(b"[" * 60_000).status_code == 400
    assert program.send(b"x" * 70_000).status_code == 413


def test_a_person_is_found_by_what_discovery_lists_and_by_nothing_less(program: Program) -> None:
    email = program.person.member.email or ""
    hashed = hashlib.sha256(email.lower().encode()).hexdigest()
    for identity, known in (
        ({"identity_type": "email", "identity_format": "sha256", "identity_value": hashed}, True),
        (
            {"identity_type": "email", "identity_format": "raw", "identity_value": "nobody@acme.example"},
            False,
        ),
        (
            {"identity_type": "controller_customer_id", "identity_format": "raw", "identity_value": "E-404"},
            False,
        ),
    ):
        program.send(program.request(subject_identities=[identity], regulation="ccpa"))
        assert (rows(program.person)[-1].member_id is not None) is known, identity
    unknown = rows(program.person)[-2]
    assert unknown.regime == Regime.CCPA, "where nobody knows where somebody works, the program's word counts"
    assert words.read(unknown).address == "nobody@acme.example"


def test_how_far_it_is_and_taking_back_while_it_is_pending(program: Program) -> None:
    number = program.request()["subject_request_id"]
    assert program.bare("GET", number).status_code == 404
    assert program.bare("GET", "no-number").status_code == 400
    program.send(program.request(subject_request_id=number, subject_request_type="access"))
    assert program.bare("GET", number).json["request_status"] == "pending"
    old = (now() - timedelta(minutes=6)).isoformat()
    assert program.bare("GET", number, old).status_code == 403, "an old signature is not believed again"
    (row,) = rows(program.person)
    with transaction(program.person.org_id) as session:
        walk(session, moves.get(session, row.id), "acknowledge", "start", by=audit.SYSTEM)
    assert program.bare("GET", number).json["request_status"] == "in_progress"
    assert program.bare("DELETE", number).status_code == 400
    with transaction(program.person.org_id) as session:
        walk(session, moves.get(session, row.id), "fulfil", by=audit.SYSTEM)
    said = program.bare("GET", number).json
    assert (said["request_status"], said["extensions"]["localhost"]["decision"]) == ("completed", "fulfilled")
    again = program.request()
    program.send(again)
    assert program.bare("DELETE", again["subject_request_id"]).status_code == 202
    assert program.bare("GET", again["subject_request_id"]).json["request_status"] == "cancelled"


def test_another_companys_program_sees_nothing(program: Program, authority: Authority) -> None:
    body = program.request()
    program.send(body)
    key, pem = authority.issue("other.example")
    with transaction(program.person.org_id) as session:
        exchange.allow(session, "other.example", pem, actor=audit.SYSTEM)
    other = Program(program.person, key, program.slug, program.ours, "other.example")
    assert other.bare("GET", body["subject_request_id"]).status_code == 404
    with transaction(program.person.org_id) as session:
        (row,) = (one for one in exchange.controllers(session) if one.domain == DOMAIN)
        exchange.forbid(session, row.id, actor=audit.SYSTEM)
    assert program.bare("GET", body["subject_request_id"]).status_code == 403


def test_only_a_certificate_of_an_authority_for_that_domain_is_taken(org: UUID, authority: Authority) -> None:
    for domain, pem in (
        (DOMAIN, authority.issue("other.example")[1]),
        (DOMAIN, authority.issue(DOMAIN, itself=True)[1]),
        (DOMAIN, authority.issue(DOMAIN, days=-1)[1]),
        (DOMAIN, "no certificate"),
        (DOMAIN, authority.odd(ec.SECP256R1(), b"no names")),
        (DOMAIN, authority.odd(ec.SECP192R1())),
        (DOMAIN, _of_unknown_curve(authority.issue(DOMAIN)[1])),
        ("no domain", authority.issue(DOMAIN)[1]),
        ("127.0.0.1", authority.issue("127.0.0.1")[1]),
    ):
        with pytest.raises(InvalidInput), transaction(org) as session:
            exchange.allow(session, domain, pem, actor=audit.SYSTEM)


class Controller(ThreadingHTTPServer):
    """The program's own server, which status callbacks reach."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _Takes)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self.answers = 200


class _Takes(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Controller)
        content = self.rfile.read(int(self.headers["Content-Length"]))
        server.taken.append((dict(self.headers), content))
        self.send_response(server.answers)
        if 300 <= server.answers < 400:
            self.send_header("Location", "https://localhost/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def controller(authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Controller]:
    key, pem = authority.issue("localhost")
    (tmp_path / "server.pem").write_bytes(pem_of(key) + pem.encode())
    (tmp_path / "root.pem").write_bytes(authority.root.public_bytes(Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "root.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "server.pem")
    server = Controller(context)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def test_the_program_is_told_signed_when_the_status_changes(program: Program, controller: Controller) -> None:
    from workers.jobs import opendsr_callback
    from workers.process.runner import JobRun

    program.send(program.request(subject_request_type="access"))
    (row,) = rows(program.person)
    url = f"https://localhost:{controller.server_port}/callbacks?of=acme"
    with transaction(program.person.org_id) as session:
        # As it is kept; that a program's addresses lie under its domain is tested above.
        link = session.scalars(select(OpendsrRequest)).one()
        session.delete(link)
        session.flush()
        session.add(
            OpendsrRequest(
                org_id=link.org_id, domain=link.domain, subject_request_id=link.subject_request_id,
                request_id=link.request_id, body_sha256=link.body_sha256, callbacks=[url], told="pending",
            )
        )  # fmt: skip
        session.flush()
        walk(session, moves.get(session, row.id), "acknowledge", "start", by=audit.SYSTEM)

    def run() -> None:
        with transaction(program.person.org_id) as session:
            owed = session.scalars(
                select(Outbox)
                .where(Outbox.job == JobName.OPENDSR_CALLBACK, Outbox.done_at.is_(None))
                .order_by(Outbox.id)
            ).all()
            found = [JobRun(one.id, one.org_id, one.subject_id, 1) for one in owed]
        for one in found:
            opendsr_callback.run(one)

    controller.answers = 307
    with pytest.raises(answering.NotTold):
        run()
    assert len(controller.taken) == 1, "a redirect is not followed"
    controller.answers = 204
    run()
    assert len(controller.taken) == 2, "two steps with one status are told once"
    headers, content = controller.taken[-1]
    check(program.ours, headers[signing.SIGNATURE], content)
    with pytest.raises(InvalidSignature):
        check(program.ours, headers[signing.SIGNATURE], content + b" ")
    said = json.loads(content)
    assert (said["request_status"], said["status_callback_url"]) == ("in_progress", url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://localhost/x", "https"),
        ("https://127.0.0.1/x", "public"),
        ("https://localhost/x", "public"),
        ("https://[::1]/x", "public"),
        ("https://169.254.169.254/latest/meta-data", "public"),
        ("https://10.0.0.1/x", "public"),
        ("https://[::ffff:10.0.0.1]/x", "public"),
        ("https://[64:ff9b::10.0.0.1]/x", "public"),  # each leads to 10.0.0.1 where a network translates it
        ("https://[2002:a00:1::1]/x", "public"),
        ("https://[::10.0.0.1]/x", "public"),
        ("https://[fec0::1]/x", "public"),
        ("https://0.0.0.0/x", "public"),
        ("https://2130706433/x", "public"),
        ("https://user@example.com/x", "https"),
        ("https://example.com:6379/x", "port"),
        ("ftp://example.com/x", "https"),
        ("https://", "https"),
        ("https://[", "address"),
        ("https://no-such-host.invalid/x", "address"),
    ],
)
@pytest.mark.usefixtures("environment")
def test_no_address_inside_is_ever_reached(url: str, why: str) -> None:
    with pytest.raises(outside.NotReached, match=why):
        outside.post(url, b"{}", {})


def test_the_doctor_says_what_the_key_is_or_what_is_wrong_with_it(
    program: Program, authority: Authority, tmp_path: Path
) -> None:
    assert [one.check for one in machine.opendsr()][-1] == "signing_keys"
    assert "HEADSHOTS_OPENDSR_PATH expires on" in [one.says for one in machine.opendsr()][-1]
    key, certificate = authority.issue("other.example")
    (tmp_path / "opendsr.pem").write_bytes(pem_of(key) + certificate.encode())
    (found,) = machine.opendsr()
    assert "does not name localhost" in found.says


def test_an_installation_without_a_key_offers_nothing(ada: Person) -> None:
    with transaction(ada.org_id) as session:
        slug = session.get_one(Organization, ada.org_id).slug
    assert ada.browser.get(f"/opendsr/{slug}/v2/discovery").status_code == 404
    assert ada.browser.post(f"/opendsr/{slug}/v2/requests", data=b"{}").status_code == 404
