"""How the plugin weighs on Blender's window: its main thread and its end.

    python -m bench.blender_window [--frames N] [--size WxH]

A real Blender on a virtual screen and a real daemon whose worker makes negatives, so that frames
come far quicker than from a model. Needs blender, Xvfb, xdotool and ImageMagick.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.blender.blenders import Plugin, build_plugin
from tests.blender.numbers import numbered
from tests.blender.windows import seconds_until_end, what_is_missing, window
from tests.engine.conftest import write_clip
from tests.integration.daemons import DaemonProcess, with_fake_worker


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--size", default="1280x720")
    options = parser.parse_args()
    if what_is_missing():
        sys.exit(what_is_missing())
    width, height = map(int, options.size.split("x"))
    with tempfile.TemporaryDirectory() as temporary:
        measure(Path(temporary), options.frames, (width, height))


def measure(work: Path, frames: int, size: tuple[int, int]) -> None:
    """A job that streams, undo and redo, its result, a second job, the end; then only the end."""
    pictures = [numbered(number % 256, size) for number in range(frames)]
    clip = write_clip(work / "clip.mp4", pictures)
    worker = with_fake_worker(["--step-s", "0.02", "--frame-s", "0.02"])
    daemon = DaemonProcess(work / "daemon" / "data", worker).start()
    try:
        plugin = build_plugin(work / "plugin")
        found, quit_s = play(plugin, work / "use", daemon, clip)
        _, idle_quit_s = play(plugin, work / "leave", daemon, clip)
    finally:
        daemon.stop_whatever()
    print(f"{frames} frames of {size[0]} x {size[1]}, {len(found['keys'])} keyframes; milliseconds")
    print(f"{1000 * found['streaming_s']:8.1f}  the timer's longest hold while keyframes come in")
    print(f"{1000 * found['placed_s']:8.1f}  the same until the result was placed")
    print(f"{1000 * found['cpu_s']:8.1f}  of the processor")
    print(f"{1000 * found['loop_quiet_s']:8.1f}  Blender's main loop, longest beat without a job")
    print(
        f"{1000 * found['loop_s']:8.1f}  Blender's main loop, longest beat while keyframes come in"
    )
    print(f"{1000 * quit_s:8.1f}  from quitting while a job runs to the end of the process")
    ours_s = float((work / "use.quit.unregister").read_text("utf-8"))
    print(f"{1000 * ours_s:8.1f}  of that the add-on's end")
    print(f"{1000 * idle_quit_s:8.1f}  from quitting without a job to the end of the process")
    for name, (took, used) in sorted(found["parts"].items(), key=lambda part: -part[1][0]):
        print(f"{1000 * took:8.1f}  {name} ({1000 * used:.1f} of the processor)")


def play(plugin: Plugin, home: Path, daemon: DaemonProcess, clip: Path) -> tuple[Any, float]:
    """The scenario that `home` is named after; what it gave, and how long quitting took."""
    mark = home.with_suffix(".quit")
    with window(plugin, home) as blender:
        playing = blender.begin("shows", home.name, daemon.data, clip=clip, quit_mark=mark)
        found = playing.result(500)
        return found, seconds_until_end(playing.process, float(mark.read_text("utf-8")))


if __name__ == "__main__":
    main()
