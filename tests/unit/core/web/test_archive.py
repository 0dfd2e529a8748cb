"""The ZIP that leaves the house: any reader opens it, and any file system takes its names."""

from __future__ import annotations

import io
import shutil
import stat
import struct
import subprocess
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import now
from core.web import archive
from core.web.archive_names import LONGEST, Names

FILES = [
    ("데이터/山田_太郎.jpg", b"picture" * 1000),
    ("Müller_Anna.jpg", b""),
    ("🎉_🦄.jpg", bytes(range(256)) * 999),
    ("plain.json", b"{}"),
]
# A program of nobody's library that reads as `ZipInputStream` does: from the front, by local headers.
JAVA = """
import java.io.*; import java.util.zip.*;
public class Read { public static void main(String[] args) throws Exception {
  System.setOut(new PrintStream(System.out, true, "UTF-8"));
  try (ZipInputStream in = new ZipInputStream(new FileInputStream(args[0]))) {
    for (ZipEntry e; (e = in.getNextEntry()) != null; ) System.out.println(in.readAllBytes().length + " " + e.getName());
  } } }
"""


def made(files: Iterable[tuple[str, bytes]]) -> bytes:
    return b"".join(archive.stream(files, now()))


def read_by_local_headers(content: io.BufferedIOBase) -> Iterator[tuple[str, bytes]]:
    """Read a ZIP from its front alone, as a device without memory for the whole does; strict."""
    while (mark := content.read(4)) == b"PK\x03\x04":
        _, flags, method, _, _, crc, packed, size, name_length, extra_length = struct.unpack(
            "<HHHHHIIIHH", content.read(26)
        )
        raw, extra = content.read(name_length), content.read(extra_length)
        assert not flags & 0x08, "the size follows the data, where such a reader cannot find it"
        assert (method, packed) == (0, size)
        assert not extra
        assert raw.isascii() or flags & 0x800, "the name does not say that it is UTF-8"
        data = content.read(size)
        assert len(data) == size
        assert zlib.crc32(data) == crc
        yield raw.decode(), data
    assert mark == b"PK\x01\x02", "the directory follows the last file"


def test_a_reader_that_knows_only_local_headers_reads_all() -> None:
    assert list(read_by_local_headers(io.BytesIO(made(FILES)))) == FILES


def test_a_reader_that_starts_at_the_directory_reads_all() -> None:
    found = zipfile.ZipFile(io.BytesIO(made(FILES)))
    assert found.testzip() is None
    assert [(entry.filename, found.read(entry)) for entry in found.infolist()] == FILES
    assert all(stat.S_ISREG(entry.external_attr >> 16) for entry in found.infolist())


@pytest.mark.skipif(not shutil.which("javac"), reason="no Java development kit here")
def test_java_reads_it_as_a_stream(tmp_path: Path) -> None:
    (tmp_path / "Read.java").write_text(JAVA)
    (tmp_path / "team.zip").write_bytes(made(FILES))
    done = subprocess.run(
        ["java", tmp_path / "Read.java", tmp_path / "team.zip"], capture_output=True, check=True
    )
    assert done.stdout.decode().splitlines() == [f"{len(data)} {name}" for name, data in FILES]


def test_it_is_sent_while_its_files_are_made_and_never_held() -> None:
    begun = []

    def files() -> Iterator[tuple[str, bytes]]:
        for number in range(50):
            begun.append(number)
            yield f"{number}.jpg", bytes(1_000_000)

    pieces = archive.stream(files(), now())
    first = next(pieces)
    assert begun == [0]
    assert 1_000_000 < len(first) < 1_001_000
    assert max(len(piece) for piece in pieces) < 1_010_000


def test_more_files_than_the_old_format_counts() -> None:
    content = made((f"{number}.txt", b"") for number in range(65_600))
    assert sum(1 for _ in read_by_local_headers(io.BytesIO(content))) == 65_600
    assert len(zipfile.ZipFile(io.BytesIO(content)).infolist()) == 65_600


@pytest.mark.slow
def test_more_bytes_than_the_old_format_counts(tmp_path: Path) -> None:
    piece = bytes(2**27)
    with (tmp_path / "large.zip").open("wb") as target:
        for part in archive.stream(((f"{number}.bin", piece) for number in range(33)), now()):
            target.write(part)
    with zipfile.ZipFile(tmp_path / "large.zip") as found:
        assert found.read("32.bin") == piece
    with (tmp_path / "large.zip").open("rb") as source:
        assert sum(len(data) for _, data in read_by_local_headers(source)) == 33 * 2**27


@pytest.mark.parametrize(
    ("wanted", "given_name"),
    [
        ("CON.jpg", "_CON.jpg"),
        ("nul", "_nul"),
        ("conin$.jpg", "_conin$.jpg"),
        ("LPT¹.jpg", "_LPT¹.jpg"),
        ("com7 .tar.gz", "_com7 .tar.gz"),
        ("../../etc/passwd", "file/file/etc/passwd"),
        ('A<B>:"C|?*\\.jpg', "ABC.jpg"),
        ("Love\xadlace_Ada\u200b.jpg", "Lovelace_Ada.jpg"),
        ("Ada\u202egpj.exe", "Adagpj.exe"),
        ("Ada\ud800.jpg", "Ada.jpg"),
        ("Ada\uffff.jpg", "Ada.jpg"),
        ("Mu\u0308ller.jpg", "Müller.jpg"),
        (" .hidden. ", "hidden"),
    ],
)
def test_a_name_that_some_file_system_refuses_is_made_safe(wanted: str, given_name: str) -> None:
    assert Names().next(wanted) == given_name


def test_names_that_differ_in_capitals_accents_or_joiners_alone_are_numbered() -> None:
    names = Names()
    wanted = ["Müller_Anna.jpg", "Müller_ANNA.jpg", "Mu\u0308ller_anna.jpg", "Müller\u200c_Anna.jpg"]
    assert [names.next(name) for name in wanted] == [
        "Müller_Anna.jpg",
        "Müller_ANNA_2.jpg",
        "Müller_anna_3.jpg",
        "Müller\u200c_Anna_4.jpg",
    ]
    assert [names.next(name) for name in ["Müller_Anna_2.jpg", "Müller_Anna.png"]] == [
        "Müller_Anna_2_2.jpg",
        "Müller_Anna.png",
    ]


@pytest.mark.parametrize("letters", ["郎", "ศรีสุวรรณ", "🏳️‍🌈", "👩🏽‍🚀", "🇰🇷", "e\u0323\u0301", "कृष्ण"])
def test_a_long_name_is_cut_between_characters_and_keeps_its_ending(letters: str) -> None:
    names = Names()
    made_names = [names.next(f"alternatives/{letters * 90}.jpg") for _ in range(12)]
    assert len(set(made_names)) == 12
    for number, name in enumerate(made_names, 1):
        assert LONGEST - 40 < len(name.encode()) <= LONGEST
        stem = name.removeprefix("alternatives/").removesuffix(".jpg").removesuffix(f"_{number}")
        rest = unicodedata.normalize("NFC", letters * 90).removeprefix(stem)
        assert name.endswith(".jpg" if number == 1 else f"_{number}.jpg")
        assert unicodedata.category(rest[0])[0] != "M"
        assert rest[0] not in "\u200d\U0001f3fd"
        assert stem[-1] != "\u200d"
        assert stem.count("\U0001f1f0") == stem.count("\U0001f1f7")


@given(st.lists(st.text(max_size=80), max_size=8))
def test_whatever_is_asked_for_each_name_is_short_safe_and_its_own(wanted: list[str]) -> None:
    names = Names()
    made_names = [names.next(f"{text}.jpg") for text in wanted]
    for name in made_names:
        name.encode()
        assert len(name.encode()) <= LONGEST
        assert not set(name) & set('\\:*?"<>|\0\r\n\u200b\u202e')
        assert all(part.strip(" .") == part != "" for part in name.split("/"))
    keys = [unicodedata.normalize("NFKC", name).casefold() for name in made_names]
    assert len(set(keys)) == len(keys)


def test_ten_thousand_people_of_one_name_are_numbered_at_once() -> None:
    names = Names()
    assert [names.next("Müller_Anna.jpg") for _ in range(10_000)][-1] == "Müller_Anna_10000.jpg"
