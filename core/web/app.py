"""The factory that both web apps are made with: sessions, CSRF, headers, limits, errors, languages."""

from __future__ import annotations

import hashlib
import hmac
import io
import re
import secrets
import time
from copy import deepcopy
from datetime import timedelta
from typing import IO, Any
from urllib.parse import urlencode

from flask import Flask, Request, Response, current_app, g, has_request_context, request, session
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from core import locks
from core.connections import redis_options
from core.db import transaction
from core.logs import logger
from core.models import App
from core.observe import metrics, tracing
from core.people import members
from core.people.sessions import SignedIn, find
from core.settings import settings
from core.vault import derive
from core.web import brand, characters, errors
from core.web.cookies import keep, name_of
from core.web.errors import UNREACHABLE
from core.web.spoken import Translated
from core.web.visitor import visitor

LANGUAGES = {"en": "English", "de": "Deutsch"}
LANGUAGE_SECONDS = 31_536_000  # a year

csrf = CSRFProtect()


def caller() -> str:
    """Return what a caller is counted under: the session, since an office shares one address, or else the address.

    As a keyed hash: neither has a place in Redis.
    """
    try:
        who = visitor()
    except UNREACHABLE:  # the page will say so
        who = None
    return hmac.new(
        derive("rate limits"), str(who.session_id if who else get_remote_address()).encode(), hashlib.sha256
    ).hexdigest()[:32]


def counted_by_token() -> str:
    """Return what an address with a secret is counted under; the secret itself never goes into Redis."""
    token = str((request.view_args or {}).get("token", ""))
    return f"{request.blueprint} {hashlib.sha256(token.encode()).hexdigest()}"


limiter = Limiter(
    caller,
    default_limits=["600 per minute"],
    swallow_errors=True,  # a Redis that does not answer must not close the door on everyone
    strategy="fixed-window",
)


class WebApp(Flask):
    """A Flask app that tries again what can be, and has an answer left when one of its own answers fails."""

    def dispatch_request(self) -> ResponseReturnValue:
        """Run the view; once more, when the database gave its transaction up for another's sake.

        A request commits once, so the first run has left nothing behind in the database.
        """
        if request.method in ("GET", "HEAD"):  # changes nothing in the session that could be there twice
            return locks.again(super().dispatch_request)
        before = deepcopy(dict(session))

        def between() -> None:
            session.clear()
            session.update(deepcopy(before))
            for _, files in request.files.lists():
                for file in files:
                    file.stream.seek(0)

        return locks.again(super().dispatch_request, between=between)

    def handle_user_exception(self, e: Exception) -> Any:
        """Answer an error; should its page need a part that does not answer, say that instead."""
        try:
            return super().handle_user_exception(e)
        except UNREACHABLE as failure:
            return errors.unreachable(failure)


class MemoryRequest(Request):
    """A request whose uploads stay in memory: Werkzeug's own would put larger files on the disk."""

    def _get_file_stream(
        self,
        total_content_length: int | None,  # noqa: ARG002 - Werkzeug's signature, as are the following
        content_type: str | None,  # noqa: ARG002
        filename: str | None = None,  # noqa: ARG002
        content_length: int | None = None,  # noqa: ARG002
    ) -> IO[bytes]:
        return io.BytesIO()


def create_app(name: str, import_name: str) -> Flask:
    """Return a Flask app called `name` with everything that every page of ours needs.

    Args:
        name: `portal` or `admin`; part of the cookies' names, so that the two never share a session.
        import_name: the calling package, whose `templates/` and `static/` it serves.
    """
    config = settings()
    app = WebApp(import_name, static_url_path=f"/static/{name}")
    app.name = name
    app.request_class = MemoryRequest
    app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # Flask's documented way to wrap
        app.wsgi_app, x_for=config.trust_proxies, x_proto=config.trust_proxies, x_host=0
    )
    app.config.update(
        SECRET_KEY=derive(f"flask session {name}"),
        SESSION_COOKIE_NAME=name_of(f"{name}_form"),
        SESSION_COOKIE_SECURE=config.is_production,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=config.session_hours),
        SIGN_IN_COOKIE=name_of(f"{name}_session"),
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a form left open over lunch still works
        WTF_CSRF_SSL_STRICT=config.is_production,
        MAX_CONTENT_LENGTH=config.upload_max_bytes + 1_000_000,  # room for the multipart frame
        MAX_FORM_MEMORY_SIZE=2_000_000,
        # What every other client of Redis calls `unix://`, the limiter's calls `redis+unix://`.
        RATELIMIT_STORAGE_URI=re.sub("^unix:", "redis+unix:", config.redis_url.get_secret_value()),
        RATELIMIT_STORAGE_OPTIONS=redis_options(config.redis_url.get_secret_value()),
        RATELIMIT_HEADERS_ENABLED=True,
        BABEL_DEFAULT_LOCALE="en",
        TEMPLATES_AUTO_RELOAD=False,
    )
    app.jinja_options = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}
    app.before_request(_begin)  # before what may refuse a request: its page needs the nonce too
    characters.register(app)
    csrf.init_app(app)
    limiter.init_app(app)
    Translated(app, locale_selector=choose_language)
    _sign_in(app)
    app.before_request(_remember_language)
    app.register_blueprint(brand.shared)
    app.register_blueprint(brand.bp)
    errors.register(app)
    app.after_request(_finish)
    app.context_processor(_context)
    return app


def choose_language() -> str:
    """Return the page's language: asked for, that of the mail whose link was opened, the member's, the browser's, English."""
    if not has_request_context():
        return "en"
    asked = request.args.get("lang") or request.cookies.get("lang")
    if asked in LANGUAGES:
        return asked
    if g.get("language") in LANGUAGES:
        return str(g.language)
    if (who := visitor()) and who.language in LANGUAGES:
        return who.language
    return request.accept_languages.best_match(list(LANGUAGES)) or "en"


def _remember_language() -> None:
    """Write mails to whoever is signed in, in the language that they choose for a page."""
    asked = request.args.get("lang")
    if request.method != "GET" or asked not in LANGUAGES or not request.endpoint:
        return
    who = visitor()
    if who is not None and who.language != asked:
        with transaction(who.org_id) as session:
            members.prefer(session, who.member_id, asked)


def _sign_in(app: Flask) -> None:
    manager = LoginManager(app, add_context_processor=False)  # which would ask the database on error pages

    @manager.request_loader  # type: ignore[untyped-decorator]  # Flask-Login ships no types
    def load(_: Any) -> SignedIn | None:
        token = request.cookies.get(app.config["SIGN_IN_COOKIE"])
        found = find(token, App(app.name)) if token else None
        g.formal = found is not None and found.formal
        return found


def remember(response: Response, app: Flask, token: str) -> None:
    """Put a session's token into the browser."""
    keep(response, app.config["SIGN_IN_COOKIE"], token, seconds=settings().session_hours * 3600)


def forget(response: Response, app: Flask) -> None:
    """Take the session's token and the form secrets out of the browser."""
    for cookie in (app.config["SIGN_IN_COOKIE"], app.config["SESSION_COOKIE_NAME"]):
        response.delete_cookie(cookie, path="/", secure=settings().is_production, samesite="Lax")


def _begin() -> None:
    g.started = time.perf_counter()
    g.nonce = secrets.token_urlsafe(16)


def _finish(response: Response) -> Response:
    nonce = g.get("nonce", "")
    headers = response.headers
    headers.setdefault(
        "Content-Security-Policy",
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
        "img-src 'self' blob: data:; connect-src 'self'; font-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; object-src 'none'",
    )
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"  # links of ours carry secrets; other sites learn nothing
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(self), microphone=(), geolocation=()"
    headers["X-Robots-Tag"] = "noindex, nofollow"
    if settings().is_production:
        headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    if request.endpoint and request.endpoint.endswith("static"):
        headers["Cache-Control"] = "public, max-age=3600"
    else:
        headers.setdefault("Cache-Control", "no-store")
    if request.args.get("lang") in LANGUAGES:
        keep(response, "lang", request.args["lang"], seconds=LANGUAGE_SECONDS)
    route = str(request.url_rule) if request.url_rule else "none"
    seconds = time.perf_counter() - g.get("started", time.perf_counter())
    name = _app_name()
    tracing.describe(
        {"http.route": route, "http.response.status_code": response.status_code},
        name=f"{request.method} {route}",
    )
    metrics.REQUESTS.labels(name, route, str(response.status_code)).inc()
    metrics.REQUEST_SECONDS.labels(name, route).observe(seconds)
    # The route, never the path: paths carry invitation tokens.
    logger().info(
        "request",
        method=request.method,
        route=route,
        status=response.status_code,
        milliseconds=round(seconds * 1000),
    )
    return response


def _app_name() -> str:
    return current_app.name


def _context() -> dict[str, Any]:
    return {
        "nonce": g.get("nonce", ""),
        "languages": LANGUAGES,
        "language": choose_language(),
        "in_language": _in_language,
        "answers_form": _answers_form(),
    }


def _answers_form() -> bool:
    """Whether this page answers a form whose address can be visited as well."""
    if not has_request_context() or request.method != "POST" or request.url_rule is None:
        return False
    adapter = current_app.create_url_adapter(request)
    return adapter is not None and adapter.test(request.path, "GET")


def _in_language(code: str) -> str:
    """Return the address of this same page, with what it was asked for, in another language."""
    asked = [(name, value) for name, value in request.args.items(multi=True) if name != "lang"]
    return "?" + urlencode([*asked, ("lang", code)])
