"""One tree of errors: each has a stable code, an HTTP status and a message a person can act on."""

from __future__ import annotations

from typing import ClassVar

from core.words import N_, fill


class AppError(Exception):
    """Base of every error that a user may see.

    Attributes:
        code: Stable, machine-readable; never changes once released.
        status: HTTP status a web handler answers with.
        message: What happened, what is safe and what to do, in plain words and without personal data.
        template: The message before `details` filled its blanks, such as `%(most)s`: the key of its translation.
        details: Extra machine-readable facts for JSON answers.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400

    def __init__(self, message: str, **details: str | int | float | list[str]) -> None:
        self.template = message
        self.message = fill(message, details)
        self.details = details
        super().__init__(self.message)


class InvalidInput(AppError):
    """The request is understood but a value in it cannot be used."""

    code = "invalid_input"
    status = 422


class NotFound(AppError):
    """The thing does not exist, or the caller may not know that it does."""

    code = "not_found"
    status = 404


class Forbidden(AppError):
    """Signed in, but this role may not do this."""

    code = "forbidden"
    status = 403


class SignInRequired(AppError):
    """No valid session came with the request."""

    code = "sign_in_required"
    status = 401


class Conflict(AppError):
    """The thing is no longer in a state that allows this."""

    code = "conflict"
    status = 409


class Gone(AppError):
    """It existed and has ended: expired, revoked or erased."""

    code = "gone"
    status = 410


class TooLarge(AppError):
    """More bytes than this place accepts."""

    code = "too_large"
    status = 413


class TooManyRequests(AppError):
    """A rate limit was reached; waiting helps."""

    code = "too_many_requests"
    status = 429


class Unavailable(AppError):
    """A part we depend on does not answer; trying again later helps."""

    code = "unavailable"
    status = 503


class Misfit(Unavailable):
    """Parts of the installation do not fit together. Whoever is at a page can only wait; the operator reads what to do.

    Attributes:
        operator: what is wrong and what mends it, for a terminal.
    """

    code = "misfit"

    def __init__(self, *, operator: str) -> None:
        super().__init__(
            N_(
                "The storage does not answer. What you saved before is safe, this last step was not done: "
                "please try again in a moment."
            )
        )
        self.operator = operator


class ConfigurationError(AppError):
    """A setting is missing or contradicts another; the process must not start."""

    code = "configuration"
    status = 500
