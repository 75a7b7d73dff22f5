"""Runs a job in processes that are killed at random moments, until one of them is done.

python killed.py MODEL CLIP FOLDER SEED JOB   prints how many were killed. Forking after the
libraries are loaded makes a round cost nothing but its work.
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

from tests.engine.runs import JOBS

_KILLS = 10
_LONGEST_WAIT_S = 0.1


def main() -> None:
    """Once in one go, counting what it tells; then killed again and again while it tells that."""
    model_folder, clip, folder = (Path(text) for text in sys.argv[1:4])
    model = load_model(model_folder, device="cpu")
    chance = random.Random(int(sys.argv[4]))
    events = run_until(model, clip, folder / "undisturbed", None)
    kills = 0
    while kills < _KILLS:
        # So that it dies between two events as well as right after one.
        wait_s = chance.uniform(0, _LONGEST_WAIT_S)
        if run_until(model, clip, folder / "killed", chance.randrange(events // 2), wait_s) < 0:
            kills += 1
        else:
            break
    else:
        run_until(model, clip, folder / "killed", None)
    print(kills)  # noqa: T201 - the answer


def run_until(
    model: Model, clip: Path, folder: Path, events: int | None, wait_s: float = 0.0
) -> int:
    """How much a process told until the job was done, or -1 if it was killed after `events`."""
    hear, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            run(model, clip, folder, tell)
            os._exit(0)
        finally:  # An error must not come back as a second copy of this loop.
            traceback.print_exc()
            os._exit(1)
    os.close(tell)
    heard = 0
    while (events is None or heard < events) and (told := os.read(hear, 1)):
        heard += len(told)
    if events is not None:
        time.sleep(wait_s)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    os.close(hear)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit("the job failed")
    return heard if os.WIFEXITED(status) else -1


def run(model: Model, clip: Path, folder: Path, tell: int) -> None:
    """The whole job, from wherever it is; a byte goes to `tell` for each event."""
    (folder / "out").mkdir(parents=True, exist_ok=True)
    events = render(
        Clip.open(clip),
        folder / "out" / "result.mkv",
        JOBS[sys.argv[5]],
        model,
        codec="lossless",
        checkpoint=FolderCheckpoint(folder / "kept"),
    )
    for _ in events:
        os.write(tell, b".")


if __name__ == "__main__":
    main()
