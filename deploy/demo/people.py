"""Made-up employees around real photos: a folder's name becomes a name, an address and a number."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

DOMAIN = "northwind.example"  # RFC 2606: never a real address
SURNAME = "Example"
LONGEST_FIRST = 80  # letters, as `core.people.roster` takes them
FIRST_NUMBER = 1001
# What the story itself writes beside the folders of the results.
TAKEN_NAMES = ("certificates", "headshots.zip", "rejected.csv", "report.json", "team.jpg")


@dataclass(frozen=True)
class Person:
    """An employee of the demo company.

    Attributes:
        key: The name of the folder with the photos; unique.
        folder: The name of the folder with the results: `key`, unless a result is called so.
        first: Several people can have the same; `email`, `employee_id` and `full_name` are one person's own.
        photos: File name and content of each photo.
    """

    key: str
    folder: str
    first: str
    last: str
    email: str
    employee_id: str
    called: str  # in what the demo says: the first name, or one that only this person has
    photos: tuple[tuple[str, bytes], ...] = ()

    @property
    def full_name(self) -> str:
        """First and last name, as the product shows them."""
        return f"{self.first} {self.last}"


def employees(photos: dict[str, list[tuple[str, bytes]]], decliner: str) -> tuple[list[Person], Person]:
    """Return an employee for each entry of `photos`, and one more, without photos, who will decline.

    Args:
        photos: Folder name → file name and content of each photo.
        decliner: First name of the one who declines; changed should a folder have it.
    """
    keys = [*photos, _unlike(decliner, photos)]
    names = [*photos, decliner]
    made: list[Person] = []
    firsts: set[str] = set()
    emails: set[str] = set()
    for number, (key, name) in enumerate(zip(keys, names, strict=True), FIRST_NUMBER):
        first = _name(name) or f"Person {number - FIRST_NUMBER + 1}"
        last = f"{SURNAME} {number}" if first.casefold() in firsts else SURNAME
        local = _local_part(first)
        email = f"{local}@{DOMAIN}"
        while email in emails:
            local += f".{number}"
            email = f"{local}@{DOMAIN}"
        firsts.add(first.casefold())
        emails.add(email)
        folder = _unlike(key, (*keys, *TAKEN_NAMES)) if key.casefold() in TAKEN_NAMES else key
        made.append(Person(key, folder, first, last, email, f"E{number}", first, tuple(photos.get(key, ()))))
    often = Counter(person.first.casefold() for person in made)
    made = [
        replace(person, called=f"{person.first} ({person.key})")
        if often[person.first.casefold()] > 1
        else person
        for person in made
    ]
    return made[:-1], made[-1]


def _unlike(name: str, taken: Iterable[str]) -> str:
    lower = {one.casefold() for one in taken}
    while name.casefold() in lower:
        name += "-2"
    return name


def _name(folder: str) -> str:
    """The words of a folder's name that have a letter, each with a capital: letters, digits, ' and -."""
    composed = unicodedata.normalize("NFC", folder)
    # Vowel signs of many scripts are marks (M), so a letter alone is not all that a word is made of.
    spaced = "".join(
        sign if unicodedata.category(sign)[0] in "LMN" or sign in "'’-" else " " for sign in composed
    )
    words = [word.strip("-'’") for word in spaced.split()]
    named = [word[0].upper() + word[1:] for word in words if any(sign.isalpha() for sign in word)]
    return " ".join(named)[:LONGEST_FIRST].strip()


def _local_part(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return ".".join(re.findall(r"[a-z0-9]+", plain))[:50].strip(".") or "person"
