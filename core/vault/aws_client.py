"""Asking AWS KMS: which one, and what its refusals mean for an operator. The only place with boto3."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from core.errors import ConfigurationError
from core.logs import logger
from core.observe import metrics
from core.reasons import Reason
from core.vault.outage import AWAY, Outage

SCHEME: Final = "awskms"
_CONNECT_SECONDS, _READ_SECONDS, _TRIES = 2, 4, 2


@dataclass(frozen=True)
class Address:
    """Which key service, and how long it keeps a key whose deletion is scheduled."""

    region: str
    days: int = 7  # AWS takes 7 to 30
    endpoint: str | None = None

    @classmethod
    def parse(cls, url: str) -> Address:
        """Read `awskms:///?region=…&days=…&endpoint=…`.

        Raises:
            ConfigurationError: it is another one.
        """
        parts, given = urlsplit(url), dict(parse_qsl(urlsplit(url).query))
        days = given.pop("days", "7")
        region, endpoint = given.pop("region", ""), given.pop("endpoint", None)
        good = parts.scheme == SCHEME and not parts.netloc and parts.path in ("", "/") and not given
        if not good or not region or not days.isascii() or not days.isdigit() or not 7 <= int(days) <= 30:
            raise ConfigurationError(
                "HEADSHOTS_KMS_URL must be like awskms:///?region=eu-central-1, with &days=7 to 30 for how long AWS keeps an old key, "
                "and &endpoint=https://… for another endpoint."
            )
        return cls(region, int(days), endpoint)


class Code(StrEnum):
    """What an operator has to mend."""

    NO_CREDENTIALS = "no_credentials"
    CREDENTIALS = "credentials"
    NOT_ALLOWED = "not_allowed"
    NO_KEY = "no_key"
    REGION = "region"
    STATE = "state"


_REASONS: Final = {
    Code.NO_CREDENTIALS: Reason.NO_CREDENTIALS,
    Code.CREDENTIALS: Reason.CREDENTIALS,
    Code.NOT_ALLOWED: Reason.NOT_ALLOWED,
    Code.NO_KEY: Reason.UNKNOWN_PLACE,
    Code.REGION: Reason.WRONG_REGION,
    Code.STATE: Reason.NOT_ALLOWED,
}
_SAYS: Final = {
    Code.NO_CREDENTIALS: "this host has no credentials for AWS KMS: give it a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    Code.CREDENTIALS: "AWS KMS in {region} refuses this host's credentials, or its clock is wrong: correct them",
    Code.NOT_ALLOWED: "AWS KMS in {region} does not allow this host what it needs: see the policy in docs/operate.md, “Keys in AWS KMS”",
    Code.NO_KEY: "AWS KMS in {region} has no such key: correct the region in HEADSHOTS_KMS_URL, or the account of this host",
    Code.REGION: "HEADSHOTS_KMS_URL names the region {region}, and the installation's keys are in another: correct it",
    Code.STATE: "somebody disabled the key of the running epoch at AWS KMS, or scheduled its deletion: enable it again there",
}


class KeyServiceRefuses(Outage):
    """The key service answers, and waiting does not help.

    Attributes:
        why: what is to be mended.
        operator: the same in words, for a terminal.
    """

    code = "key_service_refuses"

    def __init__(self, address: Address, why: Code, more: str = "") -> None:
        super().__init__(AWAY, "keyring", _REASONS[why])
        self.why = why
        self.operator = (
            f"The epoch keys cannot be used: {_SAYS[why].format(region=address.region)}. {more}".strip()
            + " Nothing is lost and nothing was changed."
        )


# Error codes of AWS KMS and of AWS signatures (API references, common errors).
_OF_CODE: Final = {
    "UnrecognizedClientException": Code.CREDENTIALS,
    "InvalidClientTokenId": Code.CREDENTIALS,
    "InvalidSignatureException": Code.CREDENTIALS,
    "IncompleteSignature": Code.CREDENTIALS,
    "MissingAuthenticationToken": Code.NO_CREDENTIALS,
    "ExpiredTokenException": Code.CREDENTIALS,
    "ExpiredToken": Code.CREDENTIALS,
    "RequestExpired": Code.CREDENTIALS,
    "AccessDeniedException": Code.NOT_ALLOWED,
    "OptInRequired": Code.NOT_ALLOWED,
    "NotFoundException": Code.NO_KEY,
    "DisabledException": Code.STATE,
    "KMSInvalidStateException": Code.STATE,
}


@contextmanager
def asking(address: Address) -> Iterator[None]:
    """Turn what boto3 raises into what this program says of it.

    Raises:
        KeyServiceRefuses: waiting does not help.
        Outage: it does not answer, or cannot now.
    """
    from botocore import exceptions

    try:
        yield
    except exceptions.ClientError as error:
        why = _OF_CODE.get(error.response["Error"]["Code"])
        raise _told(error, Reason.BUSY) if why is None else _refused(address, why) from error
    except (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.CredentialRetrievalError,
        exceptions.ProfileNotFound,
    ) as error:
        raise _refused(address, Code.NO_CREDENTIALS) from error
    except (exceptions.ConnectTimeoutError, exceptions.ReadTimeoutError) as error:
        raise _told(error, Reason.TIMEOUT) from error
    except exceptions.SSLError as error:
        raise _told(error, Reason.TLS) from error
    except exceptions.HTTPClientError as error:
        raise _told(error, Reason.UNREACHABLE) from error
    except (exceptions.BotoCoreError, OSError) as error:
        raise _told(error, Reason.OTHER) from error


def _refused(address: Address, why: Code) -> KeyServiceRefuses:
    refusal = KeyServiceRefuses(address, why)
    if why is not Code.NO_KEY:  # that is an answer, where a key is to be gone
        metrics.PART_ERRORS.labels("keyring").inc()
        logger().error("keyring_unavailable", code=refusal.reason)
    return refusal


def _told(error: Exception, reason: Reason) -> Outage:
    metrics.PART_ERRORS.labels("keyring").inc()
    logger().error("keyring_unavailable", code=reason, error=type(error).__name__)
    return Outage(AWAY, "keyring", reason)


_making = threading.Lock()  # boto3's clients may be shared, and not be made, by several threads at once


def client(address: Address) -> Any:
    """Return the client for `address`.

    Raises:
        ConfigurationError: boto3 is not installed here.
    """
    with _making:
        return _client(address)


@cache
def _client(address: Address) -> Any:
    try:
        from boto3.session import Session
        from botocore.config import Config
    except ImportError as error:
        raise ConfigurationError(
            "HEADSHOTS_KMS_URL needs boto3, which is not installed here. Install the `aws` extra: "
            "`pip install -c constraints.txt '.[aws]'`, in images `install.sh packages /opt/headshots aws`."
        ) from error
    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": _TRIES},
    )
    return Session().client("kms", region_name=address.region, endpoint_url=address.endpoint, config=config)
