"""Reports of mails that reached nobody, over HTTP: from whoever delivers our mails, signed with a secret of both."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, request
from pydantic import BaseModel, Field, ValidationError

from core.clock import now
from core.errors import Forbidden, InvalidInput, NotFound, TooLarge
from core.mail import returns
from core.mail.returns import Report
from core.models import Teller
from core.settings import settings
from core.shoots import deliveries
from core.web.answers import json_answer
from core.web.app import csrf, limiter
from core.words import N_

bp = Blueprint("bounces", __name__)

HEADER: Final = "X-Headshots-Signature"
# Longer than clocks differ, shorter than somebody needs to find a use for a request that they overheard.
VALID_SECONDS: Final = 300
_SIGNATURE: Final = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")
_MESSAGE_ID: Final = re.compile(r"<?([0-9a-f-]{36})@[^\s@>]+>?")


class One(BaseModel):
    """A mail that reached nobody: its Message-ID or its return path, and why."""

    mail: str = Field(max_length=998)
    status: str = Field(returns.UNKNOWN_STATUS, pattern=r"^[45]\.\d{1,3}\.\d{1,3}$")


class Many(BaseModel):
    """Several mails that reached nobody."""

    bounces: list[One] = Field(max_length=1000)


@bp.post("/bounces")
@csrf.exempt  # type: ignore[untyped-decorator]  # Flask-WTF ships no types; a program calls, and signs what it says
@limiter.limit("600 per minute")
def receive() -> Response:
    """Note what came back: one report as a mail server wrote it (`message/rfc822`), or a list as JSON."""
    secret = settings().bounce_secret
    if secret is None:
        raise NotFound(N_("Nothing is here."))
    if (request.content_length or 0) > returns.LARGEST_REPORT:
        raise TooLarge(N_("A report has at most a million bytes."))
    body = request.get_data(cache=False)
    _demand_signed(body, secret.get_secret_value())
    if request.mimetype == "message/rfc822":
        found = returns.read(body)
        reports = [found] if found is not None else []
        asked = 1
    else:
        listed = _listed(body)
        reports = [Report(mail_id, True, one.status) for one in listed if (mail_id := _id_of(one.mail))]
        asked = len(listed)
    noted = sum(deliveries.apply(one, Teller.PROVIDER) for one in reports)
    return json_answer({"noted": noted, "unknown": asked - noted})


def _demand_signed(body: bytes, secret: str) -> None:
    """See that whoever calls knows the secret, and says it now.

    Raises:
        Forbidden: they do not.
    """
    given = _SIGNATURE.fullmatch(request.headers.get(HEADER, ""))
    if given is None:
        raise Forbidden(N_("This report is not signed. Nothing was noted."))
    moment, signature = given.groups()
    right = hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
    late = abs(now().timestamp() - int(moment)) > VALID_SECONDS
    if late or not hmac.compare_digest(signature, right):
        raise Forbidden(N_("This report’s signature is wrong or too old. Nothing was noted."))


def _listed(body: bytes) -> list[One]:
    try:
        return Many.model_validate_json(body).bounces
    except ValidationError as error:
        raise InvalidInput(N_("This is no list of mails that came back. Nothing was noted.")) from error


def _id_of(mail: str) -> UUID | None:
    """Return the id in a Message-ID, which the signature vouches for, or in a return path."""
    if (found := _MESSAGE_ID.fullmatch(mail.strip())) is None:
        return returns.find(mail.encode())
    try:
        return UUID(found.group(1))
    except ValueError:
        return None
