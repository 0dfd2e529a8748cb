"""Photos that come with a request, from their person or from the company that puts them in for them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from flask import flash
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage, MultiDict

from core.checks.advice import ADVICE, Issue, Severity
from core.errors import AppError, InvalidInput
from core.models import Photo
from core.portraits.verdicts import Standing, standing_of
from core.web.errors import said
from core.words import fill

_UPLOAD_KEY: Final = re.compile(r"[A-Za-z0-9_-]{8,60}")


def upload_key(fields: Mapping[str, str]) -> str:
    """Return which file a request is about, as the browser calls it.

    Raises:
        InvalidInput: it says nothing, or something odd.
    """
    key = fields.get("upload_key", "")
    if not _UPLOAD_KEY.fullmatch(key):
        raise InvalidInput(
            _("The upload did not say which file it is. Please reload the page and try again.")
        )
    return key


def sent(files: MultiDict[str, FileStorage]) -> list[FileStorage]:
    """Return the photos of a form.

    Raises:
        InvalidInput: there is none.
    """
    found = [file for file in files.getlist("photo") if file.filename or file.content_length]
    if not found:
        raise InvalidInput(_("No photo came with this request. Please choose one."))
    return found


def take_all(files: Sequence[FileStorage], key: str, take: Callable[[bytes, str], object]) -> None:
    """Take the files of a plain form, each with a key of its own: a bad one is named, and the others are kept."""
    for number, file in enumerate(files):
        try:
            take(file.read(), f"{key}-{number}")
        except AppError as error:
            # By number: a file is often called like its person, and a cookie names nobody.
            flash(_("Photo %(number)s: %(problem)s", number=number + 1, problem=said(error)), "bad")


def advice(photo: Photo) -> list[dict[str, Any]]:
    """Return what the check says of a photo, in the request's language: code, severity and advice of each finding."""
    standing = standing_of(photo)
    if standing is Standing.CHECKING:
        return []
    if standing is Standing.REJECTED and photo.check_failed_at is not None:
        sorry = _(
            "Something went wrong here while this photo was checked. It was not you, and the photo is safe."
        )
        return [{"code": Issue.CHECK_FAILED.value, "severity": Severity.BLOCK.value, "advice": sorry}]
    issues = [
        {
            "code": issue["code"],
            "severity": issue["severity"],
            "advice": fill(_(ADVICE[Issue(issue["code"])].text), issue.get("values", {})),
        }
        for issue in (photo.verdict or {}).get("issues", [])
    ]
    if standing is Standing.ASKS:  # the rest was found on the largest face, which may be somebody else's
        return [issue for issue in issues if issue["code"] == Issue.SEVERAL_PEOPLE]
    if standing is Standing.UNSURE:  # what else could be better matters only if it is the person
        return [issue for issue in issues if issue["code"] == Issue.MAY_BE_SOMEONE_ELSE]
    if standing is Standing.REJECTED:
        return [issue for issue in issues if issue["severity"] == Severity.BLOCK]
    return issues
