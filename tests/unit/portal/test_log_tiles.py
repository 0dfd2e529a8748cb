"""The log as static files: a small client of nothing but the specification proves what it fetched."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from conftest import add_member
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from signed_logs import add_events
from sqlalchemy import select

from admin.app import create_app as create_admin
from compliance.log import sequencer, tiles
from core import audit
from core.db import transaction
from core.errors import NotFound
from core.models import AuditEvent, LogLeaf, Member, Role, SignInMethod
from core.people import sessions

Fetch = Callable[[str], bytes]


class Client:
    """Knows the log's public key and C2SP tlog-tiles, and trusts nothing else."""

    def __init__(self, fetch: Fetch, vkey: str) -> None:
        self._fetch = fetch
        self.key = Ed25519PublicKey.from_public_bytes(base64.b64decode(vkey.split("+", 2)[2])[1:])

    def head(self) -> tuple[int, bytes]:
        text, _, signatures = self._fetch("checkpoint").decode().rpartition("\n\n")
        # The second one, of ML-DSA-44, is for clients that know its key.
        signature = base64.b64decode(signatures.splitlines()[0].split(" ")[2])[4:]
        self.key.verify(signature, f"{text}\n".encode())
        _, size, root = text.split("\n")
        return int(size), base64.b64decode(root)

    def tile(self, level: int, index: int, size: int) -> list[bytes]:
        held = size >> 8 * level
        width = min(256, held - 256 * index)
        name = f"{index:03d}" if index < 1000 else f"x{index // 1000:03d}/{index % 1000:03d}"
        raw = self._fetch(f"tile/{level}/{name}" + (f".p/{width}" if width < 256 else ""))
        assert len(raw) == 32 * width
        return [raw[start : start + 32] for start in range(0, len(raw), 32)]

    def root(self, start: int, end: int, size: int) -> bytes:
        """The hash over leaves `[start, end)`, from the highest tiles that have it."""
        count = end - start
        if count & (count - 1) == 0 and start % count == 0:
            height = count.bit_length() - 1
            level, over = divmod(height, 8)
            first = start >> 8 * level
            row = self.tile(level, first // 256, size)[first % 256 :][: 1 << over]
            while len(row) > 1:
                row = [node(*pair) for pair in zip(row[::2], row[1::2], strict=True)]
            return row[0]
        middle = start + (1 << (count - 1).bit_length() - 1)
        return node(self.root(start, middle, size), self.root(middle, end, size))

    def holds(self, entry: bytes, index: int, size: int, root: bytes) -> bool:
        def over(start: int, end: int) -> bytes:
            if end - start == 1:
                return hashlib.sha256(b"\x00" + entry).digest()
            middle = start + (1 << (end - start - 1).bit_length() - 1)
            if index < middle:
                return node(over(start, middle), self.root(middle, end, size))
            return node(self.root(start, middle, size), over(middle, end))

        return over(0, size) == root


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


@pytest.fixture
def browser(portal: Any, org: UUID) -> Any:
    del org
    return portal.test_client()


def client_of(browser: Any, org: UUID) -> Client:
    (log,) = browser.get(f"/trust/{org}/keys.json").json["logs"]

    def fetch(path: str) -> bytes:
        answer = browser.get(f"/trust/acme/log/{path}")
        assert answer.status_code == 200, path
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Cache-Control"].startswith("public, max-age=")
        return bytes(answer.data)

    return Client(fetch, log["vkey"])


def test_an_independent_client_proves_entries_and_growth_from_tiles(browser: Any, org: UUID) -> None:
    client = client_of(browser, org)
    add_events(org, 299)
    earlier_size, earlier_root = client.head()
    assert client.root(0, earlier_size, earlier_size) == earlier_root
    add_events(org, 400)
    size, root = client.head()
    assert (earlier_size, size) == (300, 700)
    assert client.root(0, size, size) == root
    assert client.root(0, earlier_size, size) == earlier_root  # the larger tree begins with the smaller
    with transaction(org) as session:
        leaves = dict(
            session.execute(
                select(LogLeaf.position, AuditEvent.leaf).join(AuditEvent, AuditEvent.id == LogLeaf.event_id)
            ).all()
        )
    for index in (0, 255, 256, 511, 512, 699):
        assert client.holds(leaves[index], index, size, root)
        assert not client.holds(leaves[index] + b" ", index, size, root)


def test_a_consistency_proof_is_what_a_witness_is_sent(browser: Any, org: UUID) -> None:
    add_events(org, 5)
    add_events(org, 3)
    head, _, signed = browser.get("/trust/acme/log/consistency/6/9").text.partition("\n\n")
    first, *hashes = head.split("\n")
    assert first == "old 6"
    assert {len(base64.b64decode(one)) for one in hashes} == {32}
    assert signed == browser.get("/trust/acme/log/checkpoint").text
    assert browser.get("/trust/acme/log/consistency/10/9").status_code == 404
    assert browser.get("/trust/acme/log/consistency/6/8").status_code == 404  # never signed


@pytest.mark.parametrize(
    "path",
    ["tile/0/000", "tile/0/000.p/7", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/x000/000.p/6", "tile/0/0.p/6",
     "tile/64/000.p/1", "tile/63/000.p/1", "tile/0/999", "tile/0/x999/x999/x999/x999/x999/x999/999", "tile/entries/000.p/6"],
)  # fmt: skip
def test_there_is_no_other_tile(browser: Any, org: UUID, path: str) -> None:
    add_events(org, 5)
    assert browser.get("/trust/acme/log/tile/0/000.p/6").status_code == 200
    assert browser.get(f"/trust/acme/log/{path}").status_code == 404
    assert browser.get("/trust/nobody/log/tile/0/000.p/6").status_code == 404


@pytest.mark.parametrize(
    ("index", "path"), [(0, "000"), (999, "999"), (1000, "x001/000"), (1234067, "x001/x234/067")]
)
def test_paths_of_tiles(index: int, path: str) -> None:
    assert tiles.Tile.parse(path) == tiles.Tile(index, 256)
    assert tiles.Tile(index, 256).path == path
    assert tiles.Tile.parse(f"{path}.p/9").path == f"{path}.p/9"
    with pytest.raises(NotFound):
        tiles.Tile.parse(f"/{path}")


def test_nothing_public_names_anybody_and_entries_are_for_auditors(browser: Any, org: UUID) -> None:
    member = add_member(org, "Ada")
    sequencer.sequence_all()
    size = client_of(browser, org).head()[0]
    with transaction(org) as session:
        pseudonym = session.get_one(Member, member.id).pseudonym.encode()
    path = f"000.p/{size}"
    public = browser.get(f"/trust/acme/log/tile/0/{path}").data
    assert pseudonym not in public
    assert len(public) == 32 * size

    answers = {role: entries_as(org, role, path) for role in (Role.HR_ADMIN, Role.OWNER, Role.AUDITOR)}
    assert [answer.status_code for answer in answers.values()] == [403, 403, 200]
    raw, found = answers[Role.AUDITOR].data, []
    while raw:
        length = int.from_bytes(raw[:2], "big")
        found.append(raw[2 : 2 + length])
        raw = raw[2 + length :]
    assert [hashlib.sha256(b"\x00" + entry).digest() for entry in found] == [
        public[start : start + 32] for start in range(0, len(public), 32)
    ]
    assert any(json.loads(entry)["subject"] == pseudonym.decode() for entry in found)


def test_the_bundle_is_for_auditors(browser: Any, org: UUID) -> None:
    add_events(org, 3)
    for role, status in ((Role.HR_ADMIN, 403), (Role.OWNER, 403), (Role.AUDITOR, 200)):
        answer = entries_as(org, role, "", "bundle.zip")
        assert answer.status_code == status
    with zipfile.ZipFile(io.BytesIO(answer.data)) as bundle:
        assert {"verify.py", "README.txt", "bundle.json", "keys.json"} <= set(bundle.namelist())
        assert b"EVIDENCE OF Acme" in bundle.read("README.txt")


def entries_as(org: UUID, role: Role, path: str, kind: str = "log/tile/entries/") -> Any:
    app = create_admin()
    member = add_member(org, role.value.replace("_", ""), role=role)
    with transaction(org) as session:
        token = sessions.start(session, session.get_one(Member, member.id), SignInMethod.SAML)
    client = app.test_client()
    client.set_cookie(app.config["SIGN_IN_COOKIE"], token)
    return client.get(f"/admin/audit/{kind}{path}")


def test_whatever_was_appended_is_served_once_it_is_signed(browser: Any, org: UUID) -> None:
    add_events(org, 5)
    with transaction(org) as session:
        audit.record(session, audit.Tag.SHOOT_CLOSED, actor=audit.SYSTEM)
    assert browser.get("/trust/acme/log/tile/0/000.p/7").status_code == 404
    sequencer.sequence_all()
    assert browser.get("/trust/acme/log/tile/0/000.p/7").status_code == 200
