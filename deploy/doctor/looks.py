"""Everything that is looked at, in the order in which somebody would mend it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from core.settings import settings
from deploy.doctor import databases, machine, outside
from deploy.doctor.causes import Kind, Outside
from deploy.doctor.finding import Finding, Look


def looks(mail_to: str | None = None) -> list[Look]:
    """Return all looks; with `mail_to`, one sends a message there."""
    chosen = [
        Look(
            "database",
            databases.main_database,
            "See that Postgres runs and HEADSHOTS_DATABASE_URL names it; then run `headshots migrate`.",
            Outside(Kind.POSTGRES, "HEADSHOTS_DATABASE_URL"),
        ),
        Look(
            "owner_role",
            databases.owner,
            "Correct HEADSHOTS_DATABASE_OWNER_URL, or unset it on hosts that do not migrate.",
            Outside(Kind.POSTGRES, "HEADSHOTS_DATABASE_OWNER_URL"),
        ),
        Look(
            "keys_database",
            databases.keys_database,
            "See that it runs and HEADSHOTS_KEYS_DATABASE_URL names it; then run `headshots migrate`.",
            Outside(Kind.POSTGRES, "HEADSHOTS_KEYS_DATABASE_URL"),
        ),
        Look(
            "keyring",
            machine.keyring,
            "See that the volume of HEADSHOTS_KEYRING_PATH is mounted and readable here, with the current epoch's key.",
            Outside(Kind.FOLDER, "HEADSHOTS_KEYRING_PATH"),
        ),
        Look(
            "installation",
            machine.belonging,
            "Copy HEADSHOTS_SIGNING_PATH and HEADSHOTS_SECRET_KEY from a host that works; before the first `headshots migrate`"
            " there are none.",
        ),
        Look("backup", machine.backups, "See the finding on the database."),
        Look("drill", machine.drills, "See the finding on the database."),
        Look("attestation", machine.attested, "See the finding on the database."),
        Look("signing_keys", machine.signing, "Restore the folder HEADSHOTS_SIGNING_PATH from the backup."),
        Look(
            "storage",
            outside.storage,
            "See that HEADSHOTS_STORAGE_URL, its credentials and its endpoint are right, and that they may write, read, list and delete.",
            Outside(
                Kind.FOLDER if urlsplit(settings().storage_url).scheme == "file" else Kind.OBJECTS,
                "HEADSHOTS_STORAGE_URL",
            ),
        ),
        Look(
            "redis",
            databases.redis_server,
            "See that Redis runs and HEADSHOTS_REDIS_URL names it.",
            Outside(Kind.REDIS, "HEADSHOTS_REDIS_URL"),
        ),
        Look("scheduler", databases.scheduler, "See the finding on the database."),
        Look(
            "mail",
            outside.mail_server,
            "Correct HEADSHOTS_SMTP_URL: host, port, user, password, and smtps:// or STARTTLS; see that the port is open from here.",
            Outside(Kind.MAIL, "HEADSHOTS_SMTP_URL"),
        ),
        Look("mail_domain", outside.sender_domain, "Correct HEADSHOTS_MAIL_FROM."),
        Look("base_url", outside.address, "Correct HEADSHOTS_BASE_URL."),
        Look("clock_database", outside.database_clock, "See the finding on the database."),
        Look("disk", machine.disk, "Make the folder that is missing, or mount its volume."),
        Look("fonts", machine.fonts, "apt-get install fontconfig"),
        Look("libraries", machine.libraries, "See deploy/setup.sh for the packages."),
        Look(
            "matting_model", machine.matting, "Correct HEADSHOTS_MATTING_MODEL, or install the `onnx` extra."
        ),
        Look(
            "likeness_model",
            machine.likeness,
            "Correct HEADSHOTS_LIKENESS_MODEL or the side file beside it, or install the `onnx` extra.",
        ),
        Look("gpu", machine.image_model, "See “Operate”, GPU hosts."),
    ]
    if mail_to is not None:

        def send() -> Iterator[Finding]:
            return outside.try_mail(mail_to)

        chosen.append(
            Look(
                "mail_sent",
                send,
                "Mend what the finding on mail says first; then look at the server's log.",
                Outside(Kind.MAIL, "HEADSHOTS_SMTP_URL"),
            )
        )
    return chosen
