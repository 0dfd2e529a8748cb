"""Evidence keys: made once, the same for every process, readable by the owner only."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import ValidationError
from together import said_together

from compliance.log import checkpoint
from compliance.log.tree_head import CheckpointBody
from compliance.signing import DOCUMENT_FILE, LOG_FILE, SECOND_FILE, PublishedKeys, SigningKeys
from core.clock import now
from core.errors import ConfigurationError

ORIGINS = ["photos.example.com/log/1", "photos.example.com/log/2"]


def fingerprint(path: Path) -> tuple[str, bytes]:
    keys = SigningKeys.make(path)
    return str(keys.log_key_of("x")), keys.document_root.public_bytes(Encoding.DER)


def test_keys_made_once_are_the_same_afterwards(tmp_path: Path) -> None:
    assert fingerprint(tmp_path / "keys") == fingerprint(tmp_path / "keys")
    assert fingerprint(tmp_path / "keys") != fingerprint(tmp_path / "other")


def test_key_files_are_readable_by_their_owner_only_and_nothing_else_is_left(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    SigningKeys.make(folder)
    assert sorted(file.name for file in folder.iterdir()) == sorted([DOCUMENT_FILE, LOG_FILE, SECOND_FILE])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_processes_that_start_together_get_the_same_keys(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib; from compliance.signing import SigningKeys;"
        "keys = SigningKeys.make(pathlib.Path(sys.argv[1]));"
        "print(keys.log_key_of('x'), keys.document_root.serial_number)"
    )
    found = said_together(script, str(tmp_path / "keys"))
    assert found[0].strip()
    assert len(set(found)) == 1


def test_root_key_is_not_kept(tmp_path: Path) -> None:
    SigningKeys.make(tmp_path)
    assert (tmp_path / DOCUMENT_FILE).read_bytes().count(b"PRIVATE KEY-----") == 2  # begin and end of one


def test_signer_cannot_issue_certificates_and_its_root_cannot_sign_documents(tmp_path: Path) -> None:
    keys = SigningKeys.make(tmp_path)
    keys.document_certificate.verify_directly_issued_by(keys.document_root)
    for certificate, is_root in ((keys.document_certificate, False), (keys.document_root, True)):
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is is_root
        assert usage.key_cert_sign is is_root
        assert usage.content_commitment is not is_root


@pytest.mark.parametrize("name", [LOG_FILE, SECOND_FILE, DOCUMENT_FILE])
@pytest.mark.parametrize("content", [b"", b"rubbish", b"-----BEGIN PRIVATE KEY-----\n"])
def test_damaged_keys_stop_the_process_and_are_not_replaced(
    tmp_path: Path, name: str, content: bytes
) -> None:
    SigningKeys.make(tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigurationError, match="damaged"):
        SigningKeys.make(tmp_path)
    assert (tmp_path / name).read_bytes() == content


def test_keys_of_two_installations_mixed_up_stop_the_process(tmp_path: Path) -> None:
    SigningKeys.make(tmp_path / "a")
    SigningKeys.make(tmp_path / "b")
    pem_a = (tmp_path / "a" / DOCUMENT_FILE).read_text().partition("-----BEGIN CERTIFICATE-----")
    pem_b = (tmp_path / "b" / DOCUMENT_FILE).read_text().partition("-----BEGIN CERTIFICATE-----")
    (tmp_path / "a" / DOCUMENT_FILE).write_text(pem_a[0] + pem_b[1] + pem_b[2])
    with pytest.raises(ConfigurationError, match="do not belong together"):
        SigningKeys.make(tmp_path / "a")


def test_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigurationError, match="HEADSHOTS_SIGNING_PATH"):
        SigningKeys.make(tmp_path / "file" / "keys")


def test_published_keys_open_what_the_private_ones_signed(tmp_path: Path) -> None:
    keys = SigningKeys.make(tmp_path)
    published = PublishedKeys.model_validate(keys.published_keys(ORIGINS))
    logs = [log.key for log in published.logs]
    assert [log.origin for log in published.logs] == [key.first.name for key in logs] == ORIGINS
    body = CheckpointBody(ORIGINS[1], 1, bytes(32))
    assert checkpoint.verify(keys.sign_checkpoint(body, now()), logs) == body
    assert b"PRIVATE" not in published.model_dump_json().encode()


def test_published_keys_whose_second_key_is_not_the_logs_are_refused(tmp_path: Path) -> None:
    keys, others = SigningKeys.make(tmp_path / "a"), SigningKeys.make(tmp_path / "b")
    good, theirs = (one.published_keys(ORIGINS)["logs"] for one in (keys, others))
    second = good[0]["second"]
    for wrong in (
        theirs[0]["second"]["vkey"],  # another key under the printed fingerprint
        good[1]["second"]["vkey"],  # of another log of ours
        good[0]["vkey"],  # an Ed25519 key
        second["vkey"].replace("+", "+0", 1),
    ):
        with pytest.raises(ValidationError):
            PublishedKeys.model_validate(
                keys.published_keys([]) | {"logs": [good[0] | {"second": second | {"vkey": wrong}}]}
            )


def test_published_keys_with_an_unreadable_part_are_refused(tmp_path: Path) -> None:
    published = SigningKeys.make(tmp_path).published_keys(ORIGINS)
    published["documents"][0]["certificate"] = "-----BEGIN CERTIFICATE-----"
    with pytest.raises(ValidationError):
        PublishedKeys.model_validate(published)
