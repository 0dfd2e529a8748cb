"""Asking an RFC 3161 authority for the time of a signature: over the network, with a hash alone."""

from __future__ import annotations

import urllib.request
from typing import Final
from urllib.error import HTTPError, URLError

from asn1crypto import cms, tsp
from pyhanko.sign.timestamps import TimeStamper

from compliance.pdf import timestamp
from core.errors import Unavailable

SECONDS: Final = (
    5.0  # a signature is made inside a transaction; who waits longer is asked again by the job's next try
)
MOST: Final = 64_000  # bytes of an answer; public authorities' have 2 to 8 thousand


class Authority(TimeStamper):  # type: ignore[misc]
    """An authority at an address, whose tokens come in the form that our readers take.

    Args:
        url: http or https.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """Ask once.

        Raises:
            Unavailable: it does not answer, or with something else than a timestamp.
        """
        asked = urllib.request.Request(  # noqa: S310 - the operator's own address, http or https by the settings
            self._url, req.dump(), {"Content-Type": "application/timestamp-query"}
        )
        try:
            with urllib.request.urlopen(asked, timeout=SECONDS) as answer:  # noqa: S310
                content = answer.read(MOST + 1)
        except (URLError, OSError) as error:
            if isinstance(error, HTTPError):
                error.close()
            raise _away(str(error)) from error
        if len(content) > MOST:
            raise _away("its answer is too long")
        return tsp.TimeStampResp.load(content)

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
        """Return the token in its canonical form."""
        try:
            return timestamp.canonical(await super().async_timestamp(message_digest, md_algorithm))
        except Unavailable:
            raise
        except Exception as error:  # bytes from outside: pyHanko and its parsers raise anything
            raise _away(f"no timestamp: {type(error).__name__}") from error


def _away(why: str) -> Unavailable:
    return Unavailable("The timestamp authority does not answer; this is tried again.", why=why)
