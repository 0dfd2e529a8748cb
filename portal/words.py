"""Codes in plain words: steps, reasons and what the gates found. Everything here is translated."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import format_decimal, ngettext
from flask_babel import gettext as _

from core.checks.advice import ADVICE, Issue
from core.checks.report import CLEAN_CUT
from core.checks.sureness import Sureness, mixed_of_ten, sureness
from core.models import Act, Kind
from core.portraits.engines import Fallback
from core.style.outputs import Output
from core.style.variants import CLOSER, DARKER, LIGHTER, OTHER_BACKDROP, TO_LEFT, TO_RIGHT, WIDER
from core.words import fill


def steps() -> dict[str, str]:
    """Return what the studio does during each step of a render, by the step's stable name."""
    return {
        "submitted": _("Waiting for a free place in the studio"),
        "rendering": _("Starting"),
        "queued_gpu": _("Waiting for your turn on the computer with the image model"),
        "no_gpu": _(
            "The computer with the image model is not running just now. You need not wait here: "
            "after a day at most your own photo is used instead, and we mail you."
        ),
        "train": _("The image model learns what you look like"),
        "learned": _("The image model has learned what you look like and makes your portraits next"),
        "generate": _("The image model makes your portraits, and each is checked"),
        "fallback": _("Waiting for a free place in the studio"),
        "check": _("Choosing your best photos"),
        "portrait": _("Cutting you out, hair by hair"),
        "finish": _("Setting light and background"),
        "measure": _("Checking that it looks like you"),
        "done": _("Putting the results away safely"),
        "failed": _("It did not work with these photos"),
    }


def minutes_left() -> tuple[str, ...]:
    """Return what to say when a step takes so many more minutes, up to an hour; the last one stands for more."""
    return (
        _("this step is almost done"),
        *(
            ngettext(
                "about %(num)s minute left for this step", "about %(num)s minutes left for this step", number
            )
            for number in range(1, 61)
        ),
        _("more than an hour left for this step"),
    )


def takes(seconds: float | None) -> str:
    """Return how long an image model takes for one person: what it usually took here, where that is known."""
    if seconds is None:
        unknown: str = _(
            "With an image model it takes some minutes to an hour, and longer when colleagues are before you."
        )
        return unknown
    known: str = ngettext(
        "With an image model it takes about %(num)s minute, and longer when colleagues are before you.",
        "With an image model it takes about %(num)s minutes, and longer when colleagues are before you.",
        math.ceil(seconds / 60),
    )
    return known


def fallbacks() -> dict[str, str]:
    """Return why one's own photo was used instead of an image model, by code; under "" for any other one."""
    return {
        Fallback.ENGINE_OFF: _(
            "Made from your own photo, because no image model is set up here. That costs nobody anything."
        ),
        Fallback.NO_GPU_WORKER: _(
            "Made from your own photo, because the computer with the image model did not run. "
            "That costs nobody anything."
        ),
        Fallback.TOO_FEW_PASSED: _(
            "Made from your own photo, because what the image model made did not look enough like you. "
            "Nobody has seen that. It costs nobody anything."
        ),
        Fallback.CLOTHES_OFF: _(
            "Made from your own photo with your own clothes, because the image model here does not paint clothes. "
            "That costs nobody anything."
        ),
        Fallback.CLOTHES: _(
            "Made from your own photo with your own clothes, because the clothes that the image model painted did "
            "not turn out well enough. Nobody has seen that. It costs nobody anything."
        ),
        Fallback.TOO_FEW_PHOTOS: _(
            "Made from your own photo, because the image model needs at least two different photos: one to work "
            "from and one to be checked with. It has learned and painted nothing. If you want its pictures, add "
            "photos from other days, six or more in all, and send them again. That costs nobody anything."
        ),
        Fallback.NOT_TRAINED: _(
            "Made from your own photo, because the image model here has to be trained on a person first, and you "
            "did not agree to that. That is fine and costs nobody anything."
        ),
        Fallback.NOT_COMPARED: _(
            "Made from your own photo, because pictures of the image model are only shown after the check that "
            "they look like you, and you did not agree to that check. That is fine and costs nobody anything."
        ),
        Fallback.CONSENT: _(
            "Made from your own photo, because you took back your consent to the image model. "
            "That costs nobody anything."
        ),
        "": _(
            "Made from your own photo, because the image model did not work this time. It was not you, "
            "and it costs nobody anything."
        ),
    }


def fallback(code: str | None) -> str:
    """Return why one's own photo was used instead of an image model; empty where none was to be used."""
    known = fallbacks()
    return "" if code is None else known.get(code, known[""])


@dataclass(frozen=True)
class GateFinding:
    """One line under a result: what was asked, the answer, and whether it is good (`None`: not checked)."""

    label: str
    answer: str
    good: bool | None


def gates(report: Mapping[str, Any]) -> list[GateFinding]:
    """Return what the gates found about a picture that passed them, as a person would ask it."""
    measured: Mapping[str, Mapping[str, Any]] = report.get("gates", {})
    questions = (
        (("likeness",), _resemblance(measured)[0]),
        (("skin_delta_e", "skin_ita"), _("Skin tone as in your photos")),
        (("eye_line", "head_height", "roll"), _placed(report)),
        (("backdrop", "light"), _("Light and background in the company’s style")),
    )
    findings = [
        _finding(label, [measured[name].get("passed") for name in names if name in measured])
        for names, label in questions
    ]
    findings += [_sharp(measured), _cut(measured)]
    if "held_out" in measured:
        findings += _of_a_model(measured, sureness(report, to_person=True))
    return findings


def sure(report: Mapping[str, Any]) -> str:
    """Return how sure the check of a made face is; empty where nothing has to be said."""
    known: dict[Sureness | None, str] = {
        Sureness.TOLD_BY_ONE: _(
            "How sure is that? Of 10 faces that are one third somebody else, this check lets about %(number)s through, and "
            "more where the two look alike. So please look closely yourself.",
            number=mixed_of_ten(),
        ),
        Sureness.UNKNOWN: _(
            "How sure is that? This check tells strangers apart, and often not people who look alike. So please look "
            "closely yourself."
        ),
        Sureness.LOOK_ALIKE: _(
            "The check cannot tell you apart from somebody else in your company who looks very much like you. Choose "
            "this picture only if you have looked closely and it shows you."
        ),
    }
    return known.get(sureness(report, to_person=True), "")


def _placed(report: Mapping[str, Any]) -> str:
    """Return what is asked about the frame: a closer crop is held against what it was meant to be."""
    if not {CLOSER, WIDER}.isdisjoint(report.get("notes", ())):
        return str(_("Sits in the frame as this crop should"))
    return str(_("Sits in the frame like your colleagues"))


def _sharp(measured: Mapping[str, Mapping[str, Any]]) -> GateFinding:
    """Say that a picture is sharp only where it was measured at the size at which the picture shows the face."""
    found = measured.get("sharpness", {})
    value, well = found.get("value"), found.get("well")
    if value is None or well is None:
        return _finding(_("Sharp"), [])
    if found.get("passed") and value < well:
        return GateFinding(_("Sharp"), _("a little soft, as your photo is"), None)
    return _finding(_("Sharp"), [found.get("passed")])


def _cut(measured: Mapping[str, Mapping[str, Any]]) -> GateFinding:
    """Return how cleanly the person is cut out: "cleanly" only where rim and cut were both measured as such."""
    label = _("Cleanly cut out, down to the hair")
    edge, cut = (measured.get(name, {}).get("passed") for name in ("edge", "cut"))
    if edge and cut and measured["cut"]["value"] > CLEAN_CUT * measured["cut"]["limit"]:
        return GateFinding(label, _("almost everywhere, please look at your outline"), None)
    return _finding(label, [edge, cut])


def _resemblance(measured: Mapping[str, Mapping[str, Any]]) -> tuple[str, str]:
    """Return what the face was held against, as a question and as a figure: other photos only where some were."""
    others = measured.get("likeness", {}).get("others")
    if others is None:
        return _("Looks like you"), _("Distance to your photos (0 is the same picture)")
    if others == 0:
        return (
            _("Looks like the photo it was made from"),
            _("Distance to the photo it was made from (0 is the same picture)"),
        )
    return _("Looks like your other photos"), _("Distance to your other photos (0 is the same picture)")


def _of_a_model(measured: Mapping[str, Mapping[str, Any]], said: Sureness | None) -> list[GateFinding]:
    """Return what the further gates of a made face found; one that could not be measured is left to the others."""
    questions = (
        (("held_out", "nearest"), _("Looks like photos of you that the model never saw")),
        (("face_shape",), _("Your face has its own proportions")),
        (("copy_paste",), _("A new picture, no copy of a photo")),
        (("mesh", "eyes", "noise", "lettering"), _("None of the faults that image models make")),
    )
    known = {name: gate["passed"] for name, gate in measured.items() if gate.get("passed") is not None}
    found = [_finding(label, [known[name] for name in names if name in known]) for names, label in questions]
    if said is Sureness.LOOK_ALIKE:
        found[0] = GateFinding(found[0].label, _("not sure, please look closely"), None)
    return found


def _finding(label: str, answers: Sequence[bool | None]) -> GateFinding:
    if not answers or None in answers:
        return GateFinding(label, _("not checked, please look closely"), None)
    return GateFinding(label, _("yes") if all(answers) else _("no"), all(answers))


@dataclass(frozen=True)
class Figure:
    """One figure behind the findings: what was measured, and its limit."""

    label: str
    value: str
    limit: str


def figures(report: Mapping[str, Any]) -> list[Figure]:
    """Return the figures behind `gates`, each with the limit that it was held against."""
    measured: Mapping[str, Mapping[str, Any]] = report.get("gates", {})
    # Label, factor from the gate's unit to the page's, unit of the page.
    known: dict[str, tuple[str, float, str]] = {
        "likeness": (_resemblance(measured)[1], 1, ""),
        "held_out": (_("Distance to photos of you that the model never saw"), 1, ""),
        "skin_delta_e": (_("Skin tone, difference in colour"), 1, "ΔE"),
        "skin_ita": (_("Skin tone, difference in shade"), 1, "°"),
        "eye_line": (_("Height of your eyes, off the style"), 100, "%"),
        "head_height": (_("Size of your head, off the style"), 100, "%"),
        "roll": (_("Tilt of your head"), 1, "°"),
        "backdrop": (_("Background, difference in colour"), 1, "ΔE"),
        "light": (_("Light on the left and right, off the style"), 1, _("stops")),
        "sharpness": (_("Sharpness"), 1, ""),
        "edge": (_("Rim of the old background"), 1, ""),
        "cut": (_("Where it is unsure what is you, of your head’s size"), 1, "%"),
        "resolution": (_("Pixels of your photo for each of the headshot"), 1, ""),
    }
    return [
        Figure(label, _figure(gate["value"] * factor, unit), _limit(gate, factor, unit))
        for name, (label, factor, unit) in known.items()
        if (gate := measured.get(name, {})).get("value") is not None and gate.get("limit") is not None
    ]


def _limit(gate: Mapping[str, Any], factor: float, unit: str) -> str:
    value = _figure(gate["limit"] * factor, unit)
    sentence = _("%(value)s at least") if gate.get("at_least") else _("%(value)s at most")
    return fill(sentence, {"value": value})


def _figure(value: float, unit: str) -> str:
    gap = "\u00a0" if unit and unit != "°" else ""
    return f"{format_decimal(value, format='0.0#')}{gap}{unit}"


def notes(report: Mapping[str, Any]) -> list[str]:
    """Return in which way a result differs from the company's style."""
    known: dict[str, str] = {
        CLOSER: _("Closer than your colleagues’ headshots, which your company allows."),
        WIDER: _("A little wider, as you asked."),
        LIGHTER: _("A little lighter, as you asked."),
        DARKER: _("A little darker, as you asked."),
        TO_LEFT: _("A little further left, as you asked."),
        TO_RIGHT: _("A little further right, as you asked."),
        OTHER_BACKDROP: _("Before another colour that your company allows."),
        "crop_tighter": _("Cropped a little tighter than usual, because your photo ends there."),
        "eye_line_lower": _(
            "Your eyes sit a little lower than usual, because your photo ends above your head."
        ),
        "off_centre": _("You sit a little beside the middle, because your photo ends at the side."),
        "room_for_hair": _("Your head is a little smaller than usual, so that your hair has room."),
        "backdrop_extended": _("Your photo ended beside you, so the company’s background goes on there."),
        "light_from_other_side": _(
            "The light falls on your face from the other side than in this style, as in your photo."
        ),
    }
    return [known[code] for code in report.get("notes", ()) if code in known]


def smaller(made: Output, asked: Output) -> str:
    """Return that a photo has too few pixels for a file of the size that was asked for."""
    said: str = _(
        "%(width)s × %(height)s pixels instead of %(whole_width)s × %(whole_height)s: your face has no more in this "
        "photo, and enlarging would blur it. Come closer to the camera for a larger one.",
        width=made.width,
        height=made.height,
        whole_width=asked.width,
        whole_height=asked.height,
    )
    return said


def withheld(code: str | None, report: Mapping[str, Any]) -> list[str]:
    """Return why nobody gets to see a candidate."""
    if code != "gates":
        return [_reason(code)]
    failed = [name for name, gate in report.get("gates", {}).items() if gate.get("passed") is False]
    known: dict[str, str] = {
        "one_face": _("There was not exactly one face in the picture. Use a photo with nobody else in it."),
        "likeness": _(
            "It did not look enough like your photos. Look straight into the camera, as you usually do."
        ),
        "skin_delta_e": _(
            "Your skin tone came out different from your photos. Use daylight, no coloured lamps."
        ),
        "skin_ita": _("Your skin tone came out different from your photos. Use daylight, no coloured lamps."),
        "eye_line": _(
            "Your eyes were not where your company’s style has them. Leave some space all around your head."
        ),
        "head_height": _(
            "Your head was not as large as your company’s style has it. Leave some space all around it."
        ),
        "roll": _("Your head came out tilted. Hold head and camera straight."),
        "backdrop": _("The background was not your company’s. That was not you; another photo may well do."),
        "light": _("The light came too much from one side. Turn your face to the window or the lamp."),
        "sharpness": _(
            "It was not sharp enough. Wipe the lens, hold the phone still and come a little closer."
        ),
        "edge": _("A rim of the old background’s light stayed around your head. Face the light instead."),
        "cut": _(
            "We could not tell for sure what is you and what is behind you. Take a photo before a plain wall, "
            "with nobody and nothing close beside you."
        ),
        "resolution": _("Your photo has too few pixels for this size. Come closer to the camera."),
        "held_out": _("It did not look enough like photos of you that the model never saw."),
        "nearest": _("It looked too much like somebody else."),
        "copy_paste": _("It was a copy of one of your photos."),
        "face_shape": _("The proportions of your face were not yours."),
        "mesh": _("Your face came out distorted."),
        "eyes": _("Your eyes came out wrong."),
        "noise": _("The picture was too grainy."),
        "lettering": _("Letters that mean nothing were painted into the picture."),
    }
    return [known.get(name, _("It did not pass our checks.")) for name in failed] or [
        _("It did not pass our checks.")
    ]


# Reasons that lie in the photos, apart from those that the check gives.
_ABOUT_PHOTOS = ("cropped_too_tightly", "no_usable_photo")


def _reason(code: str | None) -> str:
    known: dict[str, str] = {
        "cropped_too_tightly": _(
            "The photo ends too close to your head. Leave some space above and beside it, and include your shoulders."
        ),
        "no_usable_photo": _("None of the photos shows your face clearly enough."),
    }
    if code in known:
        return known[code]
    if code in set(Issue):
        return str(_(ADVICE[Issue(code)].text))
    return str(_("It was not you, and the same photos may well do."))


def is_ours(code: str | None, candidates: Sequence[tuple[str | None, Mapping[str, Any]]]) -> bool:
    """Whether no headshot came of it for a reason of ours, so that the same photos may do; see `failure`."""
    return not candidates and code not in _ABOUT_PHOTOS and code not in set(Issue)


def failure(code: str | None, candidates: Sequence[tuple[str | None, Mapping[str, Any]]]) -> list[str]:
    """Return why no headshot came of it, each reason once.

    Args:
        code: of the participation's failure.
        candidates: code and gate report of each withheld candidate.
    """
    reasons = [reason for held, report in candidates for reason in withheld(held, report)]
    return list(dict.fromkeys(reasons or [_reason(code)]))


def kind(name: str) -> str:
    """Return what stored bytes are."""
    known: dict[str, str] = {
        Kind.PHOTO: _("Photos you uploaded"),
        Kind.PIECE: _("Pieces of photos that have not fully arrived"),
        Kind.PREVIEW: _("Small previews of your photos"),
        Kind.LIKENESS: _("Numbers that stand for your face, to compare photos"),
        Kind.ADAPTER: _("Image models of you (only the program uses them)"),
        Kind.CHECKPOINT: _("Image models of you, half trained"),
        Kind.HEADSHOT: _("Headshots made of you"),
        Kind.OWN_PICTURE: _("A picture of your own"),
        Kind.UPLOAD: _("Pictures of your own that are being checked"),
        Kind.EXPORT: _("Exports of your data"),
    }
    return known.get(Kind(name), name)


def size(name: str) -> str:
    """Return the name of an output as its users write it."""
    known: dict[str, str] = {
        "square": _("Square"),
        "linkedin": "LinkedIn",
        "slack": "Slack",
        "teams": "Microsoft Teams",
        "badge": _("Badge"),
        "web": _("Website"),
        "web-avif": _("Website, smallest file"),
        "avatar": _("Avatar with a frame"),
        "print": _("Print"),
    }
    return known.get(name, name.replace("-", " ").capitalize())


def purpose(name: str) -> str:
    """Return what a consent is about."""
    known: dict[str, str] = {
        "photo": _("Make my headshot"),
        "likeness": _("Check that it looks like me"),
        "paint": _("Let an image model paint me"),
        "clothes": _("Let an image model dress me"),
        "adapter": _("Train an image model of me"),
    }
    return known[name]


def made(status: str | None) -> str:
    """Return how a picture was made, from the end of its IPTC DigitalSourceType; empty for what is no picture."""
    known: dict[str, str] = {
        "algorithmicallyEnhanced": _("A real photo, edited without an image model."),
        "trainedAlgorithmicMedia": _("The person in this picture was painted by an image model."),
        "compositeWithTrainedAlgorithmicMedia": _(
            "A photo of which an image model has painted a part, such as the clothes."
        ),
        "algorithmicMedia": _("A drawing made by rules, such as initials on a colour."),
    }
    return known.get(status or "", "")


def check(name: str) -> str:
    """Return what a step of checking evidence is about; what it found stays as the command line says it."""
    known: dict[str, str] = {
        "changes forbidden": _("Changes forbidden"),
        "about this person": _("About this person"),
        "checkpoint signed": _("Checkpoint signed"),
        "cosigned": _("Cosigned by a witness"),
        "earlier checkpoint signed": _("Earlier checkpoint signed"),
        "later checkpoint signed": _("Later checkpoint signed"),
        "nothing rewritten between": _("Nothing rewritten between"),
        "content credentials": _("Content credentials"),
        "content unchanged": _("Content unchanged"),
        "deletions verified": _("Deletions verified"),
        "entry in log": _("Entry in log"),
        "evidence attached": _("Evidence attached"),
        "evidence schema": _("Evidence schema"),
        "facts in log": _("Facts in log"),
        "format": _("Format"),
        "how it was made": _("How it was made"),
        "IPTC fields": _("IPTC fields"),
        "leaf hash": _("Leaf hash"),
        "log of this company": _("Log of this company"),
        "log signature and proof": _("Log signature and proof"),
        "no spare bytes": _("No spare bytes"),
        "PAdES signature": _("PAdES signature"),
        "page of these facts": _("Page of these facts"),
        "picture unchanged": _("Picture unchanged"),
        "public keys": _("Public keys"),
        "time as stated": _("Time as stated"),
        "time of this signature": _("Time of this signature"),
        "time trusted": _("Time trusted"),
        "readable": _("Readable"),
        "end of company signed": _("End of the company signed"),
        "everybody certified": _("Everybody certified"),
        "retention report signed": _("Retention report signed"),
        "second signature": _("Second signature (ML-DSA-44)"),
        "signature present": _("Signature present"),
        "signature valid": _("Signature valid"),
        "signer of pictures": _("Signer of pictures"),
        "signer trusted": _("Signer trusted"),
        "size": _("Size"),
        "whole file signed": _("Whole file signed"),
    }
    return known.get(name, name.capitalize())


def act(code: str) -> str:
    """Return what somebody decided, as the heading of its receipt."""
    said = {
        Act.ANSWERED: _("Answers to the questions"),
        Act.DECLINED: _("Declined"),
        Act.TAKEN_BACK: _("Taken back"),
    }
    return str(said[Act(code)])
