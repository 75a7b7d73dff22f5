"""Runs a job in processes that are killed at random moments, until one of them is done.

python killed.py MODEL CLIP FOLDER SEED   prints how many were killed. Forking after the libraries
are loaded makes a round cost nothing but its work.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
import traceback
from pathlib import Path

from fresco_engine.checkpoint import FolderCheckpoint
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import load_model
from fresco_engine.rendering import render
from fresco_media.clip import Clip

from tests.engine.runs import SETTINGS

_KILLS = 10


def main() -> None:
    """Once in one go, for the time it takes; then killed again and again."""
    model_folder, clip, folder = (Path(text) for text in sys.argv[1:4])
    model = load_model(model_folder, device="cpu")
    chance = random.Random(int(sys.argv[4]))
    began = time.monotonic()
    run_until(model, clip, folder / "undisturbed", None)
    duration = time.monotonic() - began
    kills = 0
    while not run_until(
        model,
        clip,
        folder / "killed",
        chance.uniform(0, duration / 2) if kills < _KILLS else None,
    ):
        kills += 1
    print(kills)  # noqa: T201 - the answer


def run_until(model: Model, clip: Path, folder: Path, seconds: float | None) -> bool:
    """Whether a process that is killed after `seconds` finished the job."""
    child = os.fork()
    if child == 0:
        try:
            run(model, clip, folder)
            os._exit(0)
        finally:  # An error must not come back as a second copy of this loop.
            traceback.print_exc()
            os._exit(1)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit("the job failed")
    return os.WIFEXITED(status)


def run(model: Model, clip: Path, folder: Path) -> None:
    """The whole job, from wherever it is."""
    (folder / "out").mkdir(parents=True, exist_ok=True)
    events = render(
        Clip.open(clip),
        folder / "out" / "result.mkv",
        SETTINGS,
        model,
        codec="lossless",
        checkpoint=FolderCheckpoint(folder / "kept"),
    )
    for _ in events:
        pass


if __name__ == "__main__":
    main()
