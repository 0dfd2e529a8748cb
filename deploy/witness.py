"""Serving a witness: a small WSGI application, and the logs that it knows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from compliance.log.checkpoint import LogKey
from compliance.log.note import NoteError, VerifierKey
from compliance.log.witness import MOST_BYTES, Answer, Witness
from compliance.signing import PublishedLog
from core.errors import InvalidInput

ADDRESS = "/add-checkpoint"


def logs_of(given: Iterable[str]) -> list[LogKey]:
    """Return the keys of logs: each given as a verifier key, or as the path of a company's `keys.json`.

    Raises:
        InvalidInput: one is neither.
    """
    found = []
    for one in given:
        try:
            if "+" in one:
                found.append(LogKey(VerifierKey.parse(one)))
            else:
                published = json.loads(Path(one).read_bytes())
                found += [PublishedLog.model_validate(log).key for log in published["logs"]]
        except (NoteError, OSError, ValueError, KeyError, TypeError) as error:
            raise InvalidInput(
                f"{one} is neither a log's verifier key nor a file of published keys."
            ) from error
    return found


def application(witness: Witness) -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    """Return the WSGI application that answers for `witness`."""

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        given = _answer(witness, environ)
        body = given.text.encode()
        headers = [("Content-Type", given.content_type), ("Content-Length", str(len(body)))]
        start(f"{given.status} {HTTPStatus(given.status).phrase}", headers)
        return [body]

    return answer


def _answer(witness: Witness, environ: dict[str, Any]) -> Answer:
    if environ["PATH_INFO"] == "/" and environ["REQUEST_METHOD"] == "GET":
        return Answer(200, "".join(f"{key}\n" for key in witness.keys))
    if environ["PATH_INFO"] != ADDRESS:
        return Answer(404, f"A witness answers at {ADDRESS}; / says its keys.\n")
    if environ["REQUEST_METHOD"] != "POST":
        return Answer(405, "Send a checkpoint with POST.\n")
    # Servers differ in whether reading on waits for more: nothing follows what the length says.
    length = environ.get("CONTENT_LENGTH") or str(MOST_BYTES + 1)
    if not (length.isascii() and length.isdigit() and len(length) < 12):
        return Answer(400, "The length is no number.\n")
    sent = environ["wsgi.input"].read(min(int(length), MOST_BYTES + 1))
    if len(sent) > MOST_BYTES:
        return Answer(413, "No checkpoint with its proof is this long.\n")
    return witness.add_checkpoint(sent)


def serve(witness: Witness, bind: str) -> None:
    """Serve until SIGTERM or SIGINT."""

    class Server(BaseApplication):  # type: ignore[misc] # has no types
        def load_config(self) -> None:
            for name, value in {"bind": bind, "workers": 1, "threads": 8, "accesslog": None}.items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            return application(witness)

    Server().run()
