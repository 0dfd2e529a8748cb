"""The certificate's page: what was deleted, how it was checked, and how anyone can check that."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_decimal
from cryptography.hazmat.primitives.hashes import SHA256
from markupsafe import Markup

from compliance.certificate.facts import CertificateBody, Keeper, Method, Where
from compliance.log import tree_head
from compliance.log.encoding import encode
from compliance.log.proof import Proof
from compliance.pdf.pages import environment
from compliance.signing import ROOT_NAME, SIGNER_NAME
from core import fonts

if TYPE_CHECKING:
    from compliance.certificate.evidence import Certificate
    from compliance.certificate.facts import Line
    from compliance.signing import SigningKeys

TEMPLATES = Path(__file__).parent / "templates"
LANGUAGES = ("en", "de")
NEVER_WEEKS = 10**6  # so many of a larger unit than days are never written as that
MAX_PLACES = 3  # of a line, printed; evidence.json has them all


@dataclass(frozen=True)
class Row:
    """One line, in words."""

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
    return load(TEMPLATES / "certificate", language)


@cache
def load(page: Path, language: str) -> dict[str, Any]:
    """Return the words of a page, named by its file without language, or in English where we have no translation."""
    shown = language if language in LANGUAGES else "en"
    return tomllib.loads(page.with_name(f"{page.name}.{shown}.toml").read_text(encoding="utf-8"))


def footer(body: CertificateBody) -> str:
    """Return the line at the foot of every page; the same in all languages."""
    return f"{body.certificate_id} · {body.status.value}"


def render(document: Certificate, keys: SigningKeys, language: str, *, keys_address: str) -> str:
    """Return the certificate as one HTML page without outside resources."""
    words = texts(language)
    body = document.certificate
    assert isinstance(body, CertificateBody), "the first edition is never made any more"
    moment = partial(format_datetime, format=words["moment"], locale=words["language"])
    names = Names()
    company = names.drawable(body.organization.legal_name or body.organization.name)
    attested = _attested(body, words, moment, names)
    rows, empty = _rows(body, words)
    return (
        environment(TEMPLATES)
        .get_template("certificate.html")
        .render(
            t=words,
            body=body,
            regime=body.regime.value,
            statement=_statement(body, words, company, moment),
            directory=_directory(body, words, moment),
            sealed_only=_sealed_only(body),
            company=company,
            brand=names.drawable(body.organization.name),
            address=lines_of(body.organization.address, names),
            operator=names.drawable(body.operator.name),
            operator_address=lines_of(body.operator.address, names),
            letters_note=words["letters_note"] if names.numbered else "",
            erase_note=words["erase_note"]["done" if body.epoch.destroyed_at else "pending"].format(
                epoch=body.epoch.number
            ),
            reason=label(words["reason"][body.regime.value], body.reason),
            rows=rows,
            empty=words["table"]["empty"].format(tables=", ".join(empty)) if empty else "",
            files=number(sum(len(one.places) for one in body.locations if one.where is Where.OBJECTS), words),
            copies=list(_copies(body, words, moment)),
            attested=attested,
            held=_held(body, words, moment),
            number=partial(number, words=words),
            label=label,
            moment=moment,
            footer=footer(body),
            **record(document, keys, words, keys_address),
        )
    )


class Names:
    """Names as they can be drawn, and whether any letter of one had to be numbered."""

    def __init__(self) -> None:
        self.numbered = False

    def drawable(self, name: str) -> str:
        """Return the name with each letter that no font here has as its Unicode number.

        A box says nothing, and PDF/A forbids it; another spelling would be another name.
        """
        for letter in fonts.without_glyph(name):
            self.numbered = True
            name = name.replace(letter, f"[U+{ord(letter):04X}]")
        return name


def record(
    document: Certificate, keys: SigningKeys, words: dict[str, Any], keys_address: str
) -> dict[str, Any]:
    """Return what the technical record and the signature's block of any signed document say."""
    proof = Proof.parse(document.log.proof)
    head = tree_head.parse_text(proof.checkpoint.partition("\n\n")[0] + "\n")
    folder = keys_address.rpartition("/")[0]
    return {
        "origin": head.origin,
        "position": number(proof.index + 1, words),
        "log_size": number(head.size, words),
        "root_hash": encode(head.root),
        "leaf_hash": document.log.leaf_hash,
        "facts_sha256": document.certificate.facts()["certificate_sha256"],
        "evidence_sha256": sha256(document.canonical()).hexdigest(),
        "root_fingerprint": keys.document_root.fingerprint(SHA256()).hex(),
        "signer_fingerprint": keys.document_certificate.fingerprint(SHA256()).hex(),
        "authority": urlsplit(keys.timestamp_url).netloc,
        "root_name": ROOT_NAME,
        "signer_name": SIGNER_NAME,
        "keys_address": keys_address,
        "root_addresses": [f"{folder}/root.cer", f"{folder}/root.pem"],
    }


def label(table: dict[str, str], slug: str) -> str:
    """Return the words for `slug`; a kind that is newer than the table reads as its own name."""
    return table.get(slug, slug.replace("_", " "))


def number(count: int, words: dict[str, Any]) -> str:
    """Return a count as the language writes it."""
    return format_decimal(count, locale=words["language"])


def lines_of(address: str | None, names: Names) -> list[str]:
    """Return an address as it can be drawn, line by line; none where it was not given."""
    return [names.drawable(line) for line in address.splitlines()] if address else []


def _statement(
    body: CertificateBody, words: dict[str, Any], company: str, moment: Callable[[datetime], str]
) -> Markup:
    text = words["statement"][body.pictures.status.value]
    return Markup(text).format(  # noqa: S704 - our own text; values are escaped
        company=Markup("<bdi>{}</bdi>").format(company),
        executed=moment(body.pictures.unreadable_since or body.executed_at),
        until=moment(body.sealed_until),
    )


def _sealed_only(body: CertificateBody) -> bool:
    """Whether backups have names and what was measured sealed only: then they end with the epoch's key."""
    ends = body.directory.backups_until
    return ends is not None and ends == (body.epoch.destroyed_at or body.epoch.due_at)


def _directory(body: CertificateBody, words: dict[str, Any], moment: Callable[[datetime], str]) -> str:
    standing = body.directory
    text: str = words["directory"][standing.status.value]
    if standing.unreadable_since is None or standing.backups_until is None:
        return text
    return text.format(since=moment(standing.unreadable_since), until=moment(standing.backups_until))


def _attested(
    body: CertificateBody, words: dict[str, Any], moment: Callable[[datetime], str], names: Names
) -> str:
    """Say who answers for it that no backup holds the epoch keys, and how old that is."""
    if body.keyring is None:
        return ""
    said, attested = words["attested"], body.keyring.attested
    if attested is None:
        return str(said["nobody"])
    text: str = said["here" if attested.same_place else "elsewhere"]
    who = names.drawable(attested.by)
    role = said["role"].format(role=names.drawable(attested.role)) if attested.role else ""
    age = timedelta(days=(body.issued_at - attested.at).days)
    days = format_timedelta(age, granularity="day", threshold=NEVER_WEEKS, locale=words["language"])
    return text.format(
        who=who + role, at=moment(attested.at), age=said["age"].format(days=days) if age else ""
    )


def _held(body: CertificateBody, words: dict[str, Any], moment: Callable[[datetime], str]) -> str:
    """Say what it means that a key service keeps an old key for some days."""
    if body.keyring is None or body.keyring.kept is Keeper.FOLDER:
        return ""
    said, until = words["held"], body.keyring.held_until
    if body.epoch.destroyed_at is not None:
        return str(said["over"].format(at=moment(body.epoch.destroyed_at)))
    if until is None:
        return str(said["ahead"].format(until=moment(body.epoch.due_at)))
    return str(said["waits"].format(until=moment(until), late=moment(body.epoch.due_at)))


def _copies(body: CertificateBody, words: dict[str, Any], moment: Callable[[datetime], str]) -> Iterator[str]:
    said = words["copies"]
    if not body.recipients or body.recall is None:
        yield said["none"]
    else:
        day = words["moment"].partition(",")[0]
        days = (format_date(one.at, day, locale=words["language"]) for one in body.recipients)
        yield said["some"].format(dates="; ".join(days))
        files = words["table"]["files_one" if body.recall.files == 1 else "files"]
        values = {
            "asked": moment(body.recall.asked_at),
            "files": files.format(count=number(body.recall.files, words)),
            "until": moment(body.recall.until),
        }
        if body.recall.confirmed_at is None:
            yield said["asked"].format(**values)
        else:
            yield said["confirmed"].format(**values, confirmed=moment(body.recall.confirmed_at))
    yield said["own"]


def _rows(body: CertificateBody, words: dict[str, Any]) -> tuple[list[Row], list[str]]:
    """Return the table's rows, and the names of what was read and had nothing."""
    found = [_row(line, body, words) for line in body.locations if line.count]
    empty = [label(words["category"], line.category) for line in body.locations if not line.count]
    return found, empty


def _row(line: Line, body: CertificateBody, words: dict[str, Any]) -> Row:
    language = words["language"]
    short = partial(format_datetime, format=words["short_moment"], locale=language)
    until = line.backup_readable_until or (body.sealed_until if line.epoch is not None else None)
    places = [one.rpartition(".")[2] if line.where is Where.DATABASE else one for one in line.places]
    shown = ", ".join(places[:MAX_PLACES])
    if len(places) > MAX_PLACES:
        shown += " " + words["more_places"].format(count=len(places) - MAX_PLACES)
    pending = line.method is Method.CRYPTO_ERASE and body.epoch.destroyed_at is None
    checked = words["check"][line.verification.check.value]
    return Row(
        category=label(words["category"], line.category),
        count=number(line.count, words),
        size=size(line.bytes, language) if line.bytes else "–",
        method=words["method"][line.method.value],
        sanitization=words["sanitization"]["crypto_erase_pending" if pending else line.method.value],
        check=checked.format(
            read=number(line.verification.read, words), places=number(len(line.places), words)
        ),
        checked_at=short(line.verification.at),
        readable_until=short(until) if until else "–",
        places=f"{words['retained_where'][line.where.value]}: {shown}",
    )


def size(count: int, language: str) -> str:
    """Return `count` bytes as kB, MB or GB (powers of 1000)."""
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{format_decimal(round(value, 1), locale=language)} {unit}"
