"""The servers that stand in for what lies outside behave as their namesakes, and fail as told."""

from __future__ import annotations

import smtplib
import socket
import time
from contextlib import ExitStack

import obstore
import pytest
from obstore.store import from_url
from servers.cable import Cable, Way
from servers.s3 import S3, Fault
from servers.smtp import PostOffice, serving


def test_objects_are_put_read_listed_and_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    with S3("bucket") as s3:
        for name, value in s3.environment().items():
            monkeypatch.setenv(name, value)
        store = from_url("s3://bucket/vault", client_options={"allow_http": True})
        for number in range(1100):  # more than one page
            s3.put(f"vault/objects/{number:04d}", b"x")
        obstore.put(store, "objects/new", b"content")
        assert s3.get("vault/objects/new") == b"content"
        assert bytes(obstore.get(store, "objects/new").bytes()) == b"content"
        assert obstore.head(store, "objects/new")["size"] == 7
        listed = [item["path"] for batch in obstore.list(store, prefix="objects/") for item in batch]
        assert len(listed) == 1101
        obstore.delete(store, "objects/new")
        with pytest.raises(FileNotFoundError):
            obstore.get(store, "objects/new")


def test_object_store_fails_as_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with S3("bucket") as s3:
        for name, value in s3.environment().items():
            monkeypatch.setenv(name, value)
        store = from_url(
            "s3://bucket/vault", client_options={"allow_http": True}, retry_config={"max_retries": 0}
        )
        for fault in (Fault.UNAVAILABLE, Fault.RESET, Fault.DENIED, Fault.FULL):
            s3.fault = fault
            with pytest.raises(obstore.exceptions.BaseError):
                obstore.put(store, "objects/one", b"1")
        s3.fault = Fault.NONE
        obstore.put(store, "objects/one", b"1")


def test_mail_is_kept_or_refused_as_told() -> None:
    post = PostOffice()
    mail = "Message-ID: <one@here>\r\nSubject: Hello\r\n\r\nSee http://localhost/i/abc.\r\n"
    with serving(post) as port, smtplib.SMTP("127.0.0.1", port) as client:
        post.answer = "451 Come back later"
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.sendmail("a@b.example", ["c@d.example"], mail)
        assert refused.value.smtp_code == 451
        post.answer = "250 OK"
        client.sendmail("a@b.example", ["c@d.example"], mail)
    (kept,) = post.mails
    assert (post.ids, kept.to, kept.links) == (
        ["<one@here>"],
        ("c@d.example",),
        ("http://localhost/i/abc",),
    )


def test_cable_carries_resets_and_falls_silent() -> None:
    with ExitStack() as ends:
        server = ends.enter_context(socket.create_server(("127.0.0.1", 0)))
        cable = ends.enter_context(Cable(server.getsockname()))

        def connect() -> socket.socket:
            return ends.enter_context(socket.create_connection(("127.0.0.1", cable.port), timeout=5))

        def accept() -> socket.socket:
            return ends.enter_context(server.accept()[0])

        near = connect()
        far = accept()
        near.sendall(b"hello")
        assert far.recv(5) == b"hello"
        cable.turn(Way.SILENT)
        near.sendall(b"more")
        far.settimeout(0.5)
        with pytest.raises(TimeoutError):
            far.recv(4)
        cable.turn(Way.CUT)
        with pytest.raises(ConnectionResetError):
            _read_to_the_end(near)
        with pytest.raises(ConnectionResetError):
            _read_to_the_end(connect())
        cable.turn(Way.WHOLE)
        again = connect()
        accept().sendall(b"back")
        assert again.recv(4) == b"back"


def _read_to_the_end(end: socket.socket) -> None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and end.recv(100):
        pass
