"""Why a sign-in failed: one class per cause, each with a stable code and words that help.

The person in front of the page can rarely repair a company's identity provider, so a message says what
they can do (try again, or which words to pass to their administrator) and never repeats a value of an
answer whose signature has not been verified: what arrives in a forged response is an attacker's text. That
nothing was changed stands on every page, with the addresses that the provider must have (`sso.refusal`).
"""

from __future__ import annotations

from typing import ClassVar

from core.errors import AppError


class SignInFailed(AppError):
    """Base of everything that stops a single sign-on; nobody was signed in."""

    code = "sign_in_failed"
    status = 403
    text: ClassVar[str] = "You were not signed in. Start again from your company's sign-in page."

    def __init__(self, **details: str) -> None:
        super().__init__(self.text, **details)


class MessageTooLarge(SignInFailed):
    """The message is larger than any identity provider sends."""

    code = "saml_too_large"
    status = 413
    text = (
        "Your company's sign-in answer is too large to read. Ask your administrator to send only the groups "
        "that matter here."
    )


class MessageMalformed(SignInFailed):
    """Not base64, not XML, a document type declaration, or not shaped as SAML 2.0 says."""

    code = "saml_malformed"
    status = 400
    text = (
        "The sign-in answer could not be read: it is no base64, no XML, or it declares a document type. Please "
        "try again; if it stays, ask your administrator what stands between your identity provider and this site."
    )


class VersionWrong(MessageMalformed):
    """Another version than SAML 2.0."""

    code = "saml_version"
    text = (
        "The sign-in answer is not SAML 2.0. Ask your administrator to set up this application as SAML 2.0, "
        "not SAML 1.1 or WS-Federation."
    )


class SchemaWrong(MessageMalformed):
    """All that we look at is right, and yet it is not shaped as the standard says."""

    code = "saml_schema"
    text = (
        "The sign-in answer lacks a part that SAML 2.0 demands, or has one where none belongs. Ask your "
        "administrator to hold it against the schema saml-schema-protocol-2.0 and to change what was adapted "
        "at your identity provider."
    )


class AuthnStatementMissing(MessageMalformed):
    """Not exactly one statement that somebody has signed in."""

    code = "saml_authn_statement"
    text = (
        "The sign-in answer does not say how and when you signed in. Ask your administrator to send exactly "
        "one AuthnStatement."
    )


class TimeUnreadable(MessageMalformed):
    """A time that is none."""

    code = "saml_time_unreadable"
    text = (
        "A time in the sign-in answer is not written as a time. Ask your administrator to send times in UTC, "
        "such as 2026-11-29T08:30:00Z."
    )


class BindingWrong(SignInFailed):
    """The answer came in an address instead of a form."""

    code = "saml_binding"
    status = 400
    text = (
        "The sign-in answer came with the HTTP-Redirect binding. Ask your administrator to send it with the "
        "HTTP-POST binding."
    )


class AssertionCount(SignInFailed):
    """No assertion, more than one, or one in a place where none belongs."""

    code = "saml_assertion_count"
    status = 400
    text = (
        "The sign-in answer must contain exactly one assertion. Please try again; if it stays, tell your "
        "administrator."
    )


class AssertionEncrypted(SignInFailed):
    """Assertion, NameID or attribute is encrypted, although our metadata offers no key for that."""

    code = "saml_encrypted"
    status = 400
    text = (
        "Your company's sign-in sends encrypted assertions, names or attributes, which are not supported. Ask "
        "your administrator to turn encryption off for this application; the connection itself is encrypted."
    )


class SignatureMissing(SignInFailed):
    """The assertion, or a message on the redirect binding, carries no signature of its own."""

    code = "saml_unsigned"
    text = (
        "The assertion in your company's sign-in answer is not signed. Ask your administrator to sign "
        "assertions for this application; a signature around the whole response alone is not enough."
    )


class SignatureWrong(SignInFailed):
    """The signature does not match the content and a certificate of this connection."""

    code = "saml_signature"
    text = (
        "The signature on the sign-in answer could not be verified. If your company renewed its signing "
        "certificate, your administrator must add the new one in the sign-in settings."
    )


class AlgorithmRefused(SignInFailed):
    """A signature, digest or transform algorithm outside our list."""

    code = "saml_algorithm"
    text = (
        "Your company's sign-in uses a signature algorithm that is no longer safe. Ask your administrator to "
        "use RSA with SHA-256."
    )


class IssuerWrong(SignInFailed):
    """Another identity provider than the configured one wrote it."""

    code = "saml_issuer"
    text = (
        "The sign-in answer came from another identity provider than the one set up for your company. Ask "
        "your administrator to compare the issuer (entity ID) in the sign-in settings."
    )


class AudienceWrong(SignInFailed):
    """An audience restriction that does not name us."""

    code = "saml_audience"
    text = (
        "The sign-in answer was made for another application. Ask your administrator to compare the audience "
        "(entity ID) in your identity provider with the one in the sign-in settings."
    )


class AudienceMissing(AudienceWrong):
    """No audience restriction, or an empty one."""

    code = "saml_no_audience"
    text = (
        "The sign-in answer does not say for which application it was made. Ask your administrator to send "
        "an audience (entity ID) as it stands in the sign-in settings."
    )


class DestinationWrong(SignInFailed):
    """The response names no destination or another address than our own."""

    code = "saml_destination"
    text = (
        "The sign-in answer has another Destination than this site, or none. Ask your administrator to compare the reply address "
        "(ACS URL) in your identity provider with the one in the sign-in settings."
    )


class RecipientWrong(SignInFailed):
    """A bearer confirmation names another address than ours as its recipient, or none."""

    code = "saml_recipient"
    text = (
        "The sign-in answer names another recipient, or none. Ask your administrator to compare the recipient "
        "in your identity provider with the reply address (ACS URL) in the sign-in settings."
    )


class ConfirmationMissing(RecipientWrong):
    """No bearer confirmation at all."""

    code = "saml_confirmation"
    text = (
        "The sign-in answer has no bearer confirmation of its subject. Ask your administrator to send a "
        "SubjectConfirmation of the method bearer, with its SubjectConfirmationData."
    )


class TimeWrong(SignInFailed):
    """Expired, more than the clock skew ago."""

    code = "saml_time"
    text = (
        "The sign-in answer has expired. Please try again; if it stays, ask your administrator to check the "
        "clock of your identity provider and how long its answers are valid."
    )


class TooEarly(TimeWrong):
    """Valid only later, by more than the clock skew."""

    code = "saml_too_early"
    text = (
        "The sign-in answer is not valid yet. Please try again in a few minutes; if it stays, ask your "
        "administrator to check the clock of your identity provider."
    )


class EndMissing(TimeWrong):
    """The confirmation has no end, so the answer could be used for ever."""

    code = "saml_no_end"
    text = (
        "The sign-in answer does not say until when it is valid. Ask your administrator to send NotOnOrAfter "
        "in the SubjectConfirmationData."
    )


class ConfirmationStart(TimeWrong):
    """The confirmation has a start, which saml-profiles-2.0 §4.1.4.2 forbids."""

    code = "saml_confirmation_start"
    text = (
        "The confirmation in the sign-in answer has a NotBefore, which SAML forbids there. Ask your "
        "administrator to leave it out of the SubjectConfirmationData."
    )


class SessionOver(TimeWrong):
    """The session that it opens has ended before it began."""

    code = "saml_session_over"
    text = (
        "Your session at your company's sign-in is over. Sign in there anew; if it stays, ask your "
        "administrator to check the clock of your identity provider and its SessionNotOnOrAfter."
    )


class Unsolicited(SignInFailed):
    """Nobody here asked for this response, and the connection does not allow that."""

    code = "saml_unsolicited"
    text = (
        "This sign-in did not start here. Please start again on this site. Where it did start here, the answer "
        "lacks InResponseTo, and your administrator must have it sent; to start from your company's own portal, "
        "they must allow sign-ins that begin at the identity provider."
    )


class RequestMismatch(SignInFailed):
    """The response answers no request, or another one than the browser's."""

    code = "saml_request"
    text = (
        "This sign-in answer belongs to another attempt, or does not say to which. Please sign in again; if it "
        "stays, ask your administrator to send InResponseTo in the response and in its SubjectConfirmationData."
    )


class RequestUnknown(SignInFailed):
    """The request has been answered already or is older than ten minutes."""

    code = "saml_request_expired"
    text = (
        "This sign-in took too long or was used already. Please sign in again; your administrator need not "
        "change anything unless it stays."
    )


class OtherBrowser(SignInFailed):
    """The answer came through another browser than the one that asked (login CSRF)."""

    code = "saml_other_browser"
    text = (
        "This sign-in started in another browser or cookies are blocked. Please sign in again in this window; "
        "if it stays, ask your administrator to allow cookies of this site."
    )


class Replayed(SignInFailed):
    """The same assertion or logout request came before."""

    code = "saml_replayed"
    text = (
        "This sign-in answer was used already. Please sign in again; if it stays, ask your administrator to "
        "give each assertion an ID of its own."
    )


class IdpRefused(SignInFailed):
    """The identity provider itself said no."""

    code = "saml_idp_refused"
    text = (
        "Your company's sign-in did not let you in: it answered %(status)s. Please try again; if it stays, ask "
        "your administrator whether this application is assigned to you."
    )


class NameIdUnusable(SignInFailed):
    """No NameID, an empty one, or one that changes at every sign-in."""

    code = "saml_name_id"
    text = (
        "Your company's sign-in does not say lastingly who you are. Ask your administrator to send a "
        "persistent NameID (not a transient one)."
    )


class EmailMissing(SignInFailed):
    """Neither the attribute nor the NameID is an e-mail address; `arrived` names what came instead."""

    code = "saml_email"
    text = (
        "Your company's sign-in sends no e-mail address. Ask your administrator to add an e-mail attribute, or "
        "to name it in the sign-in settings. These attributes arrived: %(arrived)s."
    )


class CompanyUnknown(SignInFailed):
    """No company has this short name."""

    code = "sso_company_unknown"
    status = 404
    text = (
        "There is no single sign-on for a company of this name. Check the short name in the address, or ask "
        "your administrator for the right link."
    )


class NotConnected(SignInFailed):
    """The company has no identity provider yet."""

    code = "sso_not_set_up"
    status = 404
    text = (
        "Your company's sign-in is not connected yet. Your administrator must enter the two addresses below at "
        "your identity provider and give its metadata to whoever runs this site."
    )


class AccountDisabled(SignInFailed):
    """The member exists and may not sign in."""

    code = "account_disabled"
    text = "Your account here is switched off. Ask your HR department if you think it should not be."


class AccountNotLinked(SignInFailed):
    """The address belongs to an account that this identity may not take over."""

    code = "account_not_linked"
    text = (
        "An account with your e-mail address exists here, but it belongs to another sign-in. Ask your HR "
        "department to check the two; nothing was changed."
    )


class LogoutRefused(SignInFailed):
    """The logout request is not for us, not from this company's identity provider, or too old."""

    code = "saml_logout"
    status = 400
    text = (
        "Your company's sign-out message could not be accepted, so you are still signed in here. Use “Sign "
        "out” on the page."
    )
