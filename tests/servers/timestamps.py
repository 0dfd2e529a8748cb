"""An RFC 3161 authority at an address of its own, with a key and a certificate as an operator would name them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from asn1crypto import keys as asn1_keys
from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from certificates import issued
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper


@dataclass
class TimeAuthority:
    """Answers at `url`; `certificate` vouches for it.

    Attributes:
        at: the time that it says; its own clock's if not set.
        broken: whether it answers with an error.
        asked: how often it was asked.
    """

    url: str = ""
    certificate: x509.Certificate | None = None
    at: datetime | None = None
    broken: bool = False
    asked: int = 0
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    issuer_key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def __post_init__(self) -> None:
        issuer = "Time CA"
        self.certificate = issued(
            self.issuer_key, self.issuer_key, issuer=issuer, common=issuer, authority=True
        )
        self.own = issued(
            self.key, self.issuer_key, issuer=issuer, common="Time", purpose=ExtendedKeyUsageOID.TIME_STAMPING
        )

    def answer(self, asked: bytes) -> bytes:
        """Return the reply to a request."""
        self.asked += 1
        clock = DummyTimeStamper(
            asn1_x509.Certificate.load(self.own.public_bytes(Encoding.DER)),
            asn1_keys.PrivateKeyInfo.load(
                self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
            ),
            fixed_dt=self.at,
            # What public authorities send along and did not sign: it must not end up in the signature.
            certs_to_embed=[asn1_x509.Certificate.load(self.certificate.public_bytes(Encoding.DER))],  # type: ignore[union-attr]
        )
        reply: bytes = clock.request_tsa_response(tsp.TimeStampReq.load(asked)).dump()
        return reply


@contextmanager
def served() -> Iterator[TimeAuthority]:
    """Run one on a free port of this machine."""
    authority = TimeAuthority()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            if authority.broken:
                self.send_error(500)
                return
            reply = authority.answer(asked)
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    authority.url = f"http://127.0.0.1:{server.server_port}/tsa"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield authority
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
