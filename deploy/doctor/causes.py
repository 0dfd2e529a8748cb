"""What to tell of a part that does not work: a sentence and an advice of their own for each reason, without a secret."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.reasons import Reason


class Kind(StrEnum):
    """What sort of part it is, where that changes the advice."""

    POSTGRES = "postgres"
    REDIS = "redis"
    MAIL = "mail"
    OBJECTS = "objects"  # S3, GCS, Azure
    FOLDER = "folder"
    WEB = "web"


@dataclass(frozen=True)
class Outside:
    """A part that can be away.

    Attributes:
        setting: The variable that says where it is, or which folder it is.
    """

    kind: Kind
    setting: str


_SAYS: Final = {
    Reason.NAME_UNKNOWN: "DNS knows no host of the name in {setting}",
    Reason.REFUSED: "the connection is refused: nothing listens at the host and port in {setting}",
    Reason.UNREACHABLE: "no way leads to the host in {setting}",
    Reason.TIMEOUT: "no answer in time from the host in {setting}",
    Reason.CLOSED: "it closed the connection",
    Reason.TLS: "its encryption cannot be used: the certificate is not trusted, has expired or names another host, or one side wants"
    " encryption and the other has none",
    Reason.CREDENTIALS: "it refuses the user and password in {setting}",
    Reason.NO_CREDENTIALS: "this host has no credentials for it",
    Reason.NOT_ALLOWED: "it answers and does not let us do what is needed",
    Reason.UNKNOWN_PLACE: "it answers and has no database of the name in {setting}",
    Reason.NO_TABLES: "it has no tables of this product",
    Reason.WRONG_REGION: "its region or endpoint is another one",
    Reason.CLOCK: "it says that this host's clock is wrong",
    Reason.BUSY: "it answers that it cannot now: it starts, stops, or has too much to do",
    Reason.FULL: "it is full",
    Reason.NOT_THERE: "it is not there",
    Reason.DEVICE: "its disk or mount gives errors",
}
_MENDS: Final = {
    Reason.NAME_UNKNOWN: "Correct the host in {setting}, or the DNS that this host asks: `getent hosts NAME`.",
    Reason.REFUSED: "Start it, correct the port in {setting}, and see that it listens to other hosts and not to itself alone.",
    Reason.UNREACHABLE: "See this host's routes: `ip route get ADDRESS`.",
    Reason.TIMEOUT: "See that it runs, and that firewalls and security groups let this host through to its port.",
    Reason.CLOSED: "Look at its own log. Some servers hang up on what is not encrypted, or on addresses that they do not know.",
    Reason.TLS: "Have the name in {setting} be one of the certificate's; trust an authority of your own as “Operate”, certificates of your own, says.",
    Reason.CREDENTIALS: "Correct user and password in {setting}; letters such as @ / : % in them are URL-encoded.",
    Reason.NOT_ALLOWED: "Give the account in {setting} its rights.",
    Reason.UNKNOWN_PLACE: "Correct the name in {setting}, or make the database with deploy/database/roles.sql.",
    Reason.NO_TABLES: "Run `headshots migrate` once, before anything else; if that was done, another database is named in {setting}.",
    Reason.CLOCK: "Let chrony or systemd-timesyncd keep this host's clock: `timedatectl`.",
    Reason.BUSY: "Wait a minute; if it stays so, look at its own log and load.",
    Reason.FULL: "Make room or raise its quota; work waits and goes on by itself.",
    Reason.NOT_THERE: "Mount the volume of {setting}, or correct it.",
    Reason.DEVICE: "Look at `dmesg` and the mount of {setting}.",
}
# Where a kind of part has other words for the same reason: (sentence, advice), each empty where the common one holds.
_OF_KIND: Final = {
    (Kind.POSTGRES, Reason.CREDENTIALS): (
        "",
        (
            "Correct the password in {setting}; letters such as @ / : % in it are URL-encoded. deploy/database/roles.sql sets the roles'"
            " passwords anew."
        ),
    ),
    (Kind.POSTGRES, Reason.NOT_ALLOWED): (
        "it does not let this role in, or not from this host",
        (
            "Add this host to the server's pg_hba.conf (and encryption to {setting}, if it asks for that), and give the role its rights with"
            " deploy/database/roles.sql."
        ),
    ),
    (Kind.POSTGRES, Reason.BUSY): (
        "it takes no more connections now, starts or stops",
        "Wait a minute; if it stays so, raise max_connections (“Operate”, scaling).",
    ),
    (Kind.POSTGRES, Reason.TLS): (
        "",
        "See that the server has ssl = on and a certificate for the name in {setting}, and what sslmode and sslrootcert there ask for.",
    ),
    (Kind.REDIS, Reason.FULL): (
        "it is full and takes nothing more",
        "Give it more memory: raise maxmemory. `redis-cli --bigkeys` says what fills it.",
    ),
    (Kind.REDIS, Reason.TLS): (
        "",
        (
            "Use rediss:// where the server encrypts, and redis:// where it does not; trust an authority of"
            " your own as “Operate”, certificates of your own, says."
        ),
    ),
    (Kind.MAIL, Reason.TLS): (
        "",
        (
            "Use smtps:// on a port that encrypts from the first byte (465) and smtp:// elsewhere, with a host that the certificate names; trust"
            " an authority of your own as “Operate”, certificates of your own, says."
        ),
    ),
    (Kind.MAIL, Reason.NOT_ALLOWED): (
        "it answers and refuses us",
        "Look at its log: some servers take mail only from known addresses or names.",
    ),
    (Kind.OBJECTS, Reason.CREDENTIALS): (
        "it refuses our credentials: the key is unknown or has expired, or the secret does not fit it",
        "Correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or the role of this host, or the other cloud's variables).",
    ),
    (Kind.OBJECTS, Reason.NO_CREDENTIALS): (
        "",
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this host a role.",
    ),
    (Kind.OBJECTS, Reason.NOT_ALLOWED): (
        "it knows us, and does not allow what is needed",
        (
            "Allow the account to read, write, list and delete below the prefix in {setting} (s3:GetObject, PutObject, DeleteObject; s3:ListBucket"
            " on the bucket)."
        ),
    ),
    (Kind.OBJECTS, Reason.UNKNOWN_PLACE): (
        "it has no bucket of the name in {setting}",
        "Correct the bucket in {setting} or the endpoint (AWS_ENDPOINT_URL). Never make an empty one for an installation that has pictures.",
    ),
    (Kind.OBJECTS, Reason.WRONG_REGION): (
        "the bucket lies in another region, or the endpoint cannot be used",
        "Correct AWS_REGION, and AWS_ENDPOINT_URL for another vendor's S3; http:// there needs AWS_ALLOW_HTTP=true.",
    ),
    (Kind.OBJECTS, Reason.NAME_UNKNOWN): (
        "DNS knows no host of this name",
        "Correct AWS_ENDPOINT_URL, AWS_REGION or the bucket in {setting}, or the DNS that this host asks: `getent hosts NAME`.",
    ),
    (Kind.OBJECTS, Reason.REFUSED): (
        "the connection is refused: nothing listens there",
        "See that it runs and that AWS_ENDPOINT_URL has its port.",
    ),
    (Kind.OBJECTS, Reason.TIMEOUT): (
        "no answer in time",
        "See that it runs, AWS_ENDPOINT_URL, and that firewalls and security groups let this host through.",
    ),
    (Kind.OBJECTS, Reason.TLS): (
        "",
        (
            "Have the name in AWS_ENDPOINT_URL be one of its certificate's; trust an authority of your own as “Operate”, certificates of your"
            " own, says."
        ),
    ),
    (Kind.FOLDER, Reason.NOT_ALLOWED): (
        "the program's user may not read and write it, or it is mounted read-only",
        "Give the folder of {setting} and all in it to the program's user: `chown -R headshots: FOLDER`.",
    ),
    (Kind.FOLDER, Reason.FULL): (
        "its volume is full",
        "Make room on the volume of {setting}, or enlarge it.",
    ),
    (Kind.WEB, Reason.REFUSED): (
        "nothing answers there: the connection is refused",
        "Before the first start this is expected. Otherwise start the proxy, and see that it listens at the port in {setting}.",
    ),
    (Kind.WEB, Reason.TIMEOUT): (
        "nothing answers there in time from this host",
        (
            "See that the proxy runs and leads to `headshots web`. Some networks do not lead from inside to their own outer address: then look"
            " from elsewhere."
        ),
    ),
}


def told(outside: Outside, reason: Reason) -> tuple[str, str]:
    """Return (what is wrong, what to do); for any reason but `Reason.OTHER`."""
    says, mend = _OF_KIND.get((outside.kind, reason), ("", ""))
    says, mend = says or _SAYS[reason], mend or _MENDS.get(reason, "Look at its own log.")
    return says.format(setting=outside.setting), mend.format(setting=outside.setting)
