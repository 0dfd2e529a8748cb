"""Every setting, read once from the environment and frozen.

A setting without a default must be given in production; `headshots up`, `demo` and the tests give
their own. `settings_table()` renders the table of docs/settings.md, so the two cannot drift.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.errors import ConfigurationError
from core.words import N_


class Environment(StrEnum):
    """Where the process runs."""

    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class VisionSettings(BaseSettings):
    """What looking at photos needs, also on a terminal without the rest."""

    model_config = SettingsConfigDict(env_prefix="HEADSHOTS_", frozen=True, extra="ignore")

    matting_model: Path | None = Field(
        None,
        description="ONNX file of a stronger matting network (MODNet, BiRefNet; docs/networks.md); needs the `onnx` extra",
    )
    likeness_model: Path | None = Field(
        None,
        description="ONNX file of a second identity encoder (AuraFace's recogniser; docs/networks.md), with its limits in a side file: faces that a model made have to pass by it and by the built-in one; needs the `onnx` extra",
    )


class DiffusionSettings(BaseSettings):
    """Which image model the engine `diffusion` works with; the engine is off while none is named."""

    model_config = SettingsConfigDict(env_prefix="HEADSHOTS_", frozen=True, extra="ignore")

    diffusion_base: str = Field(
        "",
        description="family of the image model that GPU workers train and sample with: `klein`, `sdxl` or `z-image`; without it the engine `diffusion` is off",
    )
    diffusion_train_model: str = Field(
        "",
        description="what GPU workers train on: a folder in diffusers layout, a hub id pinned as `repository@<40-digit commit>`, or `tiny` for small random models",
    )
    diffusion_sample_model: str = Field(
        "", description="what GPU workers sample with, named in the same ways"
    )
    diffusion_inpaint_model: str = Field(
        "",
        description="what GPU workers paint clothes with, named in the same ways: `sdxl` needs it for that, an SDXL inpainting network (9 input channels; docs/image-model.md); `klein` paints them itself and takes none",
    )


class OriginSettings(BaseSettings):
    """Who signs where delivered pictures come from; also on a terminal without the rest."""

    model_config = SettingsConfigDict(env_prefix="HEADSHOTS_", frozen=True, extra="ignore")

    origin_certificate: Path | None = Field(
        None,
        description="PKCS#12 file of the key and certificate that sign pictures' content credentials (C2PA); without it a local one does, which nobody outside vouches for",
    )
    origin_certificate_password: SecretStr | None = Field(None, description="what opens that file")
    origin_timestamp_url: str = Field(
        "",
        description="RFC 3161 authority that is asked for the time of each of these signatures, needed where pictures shall outlive that certificate; asked over the network with a hash alone, nobody if not set",
    )


_NO_SETTINGS = (
    "There are no settings. Beside `headshots up` or `make run`, run the line “Operate” of its banner first; in production they come "
    "from a file like deploy/settings.env. "
)
LOCAL_REGION = N_("a folder on this computer")


class Settings(VisionSettings, DiffusionSettings, OriginSettings):
    """Environment variables `HEADSHOTS_*`."""

    environment: Environment = Field(
        Environment.PRODUCTION,
        description="`production`, `development` or `test`; anything less than production relaxes cookies and allows the development IdP",
    )
    base_url: str = Field(
        description="the address people see, e.g. `https://photos.example.com`; in production never `http://`"
    )
    database_url: SecretStr = Field(description="Postgres, signing in as the role `headshots_app`")
    database_direct_url: SecretStr | None = Field(
        None,
        description="the same database and role past the pooler, where `HEADSHOTS_DATABASE_URL` or `HEADSHOTS_KEYS_DATABASE_URL` goes through one in transaction mode (PgBouncer); workers and scheduler listen and hold locks over it",
    )
    database_owner_url: SecretStr | None = Field(
        None,
        description="Postgres, signing in as the tables' owner, past any pooler; needed by `headshots migrate` only",
    )
    database_backup_url: SecretStr | None = Field(
        None,
        description="Postgres, signing in as the role `headshots_backup`; needed by `headshots backup` only",
    )
    keys_database_backup_url: SecretStr | None = Field(
        None,
        description="the key store, signing in as `headshots_backup`; needed by `headshots backup` and `drill`",
    )
    backup_objects: bool = Field(
        False,
        description="`headshots backup` copies the sealed objects too, as `--objects` does; `headshots drill restore` needs such a backup",
    )
    postgres_bin: Path | None = Field(
        None, description="folder of `pg_dump` and `pg_restore`; where PATH has them it is not needed"
    )
    keys_database_url: SecretStr = Field(
        description="Postgres database of the key store; another server than the main one"
    )
    redis_url: SecretStr = Field(description="Redis 6.2 or newer")
    storage_url: str = Field(
        description="object store: `file:///path`, `s3://bucket/prefix`, `gs://…`, `az://…`"
    )
    smtp_url: SecretStr = Field(description="`smtp://user:password@host:587` (STARTTLS) or `smtps://…`")
    operator_name: str = Field(
        description="who runs this platform, as employees read it in the consent, e.g. `Headshots GmbH`"
    )
    operator_address: str = Field(
        "",
        max_length=400,
        description="your postal address, as certificates print it beside your name, lines separated by commas; a certificate says so where there is none",
    )
    operator_email: str = Field(
        "",
        pattern=r"^(|[^@\s]+@[^@\s]+)$",
        description="where you get mail when a company's evidence log is not what was signed, which its contact gets too, and when you are to attest that no backup holds the epoch keys",
    )
    operator_certificates: str = Field(
        "",
        max_length=400,
        description="certificates and audit reports that you hold, with issuer and end, as answers to buyers name them, e.g. `ISO/IEC 27001:2022, TÜV SÜD, until May 2028`; they say that you state none where there is nothing",
    )
    storage_region: str = Field(
        description="where photos are stored, as employees read it in the consent, e.g. `the European Union`"
    )
    mail_per_second: float | None = Field(
        None,
        gt=0,
        le=10_000,
        description="most mails a second that all workers together hand to the mail server, as its provider allows; more wait their turn while workers do other work; no limit if not set",
    )
    mail_from: str = Field(
        "Headshots <headshots@localhost>", description="sender of every mail; shown under the company's name"
    )
    dkim_selector: str = Field(
        "",
        pattern=r"^[A-Za-z0-9._-]{0,63}$",
        description="the selector that your mail server or its provider signs mails with (DKIM), so that the record can be checked; it stands in the signature as `s=`",
    )
    dns_server: str = Field(
        "",
        pattern=r"^(|\S+:\d{1,5})$",
        description="`address:port` of the DNS server that is asked for the sender's records; the system's if not set",
    )
    bounce_address: str = Field(
        "",
        pattern=r"^(|[A-Za-z0-9._-]{1,22}@[^\s@+]+)$",
        description="where reports of mails that reached nobody come back to, e.g. `bounces@mail.example.com`; each mail adds `+` and its own sign, and your mail server hands what comes to `headshots bounce`; while it is not set they go to the sender",
    )
    bounce_secret: SecretStr | None = Field(
        None,
        min_length=32,
        description="at least 32 random characters that whoever delivers your mails signs reports with, see docs/operate.md; without it `/bounces` answers nobody",
    )
    secret_key: SecretStr = Field(
        min_length=32,
        description="at least 32 random characters; signs sessions, derives invitation tokens and hash keys",
    )
    keyring_path: Path = Field(
        description="folder of the epoch keys (file KMS); never include it in a backup"
    )
    kms_url: str = Field(
        "",
        description="AWS KMS as the keeper of the epoch keys instead of that folder, e.g. `awskms:///?region=eu-central-1&days=7` (days for which AWS keeps an old key, 7 to 30); needs the `aws` extra, and the folder until the epoch has turned once",
    )
    escrow_path: Path | None = Field(
        None,
        description="folder of the sealed second copy of the epoch keys, on another volume than the keyring; never include it in a backup",
    )
    escrow_public_key: str = Field(
        "", description="what that copy is sealed to, as `headshots keys escrow-key` prints it"
    )
    signing_path: Path = Field(description="folder of the evidence signing keys and certificates")
    timestamp_url: str = Field(
        "",
        pattern=r"^(|https?://\S+)$",
        description="RFC 3161 authority that is asked for the time of each certificate's signature, with a hash alone; nobody if not set, and the time is the platform's own",
    )
    timestamp_certificates: Path | None = Field(
        None,
        description="PEM file of the certificates that vouch for that authority, published with the other keys; needed with `HEADSHOTS_TIMESTAMP_URL`, and those of earlier authorities stay in it",
    )
    witnesses_path: Path | None = Field(
        None,
        description="file of witnesses that cosign each company's checkpoints (C2SP tlog-witness), one a line: verifier key, space, address",
    )
    opendsr_path: Path | None = Field(
        None,
        description="PEM file of a private key and its certificate chain, issued by an authority for this installation's host: answers to programs that send requests by OpenDSR are signed with it; that interface is off without it",
    )
    callback_networks: tuple[IPv4Network | IPv6Network, ...] = Field(
        (),
        description='networks, as JSON such as `["10.1.0.0/16"]`, in which such programs may be told although they are not public, on any port',
    )
    development_idp_path: Path | None = Field(
        None,
        description="folder of the development identity provider's key; setting it serves the provider at `/devidp`, never in production",
    )
    upload_max_bytes: int = Field(40_000_000, ge=1_000_000, description="largest photo file, bytes")
    upload_max_pixels: int = Field(60_000_000, ge=1_000_000, description="largest photo, pixels")
    invite_days: int = Field(
        90,
        ge=1,
        le=366,
        description="most days that an invitation link works, the last in full; it ends with its shoot's deadline before that",
    )
    session_idle_minutes: int = Field(60, ge=5, description="minutes without a request until a session ends")
    session_hours: int = Field(12, ge=1, description="hours until a session ends whatever happens")
    retention_days: int = Field(
        30,
        ge=1,
        le=365,
        description="days after approval until a new company's selfies and working data are erased; `headshots company edit --retention-days` changes a company's",
    )
    epoch_hours: int = Field(
        24, ge=1, le=168, description="hours until the epoch key turns and older copies of the key store die"
    )
    drill_database_url: SecretStr | None = Field(
        None, description="empty scratch database for `headshots drill restore`, as the role headshots_app"
    )
    drill_database_owner_url: SecretStr | None = Field(None, description="the same one, as headshots_owner")
    drill_keys_database_url: SecretStr | None = Field(
        None, description="another empty scratch database, as headshots_app"
    )
    backup_days: int = Field(
        30,
        ge=0,
        le=3650,
        description="days that you keep backups of the main database; stated on certificates",
    )
    trust_proxies: int = Field(
        0, ge=0, le=5, description="number of reverse proxies in front whose X-Forwarded-* are believed"
    )
    metrics_bind: str = Field(
        "",
        pattern=r"^(|[^\s/]+:[0-9]{1,5})$",
        description="address and port, e.g. `127.0.0.1:9464`, where this process serves `/metrics`, `/healthz` and `/readyz`; each process on one host needs another, and no proxy may lead there",
    )
    metrics_token: SecretStr | None = Field(
        None,
        min_length=16,
        description="secret that opens `/metrics` at the web's own address too, as `Authorization: Bearer …`; without it that address has none",
    )
    otel_endpoint: str = Field(
        "",
        description="where traces go by OTLP over HTTP with JSON, e.g. `http://collector:4318`; needs the `otel` extra",
    )
    log_level: str = Field("INFO", description="`DEBUG`, `INFO`, `WARNING`, `ERROR`")

    @field_validator("base_url")
    @classmethod
    def _encrypted(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("environment") is Environment.PRODUCTION and not value.startswith("https://"):
            raise ValueError(
                "must begin with https:// in production: over http browsers keep no session, and links carry invitations"
            )
        return value

    @field_validator("metrics_bind")
    @classmethod
    def _a_port(cls, value: str) -> str:
        if value and not 0 < int(value.rpartition(":")[2]) < 65_536:
            raise ValueError("must end with a port between 1 and 65535")
        return value

    @property
    def is_production(self) -> bool:
        """Whether nothing may be relaxed."""
        return self.environment is Environment.PRODUCTION


@cache
def settings() -> Settings:
    """Return the process's settings.

    Raises:
        ConfigurationError: names every variable that is missing or wrong.
    """
    try:
        return Settings()
    except ValidationError as error:
        lines = [
            f"HEADSHOTS_{str(item['loc'][0]).upper()}: {item['msg'].removeprefix('Value error, ')}"
            for item in error.errors()
        ]
        required = sum(field.is_required() for field in Settings.model_fields.values())
        none = sum(item["type"] == "missing" for item in error.errors()) == required
        raise ConfigurationError(
            (_NO_SETTINGS if none else "The settings are not complete. ") + "; ".join(lines)
        ) from error


@cache
def vision_settings() -> VisionSettings:
    """Return what looking at photos needs; unlike `settings`, complete without any variable."""
    return VisionSettings()


@cache
def diffusion_settings() -> DiffusionSettings:
    """Return which image model there is; unlike `settings`, complete without any variable."""
    return DiffusionSettings()


class SignerSettings(OriginSettings):
    """Where a signer of pictures may lie, as a terminal knows it."""

    signing_path: Path | None = None


@cache
def signer_settings() -> SignerSettings:
    """Return where a signer of pictures lies; unlike `settings`, complete without any variable."""
    return SignerSettings()


def settings_table() -> str:
    """Render all settings as a Markdown table: variable, default, meaning."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "*required*" if field.is_required() else f"`{field.default}`"
        if field.default in (None, "") and not field.is_required():
            default = "–"
        rows.append(f"| `HEADSHOTS_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows)
