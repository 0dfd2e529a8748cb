"""Companies and their identity providers: `create-company`, `company show`, `company edit`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deploy.cli.group import json_option, main, reporter

if TYPE_CHECKING:
    from deploy.company import Company

REGIMES = ("gdpr", "uk", "swiss", "ccpa", "bipa", "texas", "washington", "colorado", "other")
ATTRIBUTES = ("email", "first_name", "last_name", "groups")

_file = click.Path(path_type=Path, exists=True, dir_okay=False)
_metadata = click.option("--idp-metadata", type=_file, help="The identity provider's SAML metadata file.")
_admin_groups = click.option(
    "--admin-group",
    "admin_groups",
    multiple=True,
    help="Group whose members are HR admins; may be given several times.",
)
_auditor_groups = click.option(
    "--auditor-group",
    "auditor_groups",
    multiple=True,
    help="Group whose members are auditors, unless they are HR admins; may be given several times.",
)


@main.command("create-company")
@click.argument("slug")
@click.argument("name")
@click.option("--contact", default="", help="Address of the privacy contact, shown to employees.")
@click.option(
    "--language",
    type=click.Choice(["en", "de"]),
    default="en",
    show_default=True,
    help="Of mails to people who have said none; HR changes it on the page Mails.",
)
@_metadata
@_admin_groups
@_auditor_groups
def create_company(
    slug: str,
    name: str,
    contact: str,
    language: str,
    idp_metadata: Path | None,
    admin_groups: tuple[str, ...],
    auditor_groups: tuple[str, ...],
) -> None:
    """Add a company, with its identity provider or before that is set up: then its metadata follow with `company edit`."""
    from core import logs
    from deploy.company import Edit, create

    logs.configure()
    made = create(
        slug,
        name,
        contact,
        Edit(
            idp_metadata=idp_metadata.read_bytes() if idp_metadata else None,
            admin_groups=frozenset(admin_groups) if admin_groups else None,
            auditor_groups=frozenset(auditor_groups) if auditor_groups else None,
        ),
        language=language,
    )
    click.echo("\n".join(_lines(made)))


@main.group()
def company() -> None:
    """How a company signs in, and how long it keeps selfies."""


@company.command()
@click.argument("slug")
@json_option
def show(slug: str, *, as_json: bool) -> None:
    """Print what the identity provider must know of this site, and what is known of it.

    SLUG is the company's short name. Works before the provider is connected.
    """
    from core import logs
    from deploy.company import read

    logs.configure()
    found = read(slug)
    reporter(as_json)(_facts(found), "\n".join(_lines(found)))


@company.command()
@click.argument("slug")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The ZIP to write."
)
def evidence(slug: str, out: Path) -> None:
    """Write everything that a company's log proves into a ZIP, with a verifier that uses nothing of ours.

    SLUG is the company's short name. Auditors download the same on their page Evidence.
    """
    from compliance.bundle.making import files
    from core import logs
    from core.clock import now
    from core.web.archive import stream
    from deploy.company import find

    logs.configure()
    if out.exists():
        raise click.UsageError(f"{out} is there already.")
    org_id = find(slug)
    with out.open("xb") as file:
        for part in stream(files(org_id), now()):
            file.write(part)
    click.echo(f"{out}: python3 verify.py {out} --keys keys.json")


def _attribute(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    from sso.saml import AttributeMapping

    named = {}
    for one in given:
        fact, equals, name = one.partition("=")
        if not equals or fact not in ATTRIBUTES:
            raise click.BadParameter(f"{one} is not FACT=NAME, where FACT is {', '.join(ATTRIBUTES)}.")
        named[fact] = name or str(AttributeMapping.model_fields[fact].default)
    return named


@company.command()
@click.argument("slug")
@_metadata
@click.option(
    "--new-provider",
    is_flag=True,
    help="The metadata are another provider's: trust nothing of the earlier one, sign everybody out and link them anew.",
)
@click.option(
    "--add-certificate",
    "added",
    multiple=True,
    type=_file,
    help="Trust a further signing certificate (PEM); several count at once while a key is renewed.",
)
@click.option(
    "--remove-certificate",
    "removed",
    multiple=True,
    metavar="FINGERPRINT",
    help="Trust a certificate no longer; the first eight digits are enough.",
)
@click.option(
    "--attribute",
    "attributes",
    multiple=True,
    metavar="FACT=NAME",
    callback=_attribute,
    help=f"Which SAML attribute carries a fact ({', '.join(ATTRIBUTES)}); without NAME the usual ones are known again.",
)
@_admin_groups
@_auditor_groups
@click.option("--no-auditor-groups", is_flag=True, help="No group makes auditors.")
@click.option(
    "--idp-initiated/--no-idp-initiated",
    default=None,
    help="Whether sign-ins may start at the provider's own page; open to a known attack, so off at first.",
)
@click.option(
    "--retention-days",
    "selfies",
    type=int,
    help="Days after approval until selfies and working data are erased, 1 to 365; whoever was promised less is kept for less.",
)
@click.option(
    "--model-days", "models", type=int, help="The same of trained models; never more than of selfies."
)
@click.option(
    "--headshot-days",
    "headshots",
    type=int,
    help="Days after a shoot has ended until its headshots are erased, 1 to 1095; whoever was promised less is kept for less.",
)
@click.option(
    "--decliner-days",
    "decliners",
    type=int,
    help="Days after a shoot has ended until nothing says any more who declined, 1 to 365.",
)
@click.option(
    "--leaver-days",
    "leavers",
    type=int,
    help="Days after somebody was locked out until everything of theirs is erased, 1 to 365.",
)
@click.option(
    "--country", help="The country that it is in, by its code, such as DE: its public holidays count."
)
@click.option("--time-zone", help="Its time zone as the IANA names it, such as Europe/Berlin.")
@click.option(
    "--regime",
    type=click.Choice([*REGIMES]),
    help="Whose law's words count for people of whom nobody knows where they work.",
)
@click.option("--legal-name", help="Who the company is in law; deletion certificates name it so.")
@click.option(
    "--postal-address", help="Its postal address, also printed there; lines separated by line ends."
)
@click.option("--contact", "contact_email", help="Address of the privacy contact, shown to employees.")
@json_option
def edit(
    slug: str,
    idp_metadata: Path | None,
    added: tuple[Path, ...],
    removed: tuple[str, ...],
    attributes: dict[str, str],
    admin_groups: tuple[str, ...],
    auditor_groups: tuple[str, ...],
    *,
    new_provider: bool,
    no_auditor_groups: bool,
    idp_initiated: bool | None,
    legal_name: str | None,
    postal_address: str | None,
    contact_email: str | None,
    country: str | None,
    time_zone: str | None,
    regime: str | None,
    as_json: bool,
    **days: int | None,
) -> None:
    """Change how a company signs in or who it is in law, and print how it does now. What is not named stays; groups replace those of before.

    SLUG is the company's short name.
    """
    from core import logs
    from core.regimes import Regime
    from core.shoots.promises import Kept
    from deploy.company import Edit, change

    if new_provider and idp_metadata is None:
        raise click.UsageError("--new-provider needs the provider's --idp-metadata.")
    if auditor_groups and no_auditor_groups:
        raise click.UsageError("Name auditor groups or none, not both.")
    logs.configure()
    changed = change(
        slug,
        Edit(
            idp_metadata=idp_metadata.read_bytes() if idp_metadata else None,
            new_provider=new_provider,
            add_certificates=[one.read_text(encoding="utf-8", errors="replace") for one in added],
            remove_certificates=removed,
            attributes=attributes,
            admin_groups=frozenset(admin_groups) if admin_groups else None,
            auditor_groups=frozenset(auditor_groups) if auditor_groups or no_auditor_groups else None,
            allow_unsolicited=idp_initiated,
            days={Kept(kept): asked for kept, asked in days.items() if asked is not None},
            legal_name=legal_name,
            postal_address=postal_address,
            contact_email=contact_email,
            country=country,
            time_zone=time_zone,
            regime=Regime(regime) if regime else None,
        ),
    )
    reporter(as_json)(_facts(changed), "\n".join(_lines(changed)))


def _facts(found: Company) -> dict[str, Any]:
    from core.clock import rfc3339
    from sso.saml import expiry, fingerprint

    ours, theirs = found.provider, found.connection
    facts: dict[str, Any] = {
        "company": ours.org,
        "entity_id": ours.sp_entity_id,
        "acs_url": ours.acs_url,
        "sls_url": ours.sls_url,
        "login_url": ours.login_url,
        "connected": theirs is not None,
        "kept_days": {kept.value: days for kept, days in found.days.items()},
        "legal_name": found.legal_name,
        "postal_address": found.postal_address,
        "contact": found.contact_email,
        "country": found.country,
        "time_zone": found.time_zone,
        "regime": found.regime,
    }
    if theirs is not None:
        facts |= {
            "idp_entity_id": theirs.idp_entity_id,
            "idp_sso_url": theirs.idp_sso_url,
            "certificates": [
                {"sha256": fingerprint(one), "expires": rfc3339(expiry(one))}
                for one in theirs.idp_certificates
            ],
            "attributes": theirs.attributes.model_dump(),
            "admin_groups": sorted(theirs.admin_groups),
            "auditor_groups": sorted(theirs.auditor_groups),
            "idp_initiated": theirs.allow_unsolicited,
        }
    return facts


def _lines(found: Company) -> list[str]:
    facts = _facts(found)
    rows = [
        ("Entity ID (audience), metadata", facts["entity_id"]),
        ("Reply address (ACS URL)", facts["acs_url"]),
        ("Logout address (SLS URL)", facts["sls_url"]),
        ("Sign in at", facts["login_url"]),
    ]
    if found.connection is None:
        rows.append(("Identity provider", f"none yet. {_NEXT % facts['company']}"))
    else:
        rows += [
            ("Identity provider", facts["idp_entity_id"]),
            ("Its sign-in address", facts["idp_sso_url"]),
            *(
                ("Its certificate, until", f"{one['sha256']}, {one['expires']}")
                for one in facts["certificates"]
            ),
            *((f"Attribute: {fact}", name) for fact, name in facts["attributes"].items()),
            ("Groups of admins", ", ".join(facts["admin_groups"])),
            ("Groups of auditors", ", ".join(facts["auditor_groups"]) or "none"),
            ("May start at the provider", "yes" if facts["idp_initiated"] else "no"),
        ]
    rows += [(_ENDS[kept], f"{days} days") for kept, days in facts["kept_days"].items()]
    rows.append(("Legal name", found.legal_name or "not given"))
    rows.append(("Postal address", found.postal_address.replace("\n", ", ") or "not given"))
    rows.append(("Privacy contact", found.contact_email or "not given"))
    rows.append(("Country, time zone", f"{found.country or 'not given'}, {found.time_zone}"))
    rows.append(("Law where no place is known", found.regime))
    width = max(len(name) for name, _ in rows)
    return [f"{name:{width}}  {value}" for name, value in rows]


_ENDS = {
    "selfies": "Selfies end after approval",
    "models": "Models of people, too",
    "headshots": "Headshots end after the shoot",
    "decliners": "Who declined, after the shoot",
    "leavers": "Whoever was locked out, after",
}
_NEXT = (
    "Give it the addresses above, then run: headshots company edit %s --idp-metadata FILE --admin-group GROUP"
)
