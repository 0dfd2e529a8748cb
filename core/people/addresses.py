"""Mail addresses: which spellings are one person's."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import Final

import idna

from core.composed import composed

_DOMAINS: Final = 1000
_LONGEST: Final = 320  # 64 and 255 signs and the @ between them, RFC 3696 erratum 1690


def folded(address: str) -> str:
    """Return an address as it is kept: in small letters, its domain as it was written.

    Only here and in Python: a database's `lower` depends on its locale and leaves the dot of `İ` out or the letter
    large, so that what is asked for would not be what is kept. Of what is kept it changes nothing.
    """
    address = address.strip()
    return (composed(address) if len(address) <= _LONGEST else address).lower()


def canonical(address: str) -> str:
    """Return the one spelling in which addresses are compared: small letters, and a domain in ASCII.

    So `Jürgen@Bücher.example` and `jürgen@xn--bcher-kva.example` are one. Not Python's own codec: that knows the
    standard of 2003 only, for which `straße.example` is `strasse.example`, which may be somebody else's. A domain
    that no standard allows stays as it is, and so does what is too long for an address.
    """
    if len(address) > _LONGEST:
        return folded(address)
    local, _, domain = folded(address).rpartition("@")
    return f"{local}@{_in_ascii(domain)}"


def spellings(address: str) -> list[str]:
    """Return every spelling, in small letters, under which rows may have an address."""
    one = canonical(address)
    local, _, domain = one.rpartition("@")
    return list(dict.fromkeys((one, f"{local}@{_readable(domain)}")))


def domain_of(address: str) -> str:
    """Return the domain of an address as addresses are compared by."""
    return canonical(address).rpartition("@")[2]


def readable_domain(domain: str) -> str:
    """Return a domain as people write it."""
    return _readable(domain)


# A company's people have a few domains, and thousands of lists' rows ask for each.
@lru_cache(maxsize=_DOMAINS)
def _in_ascii(domain: str) -> str:
    with suppress(idna.IDNAError):
        return idna.encode(domain, uts46=True).decode("ascii")
    return domain


@lru_cache(maxsize=_DOMAINS)
def _readable(domain: str) -> str:
    with suppress(idna.IDNAError):
        return str(idna.decode(domain))
    return domain
