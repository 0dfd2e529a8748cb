from __future__ import annotations

import stat

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from together import said_together

from core import clock
from sso.credentials import make_sp_credentials


def test_first_use_makes_a_pair_that_stays(tmp_path):
    made = make_sp_credentials(tmp_path / "signing")
    assert make_sp_credentials(tmp_path / "signing") == made
    key = serialization.load_pem_private_key(made.key_pem.encode(), None)
    certificate = x509.load_pem_x509_certificate(made.certificate_pem.encode())
    assert key.public_key() == certificate.public_key()
    assert certificate.not_valid_before_utc < clock.now() < certificate.not_valid_after_utc
    assert key.key_size == 3072


def test_key_is_readable_by_its_owner_only(tmp_path):
    make_sp_credentials(tmp_path)
    assert stat.S_IMODE((tmp_path / "saml-sp.key").stat().st_mode) == 0o600


def test_key_is_not_shown_when_printed(tmp_path):
    made = make_sp_credentials(tmp_path)
    assert "PRIVATE" not in repr(made)


def test_pair_left_half_made_is_made_again(tmp_path):
    made = make_sp_credentials(tmp_path)
    (tmp_path / "saml-sp.crt").unlink()
    (tmp_path / "saml-sp.key.new").write_text("half a ke")
    again = make_sp_credentials(tmp_path)
    assert again != made
    assert (tmp_path / "saml-sp.key").read_text() == again.key_pem


def test_processes_starting_together_share_one_pair(tmp_path):
    script = (
        "import sys, pathlib; from sso.credentials import make_sp_credentials;"
        "print(make_sp_credentials(pathlib.Path(sys.argv[1])).certificate_pem)"
    )
    found = said_together(script, str(tmp_path))
    assert "CERTIFICATE" in found[0]
    assert len(set(found)) == 1
