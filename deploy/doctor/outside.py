"""What is reached over the network: object storage, mail, the address that people use, and their clocks."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

import httpx
from sqlalchemy import NullPool, text

from core.clock import now
from core.connections import postgres_engine
from core.mail import sender_dns
from core.mail.message import Mail
from core.mail.sender_dns import Verdict
from core.mail.smtp import send
from core.observe import health
from core.reasons import Reason, reason_of
from core.settings import settings
from core.vault import vault
from deploy.doctor.causes import Kind, Outside, told
from deploy.doctor.finding import Finding, failure, ok, skipped, warning

# TLS and SAML allow minutes, logs and deadlines are read by people: a second is noise, a minute is a wrong clock.
_ODD_SECONDS: Final = 5.0
_WRONG_SECONDS: Final = 60.0
_DNS_SECONDS: Final = 4.0
_MEND_CLOCK = "Let chrony or systemd-timesyncd keep the clock of both hosts: `timedatectl`."


def storage() -> Iterator[Finding]:
    """Write, read back and delete an object that no sweep counts."""
    vault().store.check()  # first: writing would make a folder that has gone
    begun = time.perf_counter()
    written = vault().store.round_trip()
    took = (time.perf_counter() - begun) * 1000
    scheme = urlsplit(settings().storage_url).scheme
    yield ok("storage", f"{scheme}: wrote, read and deleted an object in {took:.0f} ms")
    yield _drift("clock_storage", "the object storage", (written - now()).total_seconds(), took / 1000)


def database_clock() -> Iterator[Finding]:
    """This host's clock against the database's."""
    with postgres_engine(
        settings().database_url.get_secret_value(), poolclass=NullPool
    ).connect() as connection:
        begun = time.perf_counter()
        theirs = connection.scalar(text("SELECT clock_timestamp()"))
        took = time.perf_counter() - begun
        yield _drift("clock_database", "the database", (theirs - now()).total_seconds(), took)


def _drift(check: str, whose: str, seconds: float, took: float) -> Finding:
    off = max(0.0, abs(seconds) - took - 1.0)  # an HTTP date has whole seconds
    if off > _WRONG_SECONDS:
        return failure(check, f"{whose} is {off:.0f} s away from this host", _MEND_CLOCK)
    if off > _ODD_SECONDS:
        return warning(check, f"{whose} is {off:.0f} s away from this host", _MEND_CLOCK)
    return ok(check, f"{whose} agrees with this host")


def address() -> Iterator[Finding]:
    """The address that people use: its name, its encryption, what answers there, and its clock."""
    check = "base_url"
    parts = urlsplit(settings().base_url)
    host = parts.hostname or ""
    if parts.scheme == "https" and settings().trust_proxies == 0:
        yield warning(
            check,
            "a proxy ends its encryption, and HEADSHOTS_TRUST_PROXIES is 0: all people count as that proxy, so limits on how often"
            " somebody may ask meet everybody at once",
            "Set HEADSHOTS_TRUST_PROXIES to the number of proxies in front, 1 with deploy/nginx or deploy/caddy.",
        )
    try:
        found = socket.getaddrinfo(host, parts.port or parts.scheme, type=socket.SOCK_STREAM)
    except OSError:
        yield failure(check, f"{host} has no address", f"Add an A or AAAA record for {host}.")
        return
    yield ok(check, f"{host} is {', '.join(sorted({str(entry[4][0]) for entry in found}))}")
    try:
        # No proxy of the environment; but the authorities that this host trusts, as every other part of the product.
        answer = httpx.get(
            f"{settings().base_url.rstrip('/')}/healthz",
            timeout=10,
            trust_env=False,
            verify=ssl.create_default_context(),
        )
    except httpx.HTTPError as error:
        reason = reason_of(error)
        if reason is Reason.OTHER:
            yield warning(
                check,
                f"what answers there is no web server ({type(error).__name__})",
                "See that the proxy runs and leads to `headshots web`.",
            )
        else:
            yield warning(check, *told(Outside(Kind.WEB, "HEADSHOTS_BASE_URL"), reason))
        return
    if answer.status_code != httpx.codes.OK:
        yield failure(
            check,
            f"/healthz answers {answer.status_code}",
            "Lead the proxy to `headshots web`, paths unchanged.",
        )
        return
    yield ok(check, "the product answers there")
    if date := answer.headers.get("date"):
        yield _drift("clock_web", "the web", (parsedate_to_datetime(date) - now()).total_seconds(), 1.0)


def mail_server() -> Iterator[Finding]:
    """The mail server takes us."""
    health.greet_mail()
    yield ok("mail", "the server takes our sign-in")


def try_mail(to: str) -> Iterator[Finding]:
    """Send a message to `to`."""
    words = "This message shows that Headshots can send mail. Nothing has to be done."
    send(Mail(to=to, subject="Headshots: a test message", text=words, html=f"<p>{words}</p>"))
    yield ok("mail_sent", "a test message was handed to the server; see that it arrives, and not among spam")


def sender_domain() -> Iterator[Finding]:
    """What other mail servers ask about our sender."""
    check = "mail_domain"
    if "." not in sender_dns.domain():
        yield skipped(check, f"the sender's domain is {sender_dns.domain()}")
        return
    for one in sender_dns.check():
        said = f"{one.what} at {one.name}"
        if one.verdict is Verdict.GOOD:
            yield ok(check, f"{said} is set")
        elif one.verdict is Verdict.NO_ANSWER:
            yield warning(check, f"{said} could not be asked", "Ask again from a host with DNS.")
        elif one.verdict is Verdict.NOT_SET_UP:
            yield skipped(check, f"{one.what} is not asked: HEADSHOTS_DKIM_SELECTOR is not set")
        else:
            mend = (
                f"Set this TXT record: {one.wanted}" if one.wanted else "Your mail provider says what to set."
            )
            yield warning(
                check,
                f"{said} is not right ({one.verdict.value}), so many servers take our mails for spam",
                mend,
            )
