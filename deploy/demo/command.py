"""`headshots demo`: starts everything, has the story told, says what came of it."""

from __future__ import annotations

import importlib
import json
import sys
import threading
import time
from pathlib import Path

import click

from core.models import EngineName
from deploy.local.stack import Diffusion, running

STORY = "deploy.demo.story"
FAINT, PLAIN = "\033[2m", "\033[0m"


def demo(photos: Path | None, out: Path, *, models: str | None, home: Path, as_json: bool) -> int:
    """Start everything, tell the story, stop everything; return the exit status.

    Args:
        photos: Folder with one subfolder per employee; a NASA portrait where there is none.
        out: Folder of the results; made if missing.
        models: What the engine `diffusion` trains and samples with; the engine `studio` if `None`.
        home: Folder of the demo's data.
        as_json: One JSON object a line instead of the summary.

    Raises:
        click.UsageError: `photos` has no subfolder with a file.
        DemoFailed: a step of the story did not end as it must.
    """
    if photos is not None and not any(path.is_file() for path in photos.glob("*/*")):
        raise click.UsageError(f"{photos} has no photos. Put each person's photos into a subfolder of it.")
    began = time.monotonic()

    def say(line: str) -> None:
        clock = f"{time.monotonic() - began:6.1f} s"
        click.echo(f"{FAINT}{clock}{PLAIN}  {line}" if sys.stderr.isatty() else f"{clock}  {line}", err=True)

    # The story needs the picture libraries, which take seconds to load; the services start meanwhile.
    loading = threading.Thread(target=importlib.import_module, args=(STORY,), daemon=True)
    loading.start()
    diffusion = None if models is None else Diffusion("klein", train_model=models, sample_model=models)
    with running(home, say=say, diffusion=diffusion) as stack:
        loading.join()
        from deploy.demo import story, summary
        from deploy.demo.browser import DemoFailed
        from workers.folder.people import read_people
        from workers.folder.sample import sample_people

        people = read_people(photos, but=out, tell=say) if photos else sample_people()
        engine = EngineName.STUDIO if diffusion is None else EngineName.DIFFUSION
        if models is not None:
            say("The image model is small and random and makes noise: every picture of it must be refused")
        result = story.run_demo(story.place_of(stack), people, out, say, engine=engine)
        if models is not None and (let_through := result.of_the_model):
            raise DemoFailed(f"Noise passed the checks as a headshot of {', '.join(let_through)}.")
    if as_json:
        for line in summary.as_json(result):
            click.echo(json.dumps(line, ensure_ascii=False))
    else:
        click.echo(summary.for_people(result, out, colour=sys.stdout.isatty()))
    return 0 if result.headshots else 1
