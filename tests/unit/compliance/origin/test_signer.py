"""Who signs where pictures come from: made once and local, or the operator's from PKCS#12."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from certificates import bundle
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from origins import read
from PIL import Image
from together import said_together

from compliance.origin import signer as signers
from compliance.origin.credentials import sign
from compliance.origin.making import Making
from core import settings as settings_module
from core.errors import ConfigurationError

INITIALS = Making.of_initials()


def png() -> bytes:
    import io

    target = io.BytesIO()
    Image.new("RGB", (40, 40), "teal").save(target, "PNG")
    return target.getvalue()


def test_a_local_signer_is_made_once_and_says_what_it_is_worth(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    made = signers.make(folder)
    assert signers.make(folder).certificate == made.certificate
    assert made.is_local
    assert "vouched for by nobody" in made.certificate.subject.rfc4514_string()
    assert "untrusted" in made.certificate.subject.rfc4514_string()
    assert stat.S_IMODE((folder / signers.FILE).stat().st_mode) == 0o600
    assert (folder / signers.FILE).read_bytes().count(b"PRIVATE KEY-----") == 2, "the root's is not kept"


def test_processes_that_start_together_get_the_same_signer(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib; from compliance.origin import signer;"
        "print(signer.make(pathlib.Path(sys.argv[1])).certificate.serial_number)"
    )
    assert len(set(said_together(script, str(tmp_path)))) == 1


def test_a_key_is_in_no_text_that_a_log_could_get(tmp_path: Path) -> None:
    made = signers.make(tmp_path)
    secret = made.key.decode().splitlines()[1]
    assert secret not in repr(made) + str(made)


@pytest.mark.parametrize("content", [b"", b"rubbish"])
def test_a_damaged_signer_is_said_and_not_replaced(tmp_path: Path, content: bytes) -> None:
    signers.make(tmp_path)
    (tmp_path / signers.FILE).write_bytes(content)
    with pytest.raises(ConfigurationError, match="damaged"):
        signers.make(tmp_path)
    assert (tmp_path / signers.FILE).read_bytes() == content


def test_a_host_without_the_signer_says_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no origin\.pem in .*headshots migrate"):
        signers.load(tmp_path)


@pytest.mark.parametrize(
    ("make", "algorithm"),
    [
        (lambda: ec.generate_private_key(ec.SECP256R1()), "Es256"),
        (lambda: ec.generate_private_key(ec.SECP384R1()), "Es384"),
        (lambda: rsa.generate_private_key(65537, 2048), "Ps256"),
        (ed25519.Ed25519PrivateKey.generate, "Ed25519"),
    ],
)
def test_the_operators_own_certificate_signs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[], object], algorithm: str
) -> None:
    monkeypatch.setenv("HEADSHOTS_ORIGIN_CERTIFICATE", str(bundle(tmp_path, make())))
    monkeypatch.setenv("HEADSHOTS_ORIGIN_CERTIFICATE_PASSWORD", "secret")
    settings_module.signer_settings.cache_clear()
    try:
        found = signers.configured()
        assert found is not None
        assert not found.is_local
        told = read(sign(png(), "image/png", INITIALS, found), "image/png")
    finally:
        settings_module.signer_settings.cache_clear()
    assert told is not None
    assert told.state == "Valid"
    assert told.active["signature_info"]["issuer"] == "Northwind Labs"
    assert told.active["signature_info"]["alg"] == algorithm


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ({"days": 10}, "is valid until"),
        ({"purpose": ExtendedKeyUsageOID.SERVER_AUTH}, "is not for e-mail protection"),
        ({"issuer": "Pictures"}, "its own issuer"),
        ({"alone": True}, "lacks the certificate of its issuer"),
        ({"key": ec.generate_private_key(ec.SECP256K1())}, "a key that C2PA does not know"),
    ],
)
def test_a_certificate_that_no_reader_takes_is_refused_before_anything_is_signed(
    tmp_path: Path, wanted: dict[str, object], why: str
) -> None:
    file = bundle(tmp_path, **wanted)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=why):
        signers.from_pkcs12(file, "secret")


def test_a_wrong_password_and_a_wrong_file_are_told_apart_from_a_missing_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not open it"):
        signers.from_pkcs12(bundle(tmp_path), "guess")
    with pytest.raises(ConfigurationError, match="No such file"):
        signers.from_pkcs12(tmp_path / "none.p12", None)


def test_a_time_authority_that_does_not_answer_is_said_and_nothing_goes_out_without_a_time(
    tmp_path: Path,
) -> None:
    from core.errors import Unavailable

    found = signers.from_pkcs12(bundle(tmp_path), "secret", "http://127.0.0.1:9/tsa")
    with pytest.raises(Unavailable, match="time"):
        sign(png(), "image/png", INITIALS, found)
