"""What the domain of our mails says in DNS: who may send for it (SPF), with which key (DKIM), and what follows (DMARC)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parseaddr
from enum import StrEnum
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from core.settings import settings

if TYPE_CHECKING:
    import dns.resolver

DNS_SECONDS: Final = 4.0
# Whom a mail provider wants named in SPF, by how its servers' names end; as their manuals say.
_PROVIDERS: Final = {
    "amazonaws.com": "amazonses.com",
    "sendgrid.net": "sendgrid.net",
    "mailgun.org": "mailgun.org",
    "postmarkapp.com": "spf.mtasv.net",
    "office365.com": "spf.protection.outlook.com",
    "outlook.com": "spf.protection.outlook.com",
    "gmail.com": "_spf.google.com",
    "brevo.com": "spf.brevo.com",
}
_KEY: Final = re.compile(r"(?:^|;)\s*p\s*=\s*([^;]*)")
_POLICY: Final = re.compile(r"(?:^|;)\s*p\s*=\s*(none|quarantine|reject)\b", re.IGNORECASE)


class What(StrEnum):
    """What is asked for."""

    SPF = "SPF"
    DKIM = "DKIM"
    DMARC = "DMARC"


class Verdict(StrEnum):
    """What came of it."""

    GOOD = "good"
    MISSING = "missing"  # there is no such record
    SEVERAL = "several"  # receivers then believe none (RFC 7208 §4.5, RFC 7489 §6.6.3)
    OPEN = "open"  # it lets anybody send
    NOT_NAMED = "not_named"  # it does not name whoever sends our mails
    EMPTY = "empty"  # a key that was taken back, or a policy without one
    NOT_SET_UP = "not_set_up"  # nobody has said under which name the key lies
    NO_ANSWER = "no_answer"  # DNS did not answer


@dataclass(frozen=True)
class Record:
    """One of the three.

    Attributes:
        what: which.
        name: where in DNS.
        verdict: what came of it.
        found: what stands there.
        wanted: what to set there; empty where only the mail provider knows.
    """

    what: What
    name: str
    verdict: Verdict
    found: tuple[str, ...]
    wanted: str


def domain() -> str:
    """Return the domain that our mails are from."""
    return parseaddr(settings().mail_from)[1].rpartition("@")[2].lower()


def check() -> list[Record]:
    """Ask DNS, a few seconds at most for each; never within a transaction."""
    return [_spf(), _dkim(), _dmarc()]


def _spf() -> Record:
    # Receivers ask the domain of the return path (RFC 7208 §2.4).
    name = settings().bounce_address.rpartition("@")[2].lower() or domain()
    named = _named()
    wanted = f"v=spf1 {named} ~all" if named else ""
    texts = _texts(name)
    if texts is None:
        return Record(What.SPF, name, Verdict.NO_ANSWER, (), wanted)
    found = tuple(one for one in texts if one.lower().split(" ")[0] == "v=spf1")
    terms = found[0].lower().split() if found else []
    if found and named and named not in terms:
        wanted = " ".join(["v=spf1", named, *(found[0].split()[1:] or ["~all"])])
    if len(found) != 1:
        verdict = Verdict.SEVERAL if found else Verdict.MISSING
    elif {"+all", "all"} & set(terms):
        verdict = Verdict.OPEN
    else:
        redirects = any(one.startswith("redirect=") for one in terms)
        verdict = Verdict.GOOD if not named or named in terms or redirects else Verdict.NOT_NAMED
    return Record(What.SPF, name, verdict, found, "" if verdict is Verdict.GOOD else wanted)


def _named() -> str:
    """Return the part of SPF that lets our mail server send; empty for one that only this network knows.

    Under which address such a server sends on, nobody here knows.
    """
    host = (urlsplit(settings().smtp_url.get_secret_value()).hostname or "").lower()
    known = next((one for ending, one in _PROVIDERS.items() if host.endswith(ending)), None)
    if known:
        return f"include:{known}"
    try:
        address = ip_address(host)
    except ValueError:
        return f"a:{host}" if "." in host else ""
    return f"ip{address.version}:{address}" if address.is_global else ""


def _dkim() -> Record:
    selector = settings().dkim_selector
    name = f"{selector or '…'}._domainkey.{domain()}"
    if not selector:
        return Record(What.DKIM, name, Verdict.NOT_SET_UP, (), "")
    texts = _texts(name)
    if texts is None:
        return Record(What.DKIM, name, Verdict.NO_ANSWER, (), "")
    found = tuple(one for one in texts if _KEY.search(one))
    key = _KEY.search(found[0]) if found else None
    if key is None:
        verdict = Verdict.MISSING
    else:
        verdict = Verdict.GOOD if key.group(1).strip() else Verdict.EMPTY
    return Record(What.DKIM, name, verdict, found, "")


def _dmarc() -> Record:
    own = domain()
    wanted = f"v=DMARC1; p=none; rua=mailto:postmaster@{own}"
    # The domain's own, else that of one above it (RFC 7489 §6.6.3), which speaks for all below.
    labels = own.split(".")
    above = [".".join(labels[start:]) for start in range(len(labels) - 1)] or [own]
    for place in above:
        texts = _texts(f"_dmarc.{place}")
        if texts is None:
            return Record(What.DMARC, f"_dmarc.{place}", Verdict.NO_ANSWER, (), wanted)
        found = tuple(one for one in texts if one.replace(" ", "").lower().startswith("v=dmarc1"))
        if len(found) > 1:
            return Record(What.DMARC, f"_dmarc.{place}", Verdict.SEVERAL, found, wanted)
        if found:
            good = _POLICY.search(found[0]) is not None
            verdict = Verdict.GOOD if good else Verdict.EMPTY
            return Record(What.DMARC, f"_dmarc.{place}", verdict, found, "" if good else wanted)
    return Record(What.DMARC, f"_dmarc.{own}", Verdict.MISSING, (), wanted)


def _texts(name: str) -> list[str] | None:
    """Return the texts at a name; `None` where DNS did not answer."""
    import dns.exception  # only where somebody asks: they are large
    import dns.resolver

    try:
        answers = _resolver().resolve(name, "TXT", lifetime=DNS_SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, OSError):
        return None
    return [b"".join(one.strings).decode("utf-8", "replace") for one in answers]


def _resolver() -> dns.resolver.Resolver:
    import dns.resolver

    server = settings().dns_server
    if not server:
        return dns.resolver.Resolver()
    host, _, port = server.rpartition(":")
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [host.strip("[]")], int(port)
    return resolver
