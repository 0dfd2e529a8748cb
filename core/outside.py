"""Telling somebody else's server something: over https alone, to a public address, without following it anywhere.

The address that was looked at is the one that is connected to, so that a name cannot lead to another one meanwhile.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from typing import Final
from urllib.parse import SplitResult, urlsplit

from core.errors import AppError
from core.settings import settings

SECONDS: Final = 10.0
MOST_BYTES: Final = 64_000  # of an answer, of which only the status counts

# Addresses of IPv6 in use by the public (RFC 4291 §2.4, IANA); and IPv4 ones within IPv6 (RFC 6052 §2.1).
_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class NotReached(AppError):
    """Nobody was told."""

    code = "not_reached"
    status = 502


def post(url: str, content: bytes, headers: dict[str, str]) -> int:
    """Send JSON; return the status of the answer, a redirect's too.

    Raises:
        NotReached: the address is none that may be reached, or nobody answers there in time.
    """
    parts = _parts(url)
    host, port = parts.hostname or "", parts.port or 443
    address = _address(host, port)
    # The authorities that this host trusts; SSL_CERT_FILE names others, as for every program.
    connection = _Connection(host, port, address, ssl.create_default_context())
    path = parts.path or "/"
    if parts.query:
        path += f"?{parts.query}"
    try:
        connection.request("POST", path, content, {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        answer.read(MOST_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise NotReached(
            "%(host)s does not answer (%(error)s).", host=host, error=type(error).__name__
        ) from None
    finally:
        connection.close()
    return answer.status


def demand_allowed(url: str) -> None:
    """Refuse an address that could never be reached, before it is kept.

    Raises:
        NotReached: it is not https, names a user, or is a number of a network that is not public.
    """
    host = _parts(url).hostname or ""
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        return
    if not _is_allowed(number):
        raise NotReached("This address is not public.")


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usual = parts.port in (None, 443) or settings().callback_networks
    except ValueError:
        raise NotReached("This is no address.") from None
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.password or not usual:
        raise NotReached("Only https addresses on the usual port are told.")
    return parts


class _Connection(http.client.HTTPSConnection):
    """Speaks to one address in another's name."""

    def __init__(self, host: str, port: int, address: Address, context: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=SECONDS, context=context)
        self._address, self._trust = address, context

    def connect(self) -> None:
        """Connect to the address that was looked at; the certificate has to be the name's."""
        raw = socket.create_connection((str(self._address), self.port), SECONDS)
        self.sock = self._trust.wrap_socket(raw, server_hostname=self.host)


def _address(host: str, port: int) -> Address:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise NotReached("%(host)s has no address.", host=host) from None
    addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
    if not addresses or not all(_is_allowed(one) for one in addresses):
        raise NotReached("%(host)s is not at a public address.", host=host)
    return addresses[0]


def _is_allowed(address: Address) -> bool:
    plain = _behind(address)
    if any(one in network for one in (address, plain) for network in settings().callback_networks):
        return True
    if isinstance(plain, ipaddress.IPv6Address) and plain not in _UNICAST:
        return False
    return plain.is_global and not plain.is_multicast


def _behind(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address leads to, through whatever translates it; else the same."""
    if not isinstance(address, ipaddress.IPv6Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1] or address
