"""What the page Controls says of each control: its question, what was found, and where to look at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flask_babel import LazyString, format_date, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.words import ROLES
from compliance.controls import Evidence, Standing

STANDINGS: Final[dict[Standing, tuple[str, LazyString]]] = {
    Standing.SHOWN: ("good", _l("shown")),
    Standing.LOOK: ("warn", _l("look at it")),
    Standing.NOTHING: ("", _l("nothing to show yet")),
}

# What is asked, and where its evidence is.
QUESTIONS: Final[dict[Evidence, tuple[LazyString, str]]] = {
    Evidence.ERASURE: (
        _l("Is what people ask to have erased destroyed, and can that be proved?"),
        "/admin/audit#certificates",
    ),
    Evidence.RETENTION: (_l("Does everything end when it was promised to?"), "/trust/{slug}"),
    Evidence.LOG: (_l("Would anybody notice if history were rewritten?"), "/admin/audit#log"),
    Evidence.CONSENT: (
        _l("Did each person in a picture agree, to words that are kept?"),
        "/admin/audit?tag=consent.given",
    ),
    Evidence.REQUESTS: (_l("Are people’s requests answered in time?"), "/admin/requests"),
    Evidence.RECIPIENTS: (
        _l("Are those who received copies told to delete them?"),
        "/admin/audit?tag=recall.asked",
    ),
    Evidence.BREACHES: (_l("Is each breach written down, and told of within 72 hours?"), "/admin/breaches"),
    Evidence.ROLES: (
        _l("Who can do more than look at their own data?"),
        "/admin/audit?tag=member.role_changed",
    ),
    Evidence.SIGN_IN: (_l("Does the company decide who signs in?"), "/admin/audit?tag=session.signed_in"),
    Evidence.KEYS: (_l("Do old keys end, and does no backup hold them?"), "/trust/{slug}"),
    Evidence.RECORDS: (_l("Is there a record of processing, and is it up to date?"), "/admin/reports"),
    Evidence.ASSESSMENT: (_l("Were the risks assessed, and is that up to date?"), "/admin/reports"),
    Evidence.PROCESSORS: (_l("Is it written down who processes what for the company?"), "/admin/reports"),
    Evidence.MARKING: (_l("Does every picture of an image model say so?"), "/admin/reports"),
}


def address(evidence: Evidence, slug: str, *, of_people: bool) -> str:
    """Return where the evidence is; of events about people, where those who do not see them see what is left."""
    found = QUESTIONS[evidence][1].format(slug=slug)
    return found if of_people or "?tag=" not in found else "/admin/audit#events"


def found(evidence: Evidence, figures: dict[str, Any]) -> str:
    """Return what was found, in words of the reader's language."""
    return str(_FOUND[evidence](figures))


def _erasure(of: dict[str, Any]) -> Any:
    told = _(
        "%(complete)s of %(total)s erasures are complete, in backups too.",
        complete=of["complete"],
        total=of["total"],
    )
    if of["late"]:
        told += " " + ngettext("%(num)s is late or failed.", "%(num)s are late or failed.", of["late"])
    return told


def _retention(of: dict[str, Any]) -> Any:
    return _(
        "Version %(version)s of the schedule; held: %(held)s, overdue: %(overdue)s.",
        version=of["version"],
        held=of["held"],
        overdue=of["overdue"],
    )


def _log(of: dict[str, Any]) -> Any:
    if not of["at"]:
        return _("No checkpoint is signed yet.")
    told = _("%(size)s events signed, last on %(day)s.", size=of["size"], day=format_date(of["at"]))
    if of["differs"]:
        return (
            told
            + " "
            + ngettext(
                "%(num)s thing is not as it was signed.",
                "%(num)s things are not as they were signed.",
                of["differs"],
            )
        )
    return told + " " + _("Nothing differs from what was signed.")


def _consent(of: dict[str, Any]) -> Any:
    return _(
        "%(headshots)s headshots; %(without)s of people who did not answer a consent. Answers whose words were not kept: %(unkept)s.",
        headshots=of["headshots"],
        without=of["without"],
        unkept=of["unkept"],
    )


def _requests(of: dict[str, Any]) -> Any:
    return _("%(waiting)s open, %(overdue)s of them overdue.", waiting=of["open"], overdue=of["overdue"])


def _recipients(of: dict[str, Any]) -> Any:
    if not of["waiting"]:
        return _("No answer is outstanding.")
    return ngettext("%(num)s answer is outstanding.", "%(num)s answers are outstanding.", of["waiting"])


def _breaches(of: dict[str, Any]) -> Any:
    if not of["known"]:
        return _("No breach is known.")
    told = ngettext("%(num)s breach is known.", "%(num)s breaches are known.", of["known"])
    if of["late"]:
        told += " " + ngettext(
            "For %(num)s, the 72 hours are over and nothing was told or decided.",
            "For %(num)s, the 72 hours are over and nothing was told or decided.",
            of["late"],
        )
    return told


def _roles(of: dict[str, Any]) -> Any:
    told = ", ".join(f"{ROLES[role]}: {number}" for role, number in of["roles"].items()) or _("Nobody.")
    if of["left"]:
        told += ". " + ngettext(
            "%(num)s session of somebody whose access ended is still open.",
            "%(num)s sessions of people whose access ended are still open.",
            of["left"],
        )
    return told


def _sign_in(of: dict[str, Any]) -> Any:
    if of["connected"]:
        return _("Sign-in goes through the company’s own identity provider.")
    return _("No identity provider is connected.")


def _keys(of: dict[str, Any]) -> Any:
    told = _("Key number %(epoch)s, since %(day)s.", epoch=of["epoch"], day=format_date(of["since"]))
    if of["late"]:
        told += " " + _("The next one is overdue.")
    if of["attested"] is None:
        return told + " " + _("The operator’s word that no backup holds the keys is missing or too old.")
    return (
        told
        + " "
        + _(
            "The operator attested on %(day)s that no backup holds the keys.", day=format_date(of["attested"])
        )
    )


def _report(of: dict[str, Any]) -> Any:
    if not of["at"]:
        return _("Not signed yet.")
    told = _("Version %(version)s, signed on %(day)s.", version=of["version"], day=format_date(of["at"]))
    if of["missing"]:
        told += " " + ngettext(
            "%(num)s fact that your company states is missing.",
            "%(num)s facts that your company states are missing.",
            of["missing"],
        )
    return told


def _marking(of: dict[str, Any]) -> Any:
    if not of["shoots"]:
        return _("No shoot uses an image model.")
    return _(
        "%(made)s pictures of an image model, %(unmarked)s of them without a mark.",
        made=of["made"],
        unmarked=of["unmarked"],
    )


_FOUND: Final[dict[Evidence, Callable[[dict[str, Any]], Any]]] = {
    Evidence.ERASURE: _erasure,
    Evidence.RETENTION: _retention,
    Evidence.LOG: _log,
    Evidence.CONSENT: _consent,
    Evidence.REQUESTS: _requests,
    Evidence.RECIPIENTS: _recipients,
    Evidence.BREACHES: _breaches,
    Evidence.ROLES: _roles,
    Evidence.SIGN_IN: _sign_in,
    Evidence.KEYS: _keys,
    Evidence.RECORDS: _report,
    Evidence.ASSESSMENT: _report,
    Evidence.PROCESSORS: _report,
    Evidence.MARKING: _marking,
}
