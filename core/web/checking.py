"""What a page shows of a picture that was sent: that it is being checked, how far, and why it was refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from core import progress, uploads
from core.models import Upload
from core.uploads import Refusal, Standing
from core.web.errors import said
from core.words import fill


@dataclass(frozen=True)
class Checked:
    """An upload as a page shows it."""

    standing: Standing
    percent: int  # 0 to 100
    message: str  # why nothing was kept; empty unless it was refused
    left_out: list[tuple[int, str]]  # number of each picture that could not be used, and why
    result: str | None

    def as_json(self) -> dict[str, Any]:
        """Return it for a page that asks again until it is over."""
        return {
            "standing": self.standing.value,
            "percent": self.percent,
            "message": self.message,
            "left_out": [f"{number}: {reason}" for number, reason in self.left_out],
            "result": self.result,
        }


def checked(upload: Upload) -> Checked:
    """Return what may be said of an upload, in the language of the page."""
    standing = uploads.standing(upload)
    far = progress.read(upload.id) if standing is Standing.CHECKING else None
    return Checked(
        standing=standing,
        percent=100 if standing is not Standing.CHECKING else far.percent if far is not None else 0,
        message=said(uploads.refused(upload)) if standing is Standing.REFUSED else "",
        left_out=[(one.number or 0, fill(_(one.text), one.values)) for one in _left_out(upload)],
        result=str(upload.result_id) if upload.result_id is not None else None,
    )


def _left_out(upload: Upload) -> list[Refusal]:
    return [Refusal.model_validate(one) for one in upload.left_out]
