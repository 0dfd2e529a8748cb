"""Making an installation once, and holding every process against it before it does anything.

`headshots migrate` makes the keys; a host that has others, or none, does not start.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from compliance import erasure, keyless, removals, sealing, withdrawals
from compliance.origin.signer import load as load_signer
from compliance.origin.signer import make as make_signer
from compliance.signing import SECOND_FILE, SigningKeys
from core import belonging, locks
from core.clock import now
from core.db import Lookup, demand_schema, engine, transaction
from core.errors import ConfigurationError, Misfit, Unavailable
from core.ids import made_at
from core.logs import logger
from core.models import Artifact, Installation
from core.people import directory, searches, sessions
from core.settings import settings
from core.shoots import commits
from core.vault import derive, vault
from core.vault.aws_client import KeyServiceRefuses
from core.vault.escrow import ESCROW
from core.vault.store import ObjectStore
from core.vault.ties import OF_ANOTHER_TIME, KeyStoreNotOurs, installation
from core.vault.vault import escrow_of_settings
from sso.credentials import make_sp_credentials, sp_credentials

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
CLOCKS_APART = timedelta(hours=1)  # far more than hosts are; it only decides how much is looked at
STORAGE_SECONDS = 5.0  # a start waits no longer for a storage that may be away
PICTURES = "pictures"
SECOND = "evidence log, second key"
WHAT_TO_DO = {
    "settings": "HEADSHOTS_SECRET_KEY is another one",
    "evidence log": "the key of the evidence log (log.pem) is another one",
    SECOND: "the second key of the evidence log (log-ml-dsa-44.pem) is another one",
    "evidence documents": "the key of certificates (document.pem) is another one",
    ESCROW: "HEADSHOTS_ESCROW_PATH and HEADSHOTS_ESCROW_PUBLIC_KEY are not those that `headshots keys escrow` began with",
    PICTURES: "the signer of pictures (origin.pem) is another one",
    "SAML": "the SAML certificate (saml-sp.crt) is another one",
}


class KeysNotOurs(ConfigurationError):
    """This host has other keys than the installation's."""

    code = "keys_not_ours"


def demand_apart() -> None:
    """See that no backup holds the epoch keys because their folder lies in one that is backed up.

    Raises:
        ConfigurationError: the keyring or the escrow lies in the folder of the signing keys, which every backup holds.
    """
    config = settings()
    signing = config.signing_path.resolve()
    for name, place in (("KEYRING", config.keyring_path), ("ESCROW", config.escrow_path)):
        if place is not None and place.resolve().is_relative_to(signing):
            raise ConfigurationError(
                f"HEADSHOTS_{name}_PATH lies in HEADSHOTS_SIGNING_PATH, which every backup holds, and no backup may hold the epoch "
                "keys. Move it to a folder of its own, and delete the backups that have it."
            )


def fingerprints() -> dict[str, str]:
    """Return the SHA-256 of each key that this host has and that every host must have.

    Raises:
        ConfigurationError: one is missing or damaged.
    """
    config = settings()
    evidence = SigningKeys.load(config.signing_path)
    saml = x509.load_pem_x509_certificate(sp_credentials(config.signing_path).certificate_pem.encode())
    escrow = escrow_of_settings()
    kept = {} if escrow is None else {ESCROW: escrow.fingerprint}
    return kept | {
        # Of a key derived from it, so that the print helps nobody to guess.
        "settings": sha256(derive("fingerprint")).hexdigest(),
        "evidence log": sha256(evidence.log_key.public_key().public_bytes_raw()).hexdigest(),
        SECOND: sha256(evidence.second_key.public_key().public_bytes_raw()).hexdigest(),
        "evidence documents": evidence.document_root.fingerprint(SHA256()).hex(),
        PICTURES: load_signer(config.signing_path).certificate.fingerprint(SHA256()).hex(),
        "SAML": saml.fingerprint(SHA256()).hex(),
    }


def initialize() -> bool:
    """Make the installation's keys, key store and marks where there is none, else hold this host against it.

    Call it once the main database has its tables. Returns whether it was made now.

    Raises:
        ConfigurationError: this host's keys, key store or storage are another installation's.
    """
    with Session(engine()) as session, session.begin():
        locks.wait(session, locks.Space.INSTALLATION)
        made = session.scalar(select(Installation)) is None
        if made:
            _make()
            session.add(Installation(fingerprints=fingerprints(), sealed_at=now()))
        else:
            _give_second_key(session)
            _give_signer(session)
    if not made:
        check_fingerprints()
        vault().keys.create_tables()
        erasure.name_all()
    if made or _was_never_marked():
        vault().ties.begin()
    demand()
    return made


def _make() -> None:
    config = settings()
    demand_apart()
    ObjectStore.make_folder(config.storage_url)
    if (escrow := escrow_of_settings()) is not None:
        escrow.prepare()
    SigningKeys.make(config.signing_path)
    make_signer(config.signing_path)
    make_sp_credentials(config.signing_path)
    vault().keys.create_tables()
    _check_parts_are_free()


def _give_second_key(session: Session) -> None:
    """Make the log's second key for an installation from before there was one; every other host needs a copy."""
    row = session.scalars(select(Installation)).one()
    if SECOND not in row.fingerprints:
        path = settings().signing_path
        public = SigningKeys.complete(path).second_key.public_key().public_bytes_raw()
        row.fingerprints = {**row.fingerprints, SECOND: sha256(public).hexdigest()}
        logger().warning("second_log_key_made", file=str(path / SECOND_FILE))


def _give_signer(session: Session) -> None:
    """Make the signer of pictures for an installation from before they were signed; every other host needs a copy."""
    row = session.scalars(select(Installation)).one()
    if PICTURES not in row.fingerprints:
        SigningKeys.load(settings().signing_path)  # never into a folder that lacks the installation's others
        print_of_it = make_signer(settings().signing_path).certificate.fingerprint(SHA256()).hex()
        row.fingerprints = {**row.fingerprints, PICTURES: print_of_it}


def _was_never_marked() -> bool:
    """Whether the installation was made by a process that died before it had marked the parts."""
    marks = (vault().keys.marks.read(), vault().ties.storage_mark())
    return None in marks and not Lookup.organizations() and vault().keys.is_empty()


def _check_parts_are_free() -> None:
    """Take parts that are new, or that this database already worked with before there were marks."""
    companies = Lookup.organizations()
    if vault().keys.marks.read() is not None or (not companies and not vault().keys.is_empty()):
        raise ConfigurationError(
            "The key store belongs to another installation. Give this one a database of its own: "
            "HEADSHOTS_KEYS_DATABASE_URL."
        )
    if companies:
        vault().keys.data_key(companies[0])  # raises where the key store or the keyring is not the company's
    names = [name for name, _ in vault().store.names()]
    if vault().ties.storage_mark() is not None or (names and not _knows_one_of(names)):
        raise ConfigurationError(
            "The storage belongs to another installation. Give this one a place of its own: HEADSHOTS_STORAGE_URL."
        )


def _knows_one_of(names: list[str]) -> bool:
    for company in Lookup.organizations():
        with transaction(company) as session:
            if session.scalar(select(Artifact.id).where(Artifact.object_name.in_(names[:1000])).limit(1)):
                return True
    return False


def check_fingerprints(*, besides: str = "") -> None:
    """Hold this host's keys, `besides` one, against what the database says of them.

    Raises:
        NotInitialized: there is no installation yet.
        KeysNotOurs: one is another than the installation's.
        ConfigurationError: one is missing or damaged.
    """
    demand_apart()
    expected = installation()
    found = fingerprints()
    wrong = [
        text
        for name, text in WHAT_TO_DO.items()
        if name != besides and expected.fingerprints.get(name) != found.get(name)
    ]
    if wrong:
        raise KeysNotOurs(
            f"This host has other keys than its installation, made on {expected.created_at:%Y-%m-%d}: {'; '.join(wrong)}. "
            "Copy HEADSHOTS_SIGNING_PATH and HEADSHOTS_SECRET_KEY from a host that works, or from their backup."
        )


CHECKS: dict[str, Callable[[], None]] = {
    "keys": check_fingerprints,
    "keyring": lambda: vault().keys.demand_keyring(),
    "key_store": lambda: _check_key_store(),
    "storage": lambda: _in_time(vault().ties.check_storage),
}


def _check_key_store() -> None:
    """Hold the key store's mark against the main database's, then its ledgers.

    A copy of the main database that is younger than the mark carries the same one. It knows of all that had happened
    before the mark was made, so only what the ledgers say of later can have come back.
    """
    vault().ties.check_key_store()
    vault().keys.demand_tables()
    mark = vault().keys.marks.read()
    marked_at = None if mark is None else made_at(mark.generation)
    since = BEGINNING if marked_at is None else marked_at - CLOCKS_APART
    if any(ledger.brought_back(since) for ledger in (erasure, withdrawals, removals)):
        raise KeyStoreNotOurs(operator=OF_ANOTHER_TIME)


def _in_time(check: Callable[[], None]) -> None:
    """Do what asks a storage, which may try again for minutes, and wait for its answer for seconds."""
    answer: Future[None] = Future()

    def ask() -> None:
        try:
            check()
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised where the answer is waited for
            answer.set_exception(error)
        else:
            answer.set_result(None)

    threading.Thread(target=ask, name="storage at start", daemon=True).start()
    try:
        answer.result(STORAGE_SECONDS)
    except TimeoutError as error:
        raise Unavailable("The storage does not answer.") from error


def demand() -> None:
    """Stop a process that does not belong to the installation, before it does anything.

    A key store or storage that does not answer right now is logged: the process waits for it as for any outage.

    Raises:
        ConfigurationError: says what is wrong and what to do.
        OperationalError: the main database does not answer.
    """
    try:
        with engine().connect() as connection:
            demand_schema(connection)
    except Misfit as error:
        raise ConfigurationError(error.operator) from error
    for name, check in CHECKS.items():
        try:
            check()
        except ConfigurationError:
            raise
        except OperationalError as error:  # the key store's; the main database has just answered
            if name == "keys":
                raise
            logger().warning("not_checked_at_start", code=name, exc_info=error)
        except Misfit as error:
            raise ConfigurationError(error.operator) from error
        except KeyServiceRefuses as error:
            raise ConfigurationError(error.operator) from error
        except Unavailable as error:
            if (closed := belonging.unreadable(error)) is not None:  # no outage: nothing mends that by itself
                raise closed from error
            logger().warning("not_checked_at_start", code=name, exc_info=error)


@dataclass(frozen=True)
class Replayed:
    """What a restored database had brought back.

    Attributes:
        erased: people who had been erased.
        withdrawn: consents that had been taken back.
        removed: photos, own pictures and parts in shoots that their people had removed.
        dead: other pictures and numbers whose keys were destroyed, such as what retention had swept.
    """

    erased: int
    withdrawn: int
    removed: int
    dead: int


def replay() -> Replayed:
    """Erase, take back and remove again what a restored database brought back; let it and the key store belong together again.

    Lists of people and searches are deleted: they may name whoever was erased since, and an import that waited for
    its worker would bring them back. So is what people had begun to send, and every session ends, as somebody may have
    removed or ended it since.

    Raises:
        ConfigurationError: this host's keys are not the installation's.
        KeyStoreNotOurs: the key store is another installation's.
    """
    check_fingerprints()
    mark = vault().keys.marks.read()
    if mark is None or mark.installation != installation().id:
        vault().ties.check_key_store()  # says so
    directory.rebuild()
    sealing.seal_all()
    for org_id in Lookup.organizations():
        with transaction(org_id) as session:
            commits.end_all(session, commits.Ended.RESTORED)
            searches.forget_all(session)
            sessions.end_everybodys(session)
            removals.end_unfinished(session)
    again = Replayed(erasure.replay_ledger(), withdrawals.replay(), removals.replay(), keyless.replay())
    vault().ties.adopt_key_store()
    return again


class Belonging:
    """Whether this process belongs to the installation, asked until the main database has said so once."""

    def __init__(self) -> None:
        self._known = False

    def __call__(self) -> bool:
        """Return whether it is known to.

        Raises:
            ConfigurationError: it does not.
        """
        if not self._known:
            try:
                demand()
            except OperationalError as error:
                logger().error("not_checked_at_start", code="database", exc_info=error)
                return False
            self._known = True
        return True
