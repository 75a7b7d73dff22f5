"""Runs in Blender's window: plays a scenario whose steps wait while Blender goes on by itself.

A scenario is a generator: what it yields is a number of seconds, or something to be called until it
is true. What it returns is printed; then Blender quits as a user would, unless it says `keep`.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Generator
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, str(Path(__file__).parent))
import stage
from hands import Step

PATIENCE_S = float(os.environ.get("FRESCO_PATIENCE_S", "60"))
_BEAT_S = 0.05


class Player:
    """A scenario that is played by Blender's own timer."""

    def __init__(self, steps: Generator[Step, None, Any]) -> None:
        self._steps = steps
        self._step: Step = 1.0
        self._since = time.monotonic()

    def __call__(self) -> float | None:
        try:
            if self._is_waiting():
                return _BEAT_S
            self._step, self._since = next(self._steps), time.monotonic()
        except StopIteration as end:
            print(stage.RESULT + json.dumps(end.value), flush=True)
            bpy.ops.wm.quit_blender()
            return None
        except BaseException:
            traceback.print_exc()
            print(stage.describe(), flush=True)
            sys.stderr.flush()
            os._exit(1)
        return _BEAT_S

    def _is_waiting(self) -> bool:
        waited = time.monotonic() - self._since
        if isinstance(self._step, int | float):
            return waited < self._step
        if waited > PATIENCE_S:
            source = getattr(self._step, "__code__", None)
            raise AssertionError(f"waited in vain at line {source and source.co_firstlineno}")
        return not self._step()


def main() -> None:
    """Play what the last argument says."""
    wanted = json.loads(sys.argv[-1])
    bpy.context.preferences.view.show_splash = False
    bpy.context.preferences.use_preferences_save = False
    if wanted["plugin"]:
        stage.install(wanted["plugin"])
    else:  # it is there, and ticked as a user does it
        bpy.ops.preferences.addon_enable(module=stage.module_name())
    if wanted["data"]:
        stage.part("preferences").preferences().data = wanted["data"]
    scenario = getattr(importlib.import_module(wanted["module"]), wanted["scenario"])
    bpy.app.timers.register(
        Player(scenario(**wanted["arguments"])), first_interval=0.5, persistent=True
    )


try:
    main()
except BaseException:
    traceback.print_exc()
    sys.stderr.flush()
    os._exit(1)
