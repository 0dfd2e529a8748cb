"""Verify the signatures of a SAML response: ours is what they may cover and with which algorithms.

The toolkit verifies them and refuses wrapped ones. Of its `is_valid` nothing else is used: the rest compares
addresses by prefix or substring, lets what is absent pass, and knows a clock skew in one place and none in
the next, so all of that stands in `sso.assertion`, once.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from types import MappingProxyType

from lxml import etree
from onelogin.saml2.errors import OneLogin_Saml2_ValidationError as Refusal
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings
from onelogin.saml2.utils import OneLogin_Saml2_Utils
from onelogin.saml2.xml_utils import OneLogin_Saml2_XML

from sso import errors
from sso.saml import NAMESPACES, NS_ASSERTION, NS_PROTOCOL, NS_SIGNATURE, SamlConnection, toolkit_settings

ALGORITHMS = frozenset(
    f"http://www.w3.org/2001/04/xmldsig-more#rsa-{digest}" for digest in ("sha256", "sha384", "sha512")
)
DIGESTS = frozenset(
    {
        "http://www.w3.org/2001/04/xmlenc#sha256",
        "http://www.w3.org/2001/04/xmldsig-more#sha384",
        "http://www.w3.org/2001/04/xmlenc#sha512",
    }
)
CANONICALIZATIONS = frozenset(
    {"http://www.w3.org/2001/10/xml-exc-c14n#", "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"}
)
TRANSFORMS = CANONICALIZATIONS | {"http://www.w3.org/2000/09/xmldsig#enveloped-signature"}

_RESPONSE, _ASSERTION = f"{{{NS_PROTOCOL}}}Response", f"{{{NS_ASSERTION}}}Assertion"
_CAUSES: Mapping[int, type[errors.SignInFailed]] = MappingProxyType(
    {
        Refusal.DEPRECATED_SIGNATURE_METHOD: errors.AlgorithmRefused,
        Refusal.DEPRECATED_DIGEST_METHOD: errors.AlgorithmRefused,
        Refusal.WRONG_NUMBER_OF_ASSERTIONS: errors.AssertionCount,
    }
)


def check_signatures(response: etree._Element) -> None:
    """Refuse a parsed response whose signatures must not even reach the cryptography.

    Raises:
        SignatureWrong: one covers something else than the element it stands in, or an ID stands twice.
        AlgorithmRefused: an algorithm outside our lists.
    """
    ids = [element.get("ID") for element in response.iter() if element.get("ID") is not None]
    if len(ids) != len(set(ids)):
        raise errors.SignatureWrong
    for signature in response.iter(f"{{{NS_SIGNATURE}}}Signature"):
        _check_one(signature)


def verified(connection: SamlConnection, xml: bytes) -> etree._Element:
    """Return the very tree whose signatures were verified against the connection's certificates.

    Raises:
        SignatureWrong: a signature does not match its content and one of the certificates.
        MessageMalformed: the toolkit cannot read it.
    """
    try:
        settings = OneLogin_Saml2_Settings(toolkit_settings(connection))
        response = OneLogin_Saml2_Response(settings, base64.b64encode(xml).decode("ascii"))
        document: etree._Element = response.get_xml_document()
        if not response.validate_num_assertions():
            raise errors.AssertionCount
        signed = response.process_signed_elements()
        for tag, xpath in (
            (_RESPONSE, OneLogin_Saml2_Utils.RESPONSE_SIGNATURE_XPATH),
            (_ASSERTION, OneLogin_Saml2_Utils.ASSERTION_SIGNATURE_XPATH),
        ):
            if tag in signed:
                OneLogin_Saml2_Utils.validate_sign(
                    document,
                    xpath=xpath,
                    multicerts=list(connection.idp_certificates),
                    raise_exceptions=True,
                )
    except errors.SignInFailed:
        raise
    except Refusal as refusal:
        cause = _CAUSES.get(refusal.code, errors.SignatureWrong)
        raise cause from refusal
    except Exception as error:  # the toolkit raises bare Exception, lxml's and xmlsec's errors
        raise errors.MessageMalformed from error
    if _ASSERTION not in signed:
        raise errors.SignatureMissing
    return document


def follows_schema(response: etree._Element) -> bool:
    """Return whether a response is shaped as saml-schema-protocol-2.0 says."""
    return not isinstance(OneLogin_Saml2_XML.validate_xml(response, "saml-schema-protocol-2.0.xsd"), str)


def _check_one(signature: etree._Element) -> None:
    """Check what a signature covers and with which algorithms; the toolkit checks that it is right."""
    signed = signature.getparent()
    references = signature.findall("ds:SignedInfo/ds:Reference", NAMESPACES)
    if (
        signed is None
        or signed.tag not in (_RESPONSE, _ASSERTION)
        or len(references) != 1
        or not signed.get("ID")
        or references[0].get("URI") != f"#{signed.get('ID')}"
        or signature.find("ds:Object", NAMESPACES) is not None
    ):
        raise errors.SignatureWrong
    for path, allowed in (
        ("ds:SignedInfo/ds:SignatureMethod", ALGORITHMS),
        ("ds:SignedInfo/ds:CanonicalizationMethod", CANONICALIZATIONS),
        ("ds:SignedInfo/ds:Reference/ds:DigestMethod", DIGESTS),
        ("ds:SignedInfo/ds:Reference/ds:Transforms/ds:Transform", TRANSFORMS),
    ):
        algorithms = signature.findall(path, NAMESPACES)
        if not algorithms or any(algorithm.get("Algorithm") not in allowed for algorithm in algorithms):
            raise errors.AlgorithmRefused
