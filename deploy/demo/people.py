"""Made-up employees around real photos: a folder's name becomes a name, an address and a number."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

DOMAIN = "northwind.example"  # RFC 2606: never a real address
SURNAME = "Example"
FIRST_NUMBER = 1001


@dataclass(frozen=True)
class Person:
    """An employee of the demo company.

    Attributes:
        key: The folder's name; unique, and the name of the folder with the results.
        photos: File name and content of each photo.
    """

    key: str
    first: str
    last: str
    email: str
    employee_id: str
    photos: tuple[tuple[str, bytes], ...] = ()


def employees(photos: dict[str, list[tuple[str, bytes]]], decliner: str) -> tuple[list[Person], Person]:
    """Return an employee for each entry of `photos`, and one more, without photos, who will decline.

    Args:
        photos: Folder name → file name and content of each photo.
        decliner: First name of the one who declines; changed should a folder have it.
    """
    keys = [*photos, _unlike(decliner, photos)]
    made: list[Person] = []
    emails: set[str] = set()
    for number, key in enumerate(keys):
        first = _name(key) or f"Person {number + 1}"
        local = _local_part(first)
        email = f"{local}@{DOMAIN}"
        if email in emails:
            email = f"{local}.{FIRST_NUMBER + number}@{DOMAIN}"
        emails.add(email)
        made.append(
            Person(key, first, SURNAME, email, f"E{FIRST_NUMBER + number}", tuple(photos.get(key, ())))
        )
    return made[:-1], made[-1]


def _unlike(name: str, taken: dict[str, list[tuple[str, bytes]]]) -> str:
    lower = {key.casefold() for key in taken}
    while name in lower:
        name += "-2"
    return name


def _name(folder: str) -> str:
    """Letters, blanks, hyphens and apostrophes of a folder's name, each word with a capital."""
    spaced = "".join(letter if letter.isalpha() or letter in "'’-" else " " for letter in folder)
    words = [word.strip("-'’") for word in spaced.split()]
    return " ".join(word[0].upper() + word[1:] for word in words if word)[:80].strip()


def _local_part(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return ".".join(re.findall(r"[a-z0-9]+", plain))[:60].strip(".") or "person"
