"""What a program sends, read strictly: a value that is not in the specification is refused with the name of its field."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from core import outside
from core.errors import InvalidInput
from core.models import Right

MOST_BYTES: Final = 64_000
MOST_CALLBACKS: Final = 3
IDENTITIES: Final = (("email", "raw"), ("email", "sha256"), ("controller_customer_id", "raw"))


class Malformed(InvalidInput):
    """It is no request as the specification has it."""

    code = "opendsr_malformed"
    status = 400


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Identity(_Part):
    """Who it is about, in one of the forms that discovery lists."""

    identity_type: Literal["email", "controller_customer_id"]
    identity_format: Literal["raw", "sha256"]
    # No column keeps a NUL.
    identity_value: Annotated[str, Field(min_length=1, max_length=254, pattern=r"^[^\x00]*$")]


def _version_4(number: UUID) -> UUID:
    if number.version != 4:
        raise ValueError("it has to be a UUID of version 4")
    return number


class Asked(_Part):
    """One request."""

    regulation: Literal["gdpr", "ccpa"]
    subject_request_id: Annotated[UUID, AfterValidator(_version_4)]
    subject_request_type: Literal["access", "portability", "erasure"]
    subject_identities: Annotated[tuple[Identity, ...], Field(min_length=1, max_length=5)]
    submitted_time: AwareDatetime
    api_version: str = "2.0"
    status_callback_urls: Annotated[
        tuple[Annotated[str, Field(max_length=500)], ...], Field(max_length=MOST_CALLBACKS)
    ] = ()
    extensions: dict[str, Any] = Field(default_factory=dict)

    @property
    def right(self) -> Right:
        """What is asked for."""
        return Right(self.subject_request_type)

    @property
    def received(self) -> datetime:
        """When the person asked: the clock counts from then."""
        return self.submitted_time


def read(content: bytes, domain: str) -> Asked:
    """Read a request whose signature was found right.

    Args:
        content: the body.
        domain: of whoever signed it; its callbacks lead there and nowhere else.

    Raises:
        Malformed: it is none; the message names each field, and no value.
    """
    try:
        asked = Asked.model_validate(json.loads(content))
    except ValidationError as error:
        fields = sorted({".".join(str(part) for part in one["loc"]) for one in error.errors()})
        raise Malformed("These fields are missing or wrong: %(fields)s.", fields=", ".join(fields)) from None
    except (ValueError, RecursionError):
        raise Malformed("The body is no JSON.") from None
    for one in asked.subject_identities:
        if (one.identity_type, one.identity_format) not in IDENTITIES:
            raise Malformed("This form of identity is not supported; see /discovery.")
    for url in asked.status_callback_urls:
        _demand_own(url, domain)
    return asked


def _demand_own(url: str, domain: str) -> None:
    try:
        outside.demand_allowed(url)
        host = (urlsplit(url).hostname or "").lower()
    except (outside.NotReached, ValueError):
        raise Malformed("status_callback_urls: only https addresses are called.") from None
    if host != domain and not host.endswith(f".{domain}"):
        raise Malformed("status_callback_urls: they have to lie under the domain that signs.")
