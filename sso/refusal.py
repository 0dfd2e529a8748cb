"""The page of a sign-in that failed: which thing is wrong, what is safe, and what the provider must have."""

from __future__ import annotations

from flask import Response, g, make_response, render_template, request

from core.db import Lookup
from core.settings import settings
from core.web import brand
from core.web.errors import answer, wants_json
from sso.errors import AccountNotLinked, SignInFailed
from sso.saml import ServiceProvider


def refuse(error: SignInFailed) -> Response:
    """Render `error`; our own addresses stand beside it, since what has to be compared must be seen."""
    if wants_json():
        return answer(error)
    slug = str((request.view_args or {}).get("slug", ""))
    known = Lookup.organization(slug) is not None
    page = render_template(
        "sso/refused.html",
        error=error,
        slug=slug if known else "",
        provider=ServiceProvider(org=slug, sp_base_url=settings().base_url) if known else None,
        signing_out=request.endpoint == "sso.identity_provider_logout",
        groups=g.get("groups") if isinstance(error, AccountNotLinked) else None,
        **({"brand": brand.of_company(slug)} if known else {}),
    )
    return make_response(page, error.status)
