"""Why a sign-in failed: one class per cause, each with a stable code and words that help.

The person in front of the page can rarely repair a company's identity provider, so a message says what
they can do (try again, or which words to pass to their administrator) and never repeats a value that
came in: what arrives in a forged response is an attacker's text.
"""

from __future__ import annotations

from typing import ClassVar

from core.errors import AppError


class SignInFailed(AppError):
    """Base of everything that stops a single sign-on; nobody was signed in."""

    code = "sign_in_failed"
    status = 403
    text: ClassVar[str] = "You were not signed in. Start again from your company's sign-in page."

    def __init__(self) -> None:
        super().__init__(self.text)


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
    text = "The sign-in answer could not be read, so you were not signed in. Please try again."


class AssertionCount(SignInFailed):
    """No assertion, more than one, or one in a place where none belongs."""

    code = "saml_assertion_count"
    status = 400
    text = (
        "The sign-in answer must contain exactly one assertion. Please try again; if it stays, tell your "
        "administrator."
    )


class AssertionEncrypted(SignInFailed):
    """The assertion is encrypted, although our metadata offers no key for that."""

    code = "saml_encrypted"
    status = 400
    text = (
        "Your company's sign-in sends encrypted assertions, which are not supported. Ask your administrator "
        "to turn assertion encryption off for this application; the connection itself is encrypted."
    )


class SignatureMissing(SignInFailed):
    """The assertion, or a message on the redirect binding, carries no signature of its own."""

    code = "saml_unsigned"
    text = (
        "Your company's sign-in answer is not signed. Ask your administrator to sign assertions for this "
        "application."
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
    """No audience restriction, or one that does not name us."""

    code = "saml_audience"
    text = (
        "The sign-in answer was made for another application. Ask your administrator to compare the audience "
        "(entity ID) in your identity provider with the one in the sign-in settings."
    )


class DestinationWrong(SignInFailed):
    """The response names no destination or another address than our own."""

    code = "saml_destination"
    text = (
        "The sign-in answer was addressed elsewhere. Ask your administrator to compare the reply address "
        "(ACS URL) in your identity provider with the one in the sign-in settings."
    )


class RecipientWrong(SignInFailed):
    """No bearer confirmation names our address as its recipient."""

    code = "saml_recipient"
    text = (
        "The sign-in answer names another recipient. Ask your administrator to compare the recipient in your "
        "identity provider with the reply address (ACS URL) in the sign-in settings."
    )


class TimeWrong(SignInFailed):
    """Expired, not yet valid, or without an end."""

    code = "saml_time"
    text = (
        "The sign-in answer is not valid at this time. Please try again; if it stays, ask your administrator "
        "to check the clock of your identity provider."
    )


class Unsolicited(SignInFailed):
    """Nobody here asked for this response, and the connection does not allow that."""

    code = "saml_unsolicited"
    text = "This sign-in did not start here. Please start again from your company's sign-in page."


class RequestMismatch(SignInFailed):
    """The response answers no request, or another one than the browser's."""

    code = "saml_request"
    text = "This sign-in answer belongs to another attempt. Please sign in again."


class RequestUnknown(SignInFailed):
    """The request has been answered already or is older than ten minutes."""

    code = "saml_request_expired"
    text = "This sign-in took too long or was used already. Please sign in again."


class OtherBrowser(SignInFailed):
    """The answer came through another browser than the one that asked (login CSRF)."""

    code = "saml_other_browser"
    text = (
        "This sign-in started in another browser or cookies are blocked. Please sign in again in this window."
    )


class Replayed(SignInFailed):
    """The same assertion or logout request came before."""

    code = "saml_replayed"
    text = "This sign-in answer was used already. Please sign in again."


class IdpRefused(SignInFailed):
    """The identity provider itself said no."""

    code = "saml_idp_refused"
    text = (
        "Your company's sign-in did not let you in. Please try again; if it stays, ask your administrator "
        "whether this application is assigned to you."
    )


class NameIdUnusable(SignInFailed):
    """No NameID, an empty one, or one that changes at every sign-in."""

    code = "saml_name_id"
    text = (
        "Your company's sign-in does not say lastingly who you are. Ask your administrator to send a "
        "persistent NameID (not a transient one)."
    )


class EmailMissing(SignInFailed):
    """Neither the mapped attribute nor the NameID is an e-mail address."""

    code = "saml_email"
    text = (
        "Your company's sign-in sends no e-mail address. Ask your administrator to add the e-mail attribute "
        "named in the sign-in settings."
    )


class NotConnected(SignInFailed):
    """The company is unknown, or has no identity provider yet."""

    code = "sso_not_set_up"
    status = 404
    text = (
        "There is no single sign-on for a company of this name. Check the short name in the address, or ask "
        "your administrator for the right link."
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
