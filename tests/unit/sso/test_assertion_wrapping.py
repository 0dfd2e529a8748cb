"""XML signature wrapping: the eight forms of Somorovsky et al., "On Breaking SAML" (USENIX Security 2012).

Each hides the honest, signed part somewhere and puts a forged one where a careless reader looks.
"""

from __future__ import annotations

import copy

import pytest
from lxml import etree

from sso import errors
from sso.devidp import response as idp
from sso.saml import NAMESPACES

DS = f"{{{NAMESPACES['ds']}}}"
SAMLP = f"{{{NAMESPACES['samlp']}}}"
FORGED = "forged-administrator"


def forge(element):
    """A copy that names someone else, has another id and no signature of its own."""
    forged = copy.deepcopy(element)
    forged.set("ID", "_forged")
    for signature in forged.findall("ds:Signature", NAMESPACES):
        forged.remove(signature)
    for name in forged.iter(f"{{{NAMESPACES['saml']}}}NameID"):
        name.text = FORGED
    return forged


def signature_of(element):
    return element.find("ds:Signature", NAMESPACES)


def xsw1(desk):
    """The honest response inside the signature of a forged one."""
    honest = idp.sign(desk.response(), desk.key)
    forged = forge(honest)
    signature = copy.deepcopy(signature_of(honest))
    honest.remove(signature_of(honest))
    signature.append(honest)
    forged.insert(1, signature)
    return forged


def xsw2(desk):
    """The honest response before a detached signature, both inside a forged response."""
    honest = idp.sign(desk.response(), desk.key)
    forged = forge(honest)
    signature = copy.deepcopy(signature_of(honest))
    honest.remove(signature_of(honest))
    forged.insert(1, honest)
    forged.insert(2, signature)
    return forged


def xsw3(desk):
    """A forged assertion before the honest one."""
    response = desk.response()
    honest = response.find("saml:Assertion", NAMESPACES)
    honest.addprevious(forge(honest))
    return response


def xsw4(desk):
    """The honest assertion inside a forged one."""
    response = desk.response()
    honest = response.find("saml:Assertion", NAMESPACES)
    forged = forge(honest)
    response.replace(honest, forged)
    forged.append(honest)
    return response


def xsw5(desk):
    """A forged assertion with the honest signature; the honest assertion at the end."""
    response = desk.response()
    honest = response.find("saml:Assertion", NAMESPACES)
    forged = forge(honest)
    forged.insert(1, signature_of(honest))
    response.replace(honest, forged)
    response.append(honest)
    return response


def xsw6(desk):
    """A forged assertion whose signature contains the honest assertion."""
    response = desk.response()
    honest = response.find("saml:Assertion", NAMESPACES)
    forged, signature = forge(honest), signature_of(honest)
    forged.insert(1, signature)
    response.replace(honest, forged)
    signature.append(honest)
    return response


def xsw7(desk):
    """The forged assertion among extensions, which the schema lets hold anything."""
    response = desk.response()
    extensions = etree.Element(f"{SAMLP}Extensions")
    extensions.append(forge(response.find("saml:Assertion", NAMESPACES)))
    response.insert(1, extensions)
    return response


def xsw8(desk):
    """A forged assertion whose signature has an Object with the honest assertion."""
    response = desk.response()
    honest = response.find("saml:Assertion", NAMESPACES)
    forged, signature = forge(honest), signature_of(honest)
    forged.insert(1, signature)
    response.replace(honest, forged)
    etree.SubElement(signature, f"{DS}Object").append(honest)
    return response


@pytest.mark.parametrize("wrap", [xsw1, xsw2, xsw3, xsw4, xsw5, xsw6, xsw7, xsw8])
def test_wrapped_signature_signs_nobody_in(desk, wrap):
    wrapped = wrap(desk)
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
