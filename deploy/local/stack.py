"""Everything on one machine: services, web, workers, scheduler, mailbox, and a demo company to sign in to.

`headshots up`, `headshots demo` and the browser tests all start this.
"""

from __future__ import annotations

import errno
import secrets
import shlex
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.errors import ConfigurationError
from core.settings import LOCAL_REGION, diffusion_settings
from deploy.local.processes import Child, Supervisor, child_environment, free_port, python_module, wait_ready
from deploy.local.services import LocalServices
from deploy.wsgi import web_command

_ANOTHER = 8100  # a port to propose
COMPANY_SLUG = "northwind"
COMPANY_NAME = "Northwind Labs"


@dataclass(frozen=True)
class Diffusion:
    """The image model of a stack that has a GPU worker; each as the setting of this name says."""

    base: str
    train_model: str
    sample_model: str
    inpaint_model: str = ""

    @classmethod
    def of_settings(cls) -> Diffusion | None:
        """Return what this process's own settings name, if they name a base."""
        own = diffusion_settings()
        if not own.diffusion_base:
            return None
        return cls(
            own.diffusion_base,
            own.diffusion_train_model,
            own.diffusion_sample_model,
            own.diffusion_inpaint_model,
        )

    def settings(self) -> dict[str, str]:
        """Return the settings that name it."""
        return {
            "HEADSHOTS_DIFFUSION_BASE": self.base,
            "HEADSHOTS_DIFFUSION_TRAIN_MODEL": self.train_model,
            "HEADSHOTS_DIFFUSION_SAMPLE_MODEL": self.sample_model,
            "HEADSHOTS_DIFFUSION_INPAINT_MODEL": self.inpaint_model,
        }


@dataclass(frozen=True)
class Stack:
    """Where the running parts are.

    Attributes:
        base_url: Address of the product.
        mailbox_url: Address of the page that shows every mail that was sent.
        org_slug: Short name of the demo company.
        environment: Settings of every process, for starting more of them.
        home: Folder with all data.
    """

    base_url: str
    mailbox_url: str
    org_slug: str
    environment: dict[str, str]
    home: Path
    services: LocalServices
    supervisor: Supervisor


def _secret(home: Path) -> str:
    path = home / "secret"
    if not path.exists():
        # Whole under another name first: a crash leaves no empty secret behind.
        draft = home / "secret.new"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        draft.rename(path)
    return path.read_text()


def environment(
    home: Path, services: LocalServices, base_url: str, smtp_port: int, *, test: bool = False
) -> dict[str, str]:
    """Return the settings for processes that run from `home`."""
    return {
        "HEADSHOTS_ENVIRONMENT": "test" if test else "development",
        "HEADSHOTS_BASE_URL": base_url,
        "HEADSHOTS_OPERATOR_NAME": "Headshots (trial)",
        "HEADSHOTS_STORAGE_REGION": LOCAL_REGION,
        "HEADSHOTS_STORAGE_URL": (home / "storage").as_uri(),
        "HEADSHOTS_KEYRING_PATH": str(home / "keyring"),
        "HEADSHOTS_SIGNING_PATH": str(home / "signing"),
        "HEADSHOTS_DEVELOPMENT_IDP_PATH": str(home / "devidp"),
        "HEADSHOTS_SMTP_URL": f"smtp://127.0.0.1:{smtp_port}",
        "HEADSHOTS_SECRET_KEY": _secret(home),
        **services.environment(),
    }


@contextmanager
def running(
    home: Path,
    *,
    port: int | None = None,
    mailbox_port: int | None = None,
    say: Callable[[str], None] = lambda _: None,
    durable: bool = True,
    test: bool = False,
    diffusion: Diffusion | None = None,
) -> Iterator[Stack]:
    """Start everything from `home` and stop it when the block ends.

    Args:
        home: Made if missing; keeps all data between runs.
        port: Of the web server; a free one if not given.
        mailbox_port: Of the page with all mails; a free one if not given.
        say: Gets a line for each step and each child that had to be started again.
        durable: False only in tests.
        test: Whether these are tests, which need no politeness towards senders of many requests.
        diffusion: The image model, if one GPU worker is to run too.
    """
    home = home.resolve()
    web_port, smtp_port, mail_port = port or free_port(), free_port(), mailbox_port or free_port()
    base_url = f"http://127.0.0.1:{web_port}"
    say("Starting Postgres and Redis")
    with LocalServices(home, durable=durable) as services:
        values = environment(home, services, base_url, smtp_port, test=test)
        values |= diffusion.settings() if diffusion else {}
        child_values = child_environment(values)
        # In processes of their own, so that this one never opens the product's databases.
        _migrate(child_values)
        with Supervisor(home / "logs", say=say, each_tick=services.ensure_running) as supervisor:
            supervisor.start(
                Child(
                    "mailbox",
                    tuple(
                        python_module(
                            "deploy.local.mailbox",
                            "--smtp-port",
                            str(smtp_port),
                            "--http-port",
                            str(mail_port),
                        )
                    ),
                    child_values,
                )
            )
            subprocess.run(python_module("deploy.cli", "seed-demo"), env=child_values, check=True)
            helper = ", one for the image model" if diffusion else ""
            say(f"Starting the web server, two workers{helper} and the scheduler")
            for child in processes(child_values, web_port, gpu=diffusion is not None):
                supervisor.start(child)
            wait_ready(f"{base_url}/readyz")
            wait_ready(f"http://127.0.0.1:{mail_port}/messages.json")
            yield Stack(
                base_url=base_url,
                mailbox_url=f"http://127.0.0.1:{mail_port}",
                org_slug=COMPANY_SLUG,
                environment=values,
                home=home,
                services=services,
                supervisor=supervisor,
            )


def demand_free(port: int, mailbox_port: int) -> None:
    """See that both ports can be taken: a web server that cannot have its own would try again for ever.

    Raises:
        ConfigurationError: one is another program's.
    """
    for each in (port, mailbox_port):
        with socket.socket() as probe:
            # As the servers do it: one that has just ended is no hindrance.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", each))
            except OSError as error:
                why = "is taken by another program" if error.errno == errno.EADDRINUSE else "cannot be opened"
                raise ConfigurationError(
                    f"Port {each} of 127.0.0.1 {why}. Choose another for the web server, and the one after it for the mailbox: "
                    f"`headshots up --port {_ANOTHER}`, `make run PORT={_ANOTHER}`."
                ) from error


@contextmanager
def shell_settings(stack: Stack) -> Iterator[Path]:
    """Keep, while the block runs, a file that gives a shell the settings of `stack`, for the operator's commands."""
    path = stack.home / "settings.sh"
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(
        "".join(f"export {name}={shlex.quote(value)}\n" for name, value in stack.environment.items())
    )
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _migrate(values: dict[str, str]) -> None:
    done = subprocess.run(
        python_module("deploy.cli", "migrate"), env=values, check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise ConfigurationError(done.stderr.strip().removeprefix("headshots: "))


def processes(values: dict[str, str], web_port: int, *, gpu: bool = False) -> list[Child]:
    """Return the product's own processes, with two workers.

    With `gpu` also one that trains and samples.
    """
    children = [
        Child("web", tuple(web_command(f"127.0.0.1:{web_port}")), values),
        *(
            Child(f"worker-{number}", tuple(python_module("deploy.cli", "worker")), values, patience=30)
            for number in (1, 2)
        ),
        Child("scheduler", tuple(python_module("deploy.cli", "scheduler")), values),
    ]
    if gpu:
        command = python_module("deploy.cli", "worker", "--engine", "diffusion")
        children.append(Child("worker-gpu", tuple(command), values, patience=30))
    return children
