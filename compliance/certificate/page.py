"""The certificate's page: what was deleted, how it was checked, and how anyone can check that."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from babel.dates import format_datetime
from babel.numbers import format_decimal
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from compliance.log import checkpoint
from compliance.log.encoding import encode
from compliance.log.proof import Proof
from core import fonts

if TYPE_CHECKING:
    from compliance.certificate.facts import Certificate, CertificateBody, Location

TEMPLATES = Path(__file__).parent / "templates"
LANGUAGES = ("en", "de")
MAX_LOCATORS = 3  # of a group, printed; evidence.json has them all


@dataclass(frozen=True)
class Group:
    """Locations of one kind, destroyed and checked in the same way: one row of the table."""

    category: str
    count: str
    size: str
    method: str
    sanitization: str
    check: str
    checked_at: str
    readable_until: str
    places: str


def texts(language: str) -> dict[str, Any]:
    """Return the page's words in `language`, or in English where we have no translation."""
    return _load(language if language in LANGUAGES else "en")


@cache
def _load(language: str) -> dict[str, Any]:
    return tomllib.loads((TEMPLATES / f"certificate.{language}.toml").read_text(encoding="utf-8"))


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def footer(body: CertificateBody) -> str:
    """Return the line at the foot of every page; the same in all languages."""
    return f"{body.certificate_id} · {body.status.value}"


def render(document: Certificate, root: x509.Certificate, language: str, *, keys_address: str) -> str:
    """Return the certificate as one HTML page without outside resources."""
    words = texts(language)
    body = document.certificate
    name, numbered = _drawable(body.organization.name)
    proof = Proof.parse(document.log.proof)
    head = checkpoint.parse_text(proof.checkpoint.partition("\n\n")[0] + "\n")

    def moment(value: datetime) -> str:
        return format_datetime(value, words["moment"], locale=words["language"])

    return (
        _environment()
        .get_template("certificate.html")
        .render(
            t=words,
            body=body,
            status=words["status"][body.status.value],
            statement=Markup(words["statement"][body.status.value]).format(  # noqa: S704 - our own text; values are escaped
                company=Markup("<bdi>{}</bdi>").format(name),
                executed=moment(body.executed_at),
                until=moment(body.sealed_until),
            ),
            company=name,
            letters_note=words["letters_note"] if numbered else "",
            others_note=words["others_note"].format(until=moment(body.others_until))
            if body.others_until
            else "",
            erase_note=words["erase_note"]["done" if body.epoch.destroyed_at else "pending"].format(
                epoch=body.epoch.number
            ),
            reason=_label(words["reason"], body.reason),
            groups=list(_groups(body, words)),
            total=format_decimal(sum(one.count for one in body.locations), locale=words["language"]),
            moment=moment,
            footer=footer(body),
            origin=head.origin,
            position=format_decimal(proof.index + 1, locale=words["language"]),
            log_size=format_decimal(head.size, locale=words["language"]),
            root_hash=encode(head.root),
            leaf_hash=document.log.leaf_hash,
            facts_sha256=body.facts()["certificate_sha256"],
            evidence_sha256=sha256(document.canonical()).hexdigest(),
            root_fingerprint=root.fingerprint(SHA256()).hex(),
            keys_address=keys_address,
        )
    )


def _drawable(name: str) -> tuple[str, bool]:
    """Return the name with each letter that no font here has as its Unicode number, and whether there is one.

    A box says nothing, and PDF/A forbids it; another spelling would be another name.
    """
    unknown = fonts.without_glyph(name)
    for letter in unknown:
        name = name.replace(letter, f"[U+{ord(letter):04X}]")
    return name, bool(unknown)


def _groups(body: CertificateBody, words: dict[str, Any]) -> Iterator[Group]:
    def kind(one: Location) -> tuple[str, str, str]:
        return one.category, one.method.value, one.verification.method.value

    language = words["language"]
    together: dict[tuple[str, str, str], list[Location]] = {}
    for one in body.locations:
        together.setdefault(kind(one), []).append(one)
    for (category, method, check), found in together.items():
        places = [one.locator for one in found]
        until = [
            one.backup_readable_until or (body.sealed_until if one.epoch is not None else None)
            for one in found
        ]
        last = max(filter(None, until), default=None)
        shown = ", ".join(places[:MAX_LOCATORS])
        if len(places) > MAX_LOCATORS:
            shown += " " + words["more_places"].format(count=len(places) - MAX_LOCATORS)
        size = sum(one.bytes for one in found)
        sanitization = words["sanitization"][method]
        if method == "crypto_erase" and body.epoch.destroyed_at is None:
            sanitization = words["sanitization"]["crypto_erase_pending"]
        yield Group(
            category=_label(words["category"], category),
            count=format_decimal(sum(one.count for one in found), locale=language),
            size=_size(size, language) if size else "–",
            method=words["method"][method],
            sanitization=sanitization,
            check=words["check"][check],
            checked_at=format_datetime(
                max(one.verification.at for one in found), words["short_moment"], locale=language
            ),
            readable_until=format_datetime(last, words["short_moment"], locale=language) if last else "–",
            places=shown,
        )


def _label(table: dict[str, str], slug: str) -> str:
    """Return the words for `slug`; a kind that is newer than the table reads as its own name."""
    return table.get(slug, slug.replace("_", " "))


def _size(count: int, language: str) -> str:
    """Return `count` bytes as kB, MB or GB (powers of 1000)."""
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{format_decimal(round(value, 1), locale=language)} {unit}"
