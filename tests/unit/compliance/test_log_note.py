"""Signed notes and checkpoints: the published vector, and what must never be accepted."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from compliance.log import checkpoint, note
from compliance.log.checkpoint import CheckpointBody
from compliance.log.note import NoteError, VerifierKey

# C2SP/C2SP signed-note.md v1.0.0 (docs/sources.md, Evidence)
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
TEXT = "This is an example message.\n"
SIGNATURE = "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
NOTE = f"{TEXT}\n— example.com/foo {SIGNATURE}\n"

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORIGIN = "photos.example.com/log/0193a0c4-7b00-7000-8000-000000000001"
TRUSTED = [VerifierKey.of(ORIGIN, KEY)]
SIGNED = checkpoint.sign(CheckpointBody(ORIGIN, 20_852_163, bytes(range(32))), KEY)


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
        checkpoint.parse_text(text)
