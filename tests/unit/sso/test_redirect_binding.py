from __future__ import annotations

import base64
import zlib
from urllib.parse import quote_plus, urlsplit

import pytest

from sso import errors
from sso.redirect_binding import MAX_ENCODED, RSA_SHA256, receive, signed_url

XML = b"<a>message</a>"
ADDRESS = "https://idp.example.org/sso"


@pytest.fixture
def query(idp_key):
    return urlsplit(signed_url(ADDRESS, "SAMLRequest", XML, idp_key.key_pem, "/back?a=1&b=é")).query


def deflated(xml):
    deflate = zlib.compressobj(wbits=-15)
    return quote_plus(base64.b64encode(deflate.compress(xml) + deflate.flush()))


def test_signed_message_arrives_whole(query, idp_key):
    received = receive(query, "SAMLRequest", [idp_key.certificate_pem])
    assert (received.document.text, received.relay_state) == ("message", "/back?a=1&b=é")


def test_address_with_a_query_of_its_own_keeps_it(idp_key):
    url = signed_url(f"{ADDRESS}?tenant=7", "SAMLRequest", XML, idp_key.key_pem)
    assert url.startswith(f"{ADDRESS}?tenant=7&SAMLRequest=")
    assert receive(urlsplit(url).query, "SAMLRequest", [idp_key.certificate_pem]).relay_state is None


def test_any_of_several_certificates_may_match(query, idp_key, other_key):
    receive(query, "SAMLRequest", [other_key.certificate_pem, idp_key.certificate_pem])


def test_another_senders_signature_is_refused(query, other_key):
    with pytest.raises(errors.SignatureWrong):
        receive(query, "SAMLRequest", [other_key.certificate_pem])


@pytest.mark.parametrize("name", ["SAMLRequest", "RelayState"])
def test_changed_field_is_refused(query, idp_key, name):
    fields = dict(part.split("=", 1) for part in query.split("&"))
    fields[name] = deflated(b"<a>forged</a>") if name == "SAMLRequest" else "/elsewhere"
    forged = "&".join(f"{key}={value}" for key, value in fields.items())
    with pytest.raises(errors.SignatureWrong):
        receive(forged, "SAMLRequest", [idp_key.certificate_pem])


def test_removed_relay_state_is_refused(query, idp_key):
    without = "&".join(part for part in query.split("&") if not part.startswith("RelayState="))
    with pytest.raises(errors.SignatureWrong):
        receive(without, "SAMLRequest", [idp_key.certificate_pem])


@pytest.mark.parametrize("name", ["Signature", "SigAlg"])
def test_unsigned_message_is_refused(query, idp_key, name):
    unsigned = "&".join(part for part in query.split("&") if not part.startswith(f"{name}="))
    with pytest.raises(errors.SignatureMissing):
        receive(unsigned, "SAMLRequest", [idp_key.certificate_pem])


def test_sha1_is_refused(query, idp_key):
    weak = query.replace(quote_plus(RSA_SHA256), quote_plus("http://www.w3.org/2000/09/xmldsig#rsa-sha1"))
    assert weak != query
    with pytest.raises(errors.AlgorithmRefused):
        receive(weak, "SAMLRequest", [idp_key.certificate_pem])


def test_repeated_field_is_malformed(query, idp_key):
    with pytest.raises(errors.MessageMalformed):
        receive(f"{query}&SAMLRequest={deflated(b'<a/>')}", "SAMLRequest", [idp_key.certificate_pem])


def test_request_does_not_pass_as_a_response(query, idp_key):
    with pytest.raises(errors.MessageMalformed):
        receive(query, "SAMLResponse", [idp_key.certificate_pem])


def test_long_query_is_refused_unread(idp_key):
    with pytest.raises(errors.MessageTooLarge):
        receive("a" * (MAX_ENCODED + 1), "SAMLRequest", [idp_key.certificate_pem])


def test_message_that_inflates_without_end_is_refused(idp_key):
    bomb = b"<a>" + b" " * 10_000_000 + b"</a>"
    url = signed_url(ADDRESS, "SAMLRequest", bomb, idp_key.key_pem)
    assert len(url) < MAX_ENCODED
    with pytest.raises(errors.MessageTooLarge):
        receive(urlsplit(url).query, "SAMLRequest", [idp_key.certificate_pem])


def test_document_type_in_a_signed_message_is_malformed(idp_key):
    url = signed_url(
        ADDRESS, "SAMLRequest", b'<!DOCTYPE a SYSTEM "http://evil.example/">' + XML, idp_key.key_pem
    )
    with pytest.raises(errors.MessageMalformed):
        receive(urlsplit(url).query, "SAMLRequest", [idp_key.certificate_pem])
