"""Responses whose signature was wrapped into a forged one, told to the validator; see `wrapping`."""

from __future__ import annotations

import copy

import pytest
from lxml import etree
from wrapping import EVERY, FORGED, forge, signature_of

from sso import errors
from sso.saml import NAMESPACES


@pytest.mark.parametrize("wrap", EVERY)
def test_wrapped_signature_signs_nobody_in(desk, wrap):
    wrapped = wrap(desk.response(), desk.key)
    assert FORGED in etree.tostring(wrapped).decode(), "the forgery must be in what is sent"
    with pytest.raises(errors.SignInFailed):
        desk.hand_in(wrapped)


def test_signature_moved_to_a_forged_assertion_is_refused(desk):
    response = desk.response()
    honest = response.find("saml:Assertion", NAMESPACES)
    forged = forge(honest)
    forged.set("ID", honest.get("ID"))
    forged.insert(1, signature_of(honest))
    response.replace(honest, forged)
    with pytest.raises(errors.SignatureWrong):
        desk.hand_in(response)


def test_second_reference_in_a_signature_is_refused(desk):
    response = desk.response()
    info = response.find("saml:Assertion/ds:Signature/ds:SignedInfo", NAMESPACES)
    info.append(copy.deepcopy(info.find("ds:Reference", NAMESPACES)))
    with pytest.raises(errors.SignatureWrong):
        desk.hand_in(response)


def test_whole_document_reference_is_refused(desk):
    response = desk.response()
    response.find(".//ds:Reference", NAMESPACES).set("URI", "")
    with pytest.raises(errors.SignatureWrong):
        desk.hand_in(response)


def test_repeated_id_is_refused(desk):
    response = desk.response()
    response.set("ID", response.find("saml:Assertion", NAMESPACES).get("ID"))
    with pytest.raises(errors.SignatureWrong):
        desk.hand_in(response)
