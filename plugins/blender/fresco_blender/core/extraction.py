"""Pixels of a strip that is more than its file, rendered by a Blender in the background."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

_POLL_S = 0.1
_STALLED_S = 600.0
_TAIL_LINES = 15
RENDERS_ONLY = "FRESCO_RENDERS_ONLY"
"""Set for a Blender that renders in the background: Fresco itself stays out of it."""
_RENDERED, _TRANSPARENT = "RENDERED", "TRANSPARENT"
"""What render_strip.py prints for every frame, and once if one can be seen through."""


class ExtractionFailed(Exception):
    """The strip could not be rendered; the text is a sentence for the user."""

    def __init__(self, message: str, log_tail: str = "") -> None:
        self.log_tail = log_tail
        super().__init__(message)


class Extraction:
    """One background Blender. `path` is the movie it makes, or the picture of the first frame.

    `is_transparent` says in the end whether something can be seen through what it made.
    """

    def __init__(self, command: list[str], path: str, frame_count: int) -> None:
        self._command = command
        self._path = Path(path)
        self.is_transparent = False
        self._done = 0
        self._frame_count = frame_count
        self._process: subprocess.Popen[str] | None = None
        self.is_closed = False
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)

    def run(self, tell: Callable[[int], None]) -> bool:
        """Render; False if it was closed meanwhile.

        Raises:
            RenderFailed: no Blender could be started, or pictures are missing at its end.
        """
        if self.is_closed:
            return False
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._process = subprocess.Popen(
                self._command,
                env={**os.environ, RENDERS_ONLY: "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            raise ExtractionFailed(
                f"Blender cannot be started to render the strip: {error}"
            ) from error
        reader = threading.Thread(target=self._read, daemon=True, name="fresco-render-log")
        reader.start()
        self._wait(self._process, tell)
        reader.join(_POLL_S * 10)
        if self.is_closed:
            return False
        self._check(self._process.returncode)
        return True

    def close(self) -> None:
        """Stop it at once."""
        self.is_closed = True
        if self._process is not None:
            self._process.kill()

    def _wait(self, process: subprocess.Popen[str], tell: Callable[[int], None]) -> None:
        told, since = -1, time.monotonic()
        while process.poll() is None:
            if self.is_closed:
                process.kill()
            done = self._done
            if done != told:
                told, since = done, time.monotonic()
                tell(done)
            elif time.monotonic() - since > _STALLED_S:
                process.kill()
            time.sleep(_POLL_S)

    def _check(self, code: int) -> None:
        if code == 0 and self._done == self._frame_count and self._path.exists():
            return
        raise ExtractionFailed(
            f"Rendering the strip gave {self._done} of {self._frame_count} frames. Check free disk "
            "space and that the strip renders by Render > Render Animation, then try again.",
            "\n".join(self._tail),
        )

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                if line.startswith(_RENDERED):
                    self._done += 1
                elif line.startswith(_TRANSPARENT):
                    self.is_transparent = True
                else:
                    self._tail.append(line.rstrip())


def command_of(binary: str, script: Path, arguments: str, *, is_factory: bool) -> list[str]:
    """What runs the script that renders; `binary` is empty where Blender is a Python module.

    The user's preferences hold there, too, unless this Blender was started without them.
    """
    if binary:
        return [
            *(binary, "--background", "-noaudio"),
            *(("--factory-startup",) if is_factory else ()),
            *("--python-exit-code", "1", "--python", str(script), "--", arguments),
        ]
    return [sys.executable, str(script), "--", arguments]
