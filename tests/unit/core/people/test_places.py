"""Where somebody works, of what lists say: read or said to be unread, never guessed."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from core import audit
from core.db import transaction
from core.errors import InvalidInput
from core.models import AuditEvent, Member
from core.people import members, organizations, places, roster
from core.people.places import Place
from core.people.rows import Reason


@pytest.mark.parametrize(
    ("country", "state", "location", "expected"),
    [
        ("DE", "", "", Place("DE")),
        ("deutschland", "Bayern", "", Place("DE")),
        ("Allemagne", "", "", Place("DE")),
        ("Alemania", "", "", Place("DE")),
        ("Etats-Unis", "Illinois", "", Place("US-IL")),
        ("USA", "ca", "", Place("US-CA")),
        ("US", "Washington, D.C.", "", Place("US-DC")),
        ("us-il", "", "", Place("US-IL")),
        ("UK", "", "", Place("GB")),
        ("CA", "ON", "", Place("CA")),
        ("", "US-TX", "", Place("US-TX")),
        ("", "Illinois", "", Place("US-IL")),
        ("Georgia", "", "", Place("GE")),
        ("", "", "", Place()),
        # Not one place only, or none: said, and the country alone where that is clear.
        ("United States", "ZZ", "", Place("US", "ZZ")),
        ("Narnia", "", "", Place(unread="Narnia")),
        ("", "IL", "", Place(unread="IL")),
        ("", "Georgia", "", Place(unread="Georgia")),
        ("EU", "", "", Place(unread="EU")),
        # Offices.
        ("", "", "Munich, Germany", Place("DE")),
        ("", "", "Germany - Munich", Place("DE")),
        ("", "", "US - California - San Francisco", Place("US-CA")),
        ("", "", "Chicago, IL, USA", Place("US-IL")),
        ("", "Texas", "USA", Place("US-TX")),
        ("", "", "London (UK)", Place("GB")),
        ("", "", "Georgia - Atlanta", Place(unread="Georgia - Atlanta")),
        ("", "", "Lebanon, NH", Place(unread="Lebanon, NH")),
        ("", "", "Mexico, Missouri", Place(unread="Mexico, Missouri")),
        ("", "", "Berlin", Place(unread="Berlin")),
        ("", "", "DE", Place(unread="DE")),
        ("", "", ", ,", Place(unread=", ,")),
        ("France", "", "Berlin", Place("FR")),
    ],
)
def test_a_place_is_read_or_said_to_be_unread(
    country: str, state: str, location: str, expected: Place
) -> None:
    assert places.read(country, state, location) == expected


@pytest.mark.parametrize(
    ("header", "row", "place"),
    [
        ("Name,Email,Location Address - Country,Location Address - State/Province", "Ada B,a@acme.example,United States of America,Illinois", "US-IL"),
        ("Vorname;Nachname;E-Mail;Standort;Arbeitsland", "Ada;B;a@acme.example;Zürich;Schweiz", "CH"),
        ("First Name,Last Name,Work Email,Location,Country,State", "Ada,B,a@acme.example,HQ,United States,CA", "US-CA"),
        ("userPrincipalName,displayName,mail,country,state,usageLocation", "a@acme.example,Ada B,a@acme.example,Vereinigtes Königreich,,DE", "GB"),
        ("Prénom;Nom;Courriel;Pays", "Ada;B;a@acme.example;États-Unis", "US"),
        ("Nombre;Apellidos;Correo electrónico;País", "Ada;B;a@acme.example;España", "ES"),
    ],
)  # fmt: skip
def test_exports_of_hr_systems_say_where_people_work(header: str, row: str, place: str) -> None:
    (found,) = roster.parse(f"{header}\n{row}\n".encode()).rows
    told = (Reason.STATE_MISSING,) if place == "US" else ()
    assert (found.values.place, found.reasons) == (place, told)


def test_what_cannot_be_read_is_a_warning_that_names_it() -> None:
    (found,) = roster.parse(b"email,name,office\na@acme.example,Ada Byron,Berlin\n").rows
    assert found.reasons == (Reason.PLACE_UNKNOWN,)
    assert found.is_good
    assert "cannot be told from: Berlin." in found.text


def test_a_place_is_noted_once_and_the_log_does_not_say_which(org: object, member: Member) -> None:
    with transaction(member.org_id) as session:
        person = session.get_one(Member, member.id)
        for _ in range(2):
            members.works_in(session, person, "US-IL", by="self", actor=audit.SYSTEM)
        for wrong in ("", "XX", "US-ZZ", "us-il", "Germany"):
            with pytest.raises(InvalidInput):
                members.works_in(session, person, wrong, by="self", actor=audit.SYSTEM)
        (event,) = session.scalars(select(AuditEvent).where(AuditEvent.tag == "member.place_said"))
        assert event.facts == {"by": "self"}
        assert b"US-IL" not in event.leaf
        assert organizations.regime_for(session, person.place) == "bipa"
