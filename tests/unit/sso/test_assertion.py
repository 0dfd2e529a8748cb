"""Each way a response can lie, told to the validator that must refuse it with the right cause."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from lxml import etree
from onelogin.saml2.constants import OneLogin_Saml2_Constants
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from core import clock
from core.errors import Unavailable
from sso import errors
from sso.assertion import MAX_ENCODED, claimed_request, validate_response
from sso.devidp import response as idp
from sso.devidp.people import ADMIN_GROUP, DevPerson
from sso.redirect_binding import parse
from sso.replay import ReplayCache
from sso.saml import FORMAT_EMAIL, FORMAT_TRANSIENT, NAMESPACES, NameId

SP = "https://photos.example.com"  # as the fixture `connection` says
AUDIENCE = "saml:Conditions/saml:AudienceRestriction"
CONFIRMATION = "saml:Subject/saml:SubjectConfirmation/saml:SubjectConfirmationData"
NAME_ID = "saml:Subject/saml:NameID"


def remove(element):
    element.getparent().remove(element)


def in_minutes(minutes):
    return clock.rfc3339(clock.now() + timedelta(minutes=minutes))


def test_honest_response_tells_who_signed_in(desk):
    identity = desk.hand_in(desk.response())
    assert identity.idp_entity_id == desk.connection.idp_entity_id
    assert identity.name_id == NameId(desk.person.name_id)
    assert identity.session_index.startswith("_")
    assert (identity.email, identity.first_name, identity.last_name) == (
        "hannah.rivera@acme.example",
        "Hannah",
        "Rivera",
    )
    assert identity.groups == (ADMIN_GROUP, "staff")


def test_response_signed_as_a_whole_too_is_accepted(desk):
    assert desk.hand_in(idp.sign(desk.response(), desk.key)).name_id.value == desk.person.name_id


def test_claimed_request_is_read_without_trust(desk):
    assert (
        claimed_request(base64.b64encode(etree.tostring(desk.response())).decode()) == desk.answer.request_id
    )


def test_second_certificate_of_a_connection_is_accepted(desk, other_key):
    pems = (other_key.certificate_pem, desk.key.certificate_pem)
    renewed = desk.connection.model_copy(update={"idp_certificates": pems})
    assert desk.hand_in(desk.response(), connection=renewed).name_id.value == desk.person.name_id


def test_people_with_names_in_any_script_arrive_whole(desk):
    desk.person = DevPerson("acme", "zoe@acme.example", "Zoë <Ada> & “Bo”", "张伟 O’Neill")
    identity = desk.hand_in(desk.response())
    assert (identity.first_name, identity.last_name) == ("Zoë <Ada> & “Bo”", "张伟 O’Neill")


# Audience


def test_missing_audience_is_refused(desk, one):
    with pytest.raises(errors.AudienceWrong):
        desk.hand_in(desk.response(lambda assertion: remove(one(assertion, AUDIENCE))))


def test_empty_audience_restriction_is_refused(desk, one):
    with pytest.raises(errors.AudienceMissing):
        desk.hand_in(desk.response(lambda a: remove(one(a, f"{AUDIENCE}/saml:Audience"))))


@pytest.mark.parametrize(
    "audience", ["https://other.example", f"{SP}/sso/acme/metadata.evil", f"{SP}/sso/evil/metadata"]
)
def test_audience_of_another_application_is_refused(desk, one, audience):
    def change(assertion):
        one(assertion, f"{AUDIENCE}/saml:Audience").text = audience

    with pytest.raises(errors.AudienceWrong):
        desk.hand_in(desk.response(change))


def test_every_audience_restriction_must_hold(desk, one):
    def change(assertion):
        restriction = etree.SubElement(
            one(assertion, "saml:Conditions"), f"{{{NAMESPACES['saml']}}}AudienceRestriction"
        )
        etree.SubElement(restriction, f"{{{NAMESPACES['saml']}}}Audience").text = "https://other.example"

    with pytest.raises(errors.AudienceWrong):
        desk.hand_in(desk.response(change))


# Destination and recipient


@pytest.mark.parametrize(
    "destination", [None, "", f"{SP}/sso/acme/acs.evil", f"{SP}/sso/acme/acs?x=1", "https://evil.example/"]
)
def test_destination_must_be_our_address_exactly(desk, destination):
    response = desk.response()
    del response.attrib["Destination"]
    if destination is not None:
        response.set("Destination", destination)
    with pytest.raises(errors.DestinationWrong):
        desk.hand_in(response)


@pytest.mark.parametrize(
    "recipient",
    [None, "https://evil.example/", f"https://evil.example/?{SP}/sso/acme/acs", f"{SP}/sso/acme/acs.evil"],
)
def test_recipient_must_be_our_address_exactly(desk, one, recipient):
    def change(assertion):
        data = one(assertion, CONFIRMATION)
        del data.attrib["Recipient"]
        if recipient is not None:
            data.set("Recipient", recipient)

    with pytest.raises(errors.RecipientWrong):
        desk.hand_in(desk.response(change))


def test_confirmation_that_is_not_bearer_is_refused(desk, one):
    def change(assertion):
        one(assertion, "saml:Subject/saml:SubjectConfirmation").set(
            "Method", "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"
        )

    with pytest.raises(errors.RecipientWrong):
        desk.hand_in(desk.response(change))


# Time


def test_confirmation_without_an_end_is_refused(desk, one):
    with pytest.raises(errors.TimeWrong):
        desk.hand_in(desk.response(lambda a: one(a, CONFIRMATION).attrib.pop("NotOnOrAfter")))


def test_expired_confirmation_is_refused(desk, one):
    with pytest.raises(errors.TimeWrong):
        desk.hand_in(desk.response(lambda a: one(a, CONFIRMATION).set("NotOnOrAfter", in_minutes(-5.1))))


@pytest.mark.parametrize(
    ("path", "name", "minutes"),
    [
        (CONFIRMATION, "NotOnOrAfter", -4.5),
        ("saml:Conditions", "NotOnOrAfter", -4.5),
        ("saml:Conditions", "NotBefore", 4.5),
    ],
)
def test_every_time_allows_for_the_same_clock_skew(desk, one, path, name, minutes):
    assert desk.hand_in(desk.response(lambda a: one(a, path).set(name, in_minutes(minutes))))


def test_confirmation_with_a_start_is_told_as_such(desk, one):
    with pytest.raises(errors.ConfirmationStart):
        desk.hand_in(desk.response(lambda a: one(a, CONFIRMATION).set("NotBefore", in_minutes(-1))))


def test_end_that_the_provider_sets_for_the_session_is_read(desk, one):
    said = in_minutes(30)
    change = lambda a: one(a, "saml:AuthnStatement").set("SessionNotOnOrAfter", said)  # noqa: E731
    assert clock.rfc3339(desk.hand_in(desk.response(change)).session_end) == said
    assert desk.hand_in(desk.response()).session_end is None


def test_session_that_is_over_begins_nothing(desk, one):
    with pytest.raises(errors.SessionOver):
        desk.hand_in(
            desk.response(lambda a: one(a, "saml:AuthnStatement").set("SessionNotOnOrAfter", in_minutes(-1)))
        )


def test_expired_assertion_is_refused(desk, one):
    def change(assertion):
        one(assertion, "saml:Conditions").set("NotOnOrAfter", in_minutes(-6))

    with pytest.raises(errors.TimeWrong):
        desk.hand_in(desk.response(change))


def test_assertion_from_the_future_is_refused(desk, one):
    with pytest.raises(errors.TimeWrong):
        desk.hand_in(desk.response(lambda a: one(a, "saml:Conditions").set("NotBefore", in_minutes(6))))


def test_time_that_is_no_time_is_malformed(desk, one):
    with pytest.raises(errors.MessageMalformed):
        desk.hand_in(desk.response(lambda a: one(a, CONFIRMATION).set("NotOnOrAfter", "tomorrow")))


def test_end_in_the_year_9999_does_not_crash(desk, one):
    assert desk.hand_in(
        desk.response(lambda a: one(a, CONFIRMATION).set("NotOnOrAfter", "9999-12-31T23:59:59Z"))
    )


# Which request


def test_response_without_in_response_to_is_refused(desk):
    response = desk.response()
    del response.attrib["InResponseTo"]
    with pytest.raises(errors.RequestMismatch):
        desk.hand_in(response)


def test_confirmation_without_in_response_to_is_refused(desk, one):
    with pytest.raises(errors.RequestMismatch):
        desk.hand_in(desk.response(lambda a: one(a, CONFIRMATION).attrib.pop("InResponseTo")))


def test_response_to_another_request_is_refused(desk):
    with pytest.raises(errors.RequestMismatch):
        desk.hand_in(desk.response(), expected="_another-request")


def test_stolen_assertion_in_a_response_to_the_right_request_is_refused(desk):
    response = desk.response()
    response.set("InResponseTo", "_another-request")
    with pytest.raises(errors.SignInFailed):
        desk.hand_in(response, expected="_another-request")


def test_unsolicited_response_is_refused(desk, one):
    response = desk.response(lambda a: one(a, CONFIRMATION).attrib.pop("InResponseTo"))
    del response.attrib["InResponseTo"]
    with pytest.raises(errors.Unsolicited):
        desk.hand_in(response, expected=None)


def test_unsolicited_response_works_only_where_the_company_allows_it(desk, one):
    allowing = desk.connection.model_copy(update={"allow_unsolicited": True})
    response = desk.response(lambda a: one(a, CONFIRMATION).attrib.pop("InResponseTo"))
    del response.attrib["InResponseTo"]
    assert desk.hand_in(response, connection=allowing, expected=None).name_id.value == desk.person.name_id
    with pytest.raises(errors.RequestMismatch):
        desk.hand_in(desk.response(), connection=allowing, expected=None)


def test_same_response_is_accepted_once(desk):
    response = etree.tostring(desk.response())
    desk.hand_in(response)
    with pytest.raises(errors.Replayed):
        desk.hand_in(response)


def test_same_assertion_in_a_new_response_is_a_replay(desk):
    assertion = etree.tostring(desk.assertion())
    desk.hand_in(idp.response(desk.answer, parse(assertion)))
    with pytest.raises(errors.Replayed):
        desk.hand_in(idp.response(desk.answer, parse(assertion)))


def test_nobody_signs_in_while_the_replay_cache_is_away(desk, no_redis):
    away = ReplayCache(no_redis)
    encoded = base64.b64encode(etree.tostring(desk.response())).decode()
    with pytest.raises(Unavailable):
        validate_response(desk.connection, encoded, expected_request_id=desk.answer.request_id, replays=away)


# Signature


def test_unsigned_assertion_is_refused(desk):
    unsigned = idp.assertion(desk.answer, desk.person)
    with pytest.raises(errors.SignatureMissing):
        desk.hand_in(idp.response(desk.answer, unsigned))


def test_signed_response_around_an_unsigned_assertion_is_refused(desk):
    unsigned = idp.assertion(desk.answer, desk.person)
    with pytest.raises(errors.SignatureMissing):
        desk.hand_in(idp.sign(idp.response(desk.answer, unsigned), desk.key))


def test_another_identity_providers_signature_is_refused(desk, other_key):
    desk.key = other_key
    with pytest.raises(errors.SignatureWrong):
        desk.hand_in(desk.response())


def test_changed_content_is_refused(desk, one):
    response = desk.response()
    one(response, f"saml:Assertion/{NAME_ID}").text = "someone-else"
    with pytest.raises(errors.SignatureWrong):
        desk.hand_in(response)


@pytest.mark.parametrize(
    ("signature", "digest"),
    [
        (OneLogin_Saml2_Constants.RSA_SHA1, OneLogin_Saml2_Constants.SHA256),
        (OneLogin_Saml2_Constants.RSA_SHA256, OneLogin_Saml2_Constants.SHA1),
    ],
)
def test_sha1_is_refused(desk, signature, digest):
    signed = OneLogin_Saml2_Utils.add_sign(
        etree.tostring(idp.assertion(desk.answer, desk.person)),
        desk.key.key_pem,
        desk.key.certificate_pem,
        sign_algorithm=signature,
        digest_algorithm=digest,
    )
    with pytest.raises(errors.AlgorithmRefused):
        desk.hand_in(idp.response(desk.answer, parse(signed.encode() if isinstance(signed, str) else signed)))


@pytest.mark.parametrize(
    "path",
    [
        "SignatureMethod",
        "CanonicalizationMethod",
        "Reference/ds:DigestMethod",
        "Reference/ds:Transforms/ds:Transform[1]",
    ],
)
def test_algorithm_outside_the_list_is_refused_before_any_cryptography(desk, one, path):
    response = desk.response()
    method = one(response, f"saml:Assertion/ds:Signature/ds:SignedInfo/ds:{path}")
    method.set("Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116")
    with pytest.raises(errors.AlgorithmRefused):
        desk.hand_in(response)


def test_issuer_other_than_the_connections_is_refused(desk, one):
    def change(assertion):
        one(assertion, "saml:Issuer").text = "https://evil.example/metadata"

    with pytest.raises(errors.IssuerWrong):
        desk.hand_in(desk.response(change))


def test_refusal_by_the_identity_provider_is_told_as_such(desk, one):
    response = desk.response()
    remove(one(response, "saml:Assertion"))
    one(response, "samlp:Status/samlp:StatusCode").set(
        "Value", "urn:oasis:names:tc:SAML:2.0:status:Responder"
    )
    with pytest.raises(errors.IdpRefused):
        desk.hand_in(response)


@pytest.mark.parametrize(("inner", "shown"), [("RequestDenied", "RequestDenied"), ("evil", "Responder")])
def test_refusal_is_quoted_in_words_of_the_standard_only(desk, one, inner, shown):
    response = desk.response()
    outer = one(response, "samlp:Status/samlp:StatusCode")
    outer.set("Value", "urn:oasis:names:tc:SAML:2.0:status:Responder")
    etree.SubElement(outer, outer.tag, Value=f"urn:oasis:names:tc:SAML:2.0:status:{inner}")
    with pytest.raises(errors.IdpRefused) as refused:
        desk.hand_in(response)
    assert f"it answered {shown}." in refused.value.message


# Who


def test_comment_inside_the_name_id_does_not_cut_it_short(desk):
    whole = "admin@acme.example.evil.example"

    def change(assertion):
        assertion.find(NAME_ID, NAMESPACES).text = whole

    xml = etree.tostring(desk.response(change)).replace(
        whole.encode(), b"admin@acme.example<!-- cut -->.evil.example"
    )
    assert b"<!-- cut -->" in xml
    assert desk.hand_in(xml).name_id.value == whole


def test_processing_instruction_inside_the_name_id_does_not_cut_it_short(desk):
    xml = etree.tostring(desk.response()).replace(
        desk.person.name_id.encode(),
        desk.person.name_id[:8].encode() + b"<?cut?>" + desk.person.name_id[8:].encode(),
    )
    # Canonical XML keeps instructions, so the signature breaks or the name stays whole; never a part of it.
    try:
        name_id = desk.hand_in(xml).name_id
    except errors.SignatureWrong:
        return
    assert name_id == NameId(desk.person.name_id)


@pytest.mark.parametrize("name_id", ["", "   ", "x" * 257])
def test_name_id_without_content_or_end_is_refused(desk, one, name_id):
    def change(assertion):
        one(assertion, NAME_ID).text = name_id

    with pytest.raises(errors.NameIdUnusable):
        desk.hand_in(desk.response(change))


def test_transient_name_id_is_refused(desk, one):
    with pytest.raises(errors.NameIdUnusable):
        desk.hand_in(desk.response(lambda a: one(a, NAME_ID).set("Format", FORMAT_TRANSIENT)))


def test_email_name_id_serves_where_no_attribute_comes(desk, one):
    def change(assertion):
        remove(one(assertion, "saml:AttributeStatement"))
        name = one(assertion, NAME_ID)
        name.text = "Sam@Acme.example"
        name.set("Format", FORMAT_EMAIL)

    identity = desk.hand_in(desk.response(change))
    assert identity.name_id == NameId("sam@acme.example", is_address=True)
    assert (identity.email, identity.groups) == ("sam@acme.example", ())


def test_missing_email_is_refused(desk, one):
    with pytest.raises(errors.EmailMissing):
        desk.hand_in(desk.response(lambda a: remove(one(a, "saml:AttributeStatement"))))


# XML


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"not xml",
        b"<unclosed>",
        b"<a/>",
        b"\xff\xfe\x00",
        b'<!DOCTYPE a><a xmlns="urn:x"/>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY x "xx"><!ENTITY y "&x;&x;&x;">]><a>&y;</a>',
    ],
)
def test_broken_or_hostile_xml_is_malformed(desk, xml):
    with pytest.raises(errors.MessageMalformed):
        desk.hand_in(xml)


def test_external_entity_before_an_honest_response_is_refused(desk):
    declared = b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + etree.tostring(desk.response())
    with pytest.raises(errors.MessageMalformed):
        desk.hand_in(declared)


@pytest.mark.parametrize("text", ["%%%", "PGE+", "é", "a"])
def test_text_that_is_not_base64_xml_is_malformed(desk, text):
    with pytest.raises(errors.MessageMalformed):
        validate_response(
            desk.connection, text, expected_request_id=desk.answer.request_id, replays=desk.replays
        )


def test_oversized_response_is_refused_unread(desk):
    with pytest.raises(errors.MessageTooLarge):
        validate_response(
            desk.connection,
            "A" * (MAX_ENCODED + 1),
            expected_request_id=desk.answer.request_id,
            replays=desk.replays,
        )


def test_deeply_nested_response_is_malformed(desk):
    with pytest.raises(errors.MessageMalformed):
        desk.hand_in(b"<a>" * 20_000 + b"</a>" * 20_000)


def test_encrypted_assertion_is_refused_with_advice(desk, one):
    response = desk.response()
    assertion = one(response, "saml:Assertion")
    response.replace(assertion, etree.Element(f"{{{NAMESPACES['saml']}}}EncryptedAssertion"))
    with pytest.raises(errors.AssertionEncrypted):
        desk.hand_in(response)


def test_two_assertions_are_refused(desk):
    response = desk.response()
    response.append(desk.assertion())
    with pytest.raises(errors.AssertionCount):
        desk.hand_in(response)


def test_messages_never_repeat_what_came_in(desk, one):
    def change(assertion):
        one(assertion, f"{AUDIENCE}/saml:Audience").text = "https://evil.example/<script>"

    with pytest.raises(errors.AudienceWrong) as refused:
        desk.hand_in(desk.response(change))
    assert "evil" not in refused.value.message
    assert refused.value.details == {}
