"""One handler for everything that goes wrong: a page for people, JSON for programs, a log line for us."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, g, jsonify, make_response, render_template, request
from flask_babel import gettext as _
from flask_limiter.errors import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from redis import RedisError
from sqlalchemy.exc import DataError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from core.errors import (
    AppError,
    InvalidInput,
    NotFound,
    SignInRequired,
    TooLarge,
    TooManyRequests,
    Unavailable,
)
from core.logs import logger
from core.web import brand
from core.web.visitor import visitor
from core.words import N_, fill

# What is raised when Postgres or Redis does not answer, or has no connection left.
UNREACHABLE = (OperationalError, InterfaceError, NoConnectionFree, RedisError)

OWN_PAGES = ("/me/", "/admin/")  # where nothing is sent without a session


def wants_json() -> bool:
    """Whether the caller is a program: the API, a fetch of ours, or one that asks for JSON."""
    if request.path.startswith("/api/") or request.headers.get("X-Requested-With") == "fetch":
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return (
        best == "application/json" and request.accept_mimetypes[best] > request.accept_mimetypes["text/html"]
    )


def said(error: AppError) -> str:
    """Return what `error` says, in the language of the page."""
    return fill(_(error.template), error.details)


def answer(error: AppError, status: int | None = None) -> Response:
    """Render `error` as the caller reads it.

    From 500 on the page needs nothing: neither who asks, nor the look of their company.
    """
    code = status or error.status
    if code >= 500:
        g.visitor_is_asked = False
        look = g.pop("brand", None)
        g.formal = look.formal if look is not None else g.get("formal", False)
    if wants_json():
        body = {"error": {"code": error.code, "message": said(error), **error.details}}
        return make_response(jsonify(body), code)
    if (
        "brand" not in g
        and code < 500
        and visitor() is None  # else the page knows whose look it has
        and code != TooManyRequests.status
    ):
        brand.of_company(brand.remembered())
    return make_response(render_template("error.html", error=error, status=code), code)


def signed_out(app: Flask) -> SignInRequired:
    """Return what somebody without a session is told: how to go on, and what became of their last step."""
    if app.name == "portal":
        return SignInRequired(
            _(
                "You were signed out meanwhile, so this last step was not sent. Please open the link in your "
                "invitation mail again: what you sent before is safe, unless you have had everything erased."
            )
            if _sends()
            else _(
                "Please open the link in your invitation mail again: you go on where you stopped. "
                "If you have had everything erased, nothing is left here."
            )
        )
    return SignInRequired(
        _(
            "You were signed out meanwhile, so this last step was not sent. Please sign in again: "
            "what you saved before is safe."
        )
        if _sends()
        else _("Please sign in first. Your work is safe.")
    )


def _sends() -> bool:
    return request.method not in ("GET", "HEAD")


def unreachable(error: Exception) -> Response:
    """Answer when Postgres or Redis does not."""
    logger().error("service_unreachable", exc_info=error)
    return answer(
        Unavailable(N_("The service is restarting. What you saved is safe: try again in a moment."))
    )


def register(app: Flask) -> None:
    """Hand every error of `app` to `answer`, and give templates the filter `said`."""
    app.add_template_filter(said, "said")

    @app.errorhandler(AppError)
    def on_app_error(error: AppError) -> Response:
        return answer(error)

    @app.errorhandler(CSRFError)
    def on_csrf(_error: CSRFError) -> Any:
        if visitor() is None and request.path.startswith(OWN_PAGES):
            # A reload cannot help, and each app has its own answer to this.
            return app.handle_user_exception(signed_out(app))
        return answer(
            InvalidInput(
                _(
                    "This form was open for too long or in another browser. Nothing was changed: reload and try again."
                )
            ),
            400,
        )

    @app.errorhandler(RateLimitExceeded)
    def on_limit(_error: RateLimitExceeded) -> Response:
        return answer(
            TooManyRequests(_("That was a lot at once. Nothing is lost: wait a minute and try again."))
        )

    @app.errorhandler(RequestEntityTooLarge)
    def on_large(_error: RequestEntityTooLarge) -> Response:
        most = round(app.config["MAX_CONTENT_LENGTH"] / 1e6) - 1
        if request.path.startswith("/admin"):  # where files are lists and logos
            return answer(
                TooLarge(
                    _(
                        "This file is larger than %(most)s MB. Nothing of it was taken: choose a smaller one.",
                        most=most,
                    )
                )
            )
        return answer(
            TooLarge(
                _(
                    "This file is larger than %(most)s MB. Send the photo as your phone took it, or a smaller copy.",
                    most=most,
                )
            )
        )

    @app.errorhandler(HTTPException)
    def on_http(error: HTTPException) -> Response:
        status = error.code or 500
        if status == 404:
            return answer(NotFound(_("There is no page at this address.")))
        if status < 400:
            return make_response(error.get_response())
        if status == 405:
            return answer(
                AppError(_("This address takes a form, not a visit. Go back and use the button there.")),
                status,
            )
        # Not `error.description`: Werkzeug's words are English and for programmers.
        return answer(
            AppError(_("This request is not complete. Nothing was changed: go back and try again.")), status
        )

    for kind in UNREACHABLE:
        app.register_error_handler(kind, unreachable)

    @app.errorhandler(DataError)
    def on_data(error: DataError) -> Response:
        logger().warning("value_refused", exc_info=error)
        return answer(
            InvalidInput(
                _(
                    "Something that was sent is too long or holds characters that cannot be kept. "
                    "Nothing was changed: shorten it or type it anew, and try again."
                )
            )
        )

    @app.errorhandler(Exception)
    def on_anything(error: Exception) -> Response:
        logger().error("unexpected", exc_info=error)
        return answer(
            AppError(_("Something went wrong on our side. What you saved is safe: try again in a moment.")),
            500,
        )
