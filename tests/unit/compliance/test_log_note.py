"""Signed notes and checkpoints: the published vector, and what must never be accepted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from compliance.log import checkpoint, cosignature, note, tree_head
from compliance.log.checkpoint import LogKey
from compliance.log.cosignature import CosignerKey
from compliance.log.note import NoteError, VerifierKey
from compliance.log.tree_head import CheckpointBody

# C2SP/C2SP signed-note.md v1.0.0 (docs/sources.md, Evidence)
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
TEXT = "This is an example message.\n"
SIGNATURE = "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
NOTE = f"{TEXT}\n— example.com/foo {SIGNATURE}\n"

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORIGIN = "photos.example.com/log/0193a0c4-7b00-7000-8000-000000000001"
SECOND = MLDSA44PrivateKey.from_seed_bytes(bytes(range(32)))
AT = datetime(2026, 11, 30, tzinfo=UTC)
FIRST = VerifierKey.of(ORIGIN, KEY)
TRUSTED = [LogKey(FIRST, CosignerKey.of(ORIGIN, SECOND))]
BODY = CheckpointBody(ORIGIN, 20_852_163, bytes(range(32)))
SIGNED = checkpoint.sign(BODY, KEY, SECOND, AT)
ONCE = note.sign(BODY.text, ORIGIN, KEY)


def test_published_note_is_accepted() -> None:
    opened = note.verify(NOTE.encode(), [VerifierKey.parse(VKEY)])
    assert opened.text == TEXT
    assert [str(key) for key in opened.signers] == [VKEY]


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "example.com/foo",
        VKEY.replace("530d903a", "530d903b"),
        VKEY.replace("530d903a", "530D903A"),
        VKEY.replace("example.com/foo", "example.com/bar"),
        VKEY + "=",
        VKEY[:-4],
        "a b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    ],
)
def test_wrong_verifier_keys_are_refused(vkey: str) -> None:
    with pytest.raises(NoteError):
        VerifierKey.parse(vkey)


def test_signed_text_opens_with_its_own_key_only() -> None:
    signed = note.sign("one\n\ntwo\n", "here", KEY)
    assert note.verify(signed, [VerifierKey.of("here", KEY)]).text == "one\n\ntwo\n"
    with pytest.raises(NoteError, match="no trusted key"):
        note.verify(signed, [VerifierKey.of("there", KEY)])
    with pytest.raises(NoteError, match="no trusted key"):
        note.verify(signed, [])


def test_signatures_of_witnesses_are_passed_over() -> None:
    witness = note.sign(TEXT, "witness.example", Ed25519PrivateKey.generate()).partition("\n\n")[2]
    opened = note.verify(NOTE + witness, [VerifierKey.parse(VKEY)])
    assert [key.name for key in opened.signers] == ["example.com/foo"]


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"\n\n",
        b"\xff\xfe",
        NOTE[:-1].encode(),
        NOTE.replace("\n\n", "\n").encode(),
        NOTE.replace("— ", "- ").encode(),
        NOTE.replace("message", "massage").encode(),
        NOTE.replace("message", "mess\tage").encode(),
        (NOTE + f"— example.com/foo {SIGNATURE}\n").encode(),
        (NOTE + "\n").encode(),
        (NOTE + "— a\x01b AAAAAAA=\n").encode(),
        (NOTE + "— w AAAA\n").encode(),
        (NOTE + "— w AAAAAAA=\n" * note.MAX_SIGNATURES).encode(),
        NOTE.replace("yaQM=", "yaQN=").encode(),
        b"x" * (note.MAX_BYTES + 1),
    ],
)
def test_malformed_notes_are_refused(bad: bytes) -> None:
    with pytest.raises(NoteError):
        note.verify(bad, [VerifierKey.parse(VKEY)])


@pytest.mark.parametrize("text", ["no newline", "tab\t\n", ""])
def test_text_that_no_note_can_carry_is_not_signed(text: str) -> None:
    with pytest.raises(NoteError):
        note.sign(text, "here", KEY)


def test_checkpoint_says_which_log_how_long_and_which_root() -> None:
    assert checkpoint.verify(SIGNED, TRUSTED) == CheckpointBody(ORIGIN, 20_852_163, bytes(range(32)))
    assert SIGNED.startswith(
        f"{ORIGIN}\n20852163\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n— {ORIGIN} "
    )


@given(st.integers(0, len(SIGNED.encode()) - 1), st.integers(1, 255))
def test_checkpoint_with_one_changed_byte_is_refused(place: int, flip: int) -> None:
    changed = bytearray(SIGNED.encode())
    changed[place] ^= flip
    with pytest.raises(NoteError):
        checkpoint.verify(bytes(changed), TRUSTED)


def test_checkpoint_needs_both_signatures_where_both_keys_are_known() -> None:
    """Whoever breaks one of the two must not be able to leave the other out."""
    second_alone = f"{BODY.text}\n{SIGNED.splitlines(keepends=True)[-1]}"
    for stripped in (ONCE, second_alone):
        with pytest.raises(NoteError):
            checkpoint.verify(stripped, TRUSTED)
    stranger = MLDSA44PrivateKey.generate()
    for forged in (
        ONCE + cosignature.cosign(BODY.text, ORIGIN, stranger, AT),  # another key's line is none of the log's
        ONCE + cosignature.cosign(BODY.text, "w.example", SECOND, AT),  # the key, under another name
        ONCE + checkpoint.sign(replace(BODY, size=7), KEY, SECOND, AT).splitlines(keepends=True)[-1],
        SIGNED + cosignature.cosign(BODY.text, ORIGIN, SECOND, AT),  # twice
    ):
        with pytest.raises(NoteError):
            checkpoint.verify(forged, TRUSTED)


def test_checkpoint_from_before_the_second_key_needs_the_first_alone() -> None:
    second = CosignerKey.of(ORIGIN, SECOND)
    for at, passes in ((BODY.size + 1, True), (BODY.size, False), (None, True)):
        keys = [LogKey(FIRST, second, at)]
        assert checkpoint.opened(SIGNED, keys).second is not None
        if passes:
            assert checkpoint.opened(ONCE, keys).second is None
        else:
            with pytest.raises(NoteError, match="second signature"):
                checkpoint.verify(ONCE, keys)
    assert checkpoint.verify(SIGNED, [LogKey(FIRST)]) == BODY  # an auditor's keys from before


def test_checkpoint_of_another_log_signed_by_a_trusted_key_is_refused() -> None:
    body = CheckpointBody("other.example/log/1", 1, bytes(32))
    with pytest.raises(NoteError, match="another log's key"):
        checkpoint.verify(note.sign(body.text, ORIGIN, KEY), TRUSTED)


@pytest.mark.parametrize(
    "text",
    [
        "a\n01\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "a\n-1\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "a\n1\nAAEC\n",
        "a\n1\n",
        "\n1\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "a\n1\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\nextension\n",
        "a\n99999999999999999999\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
    ],
)
def test_texts_that_are_no_checkpoint_are_refused(text: str) -> None:
    with pytest.raises(NoteError):
        tree_head.parse_text(text)
