"""Seconds and peak memory of every stage of a job on a fixed clip.

python bench/stages.py [CLIP] [--prompt TEXT] [--size N] [--preset draft|standard|best]
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from pathlib import Path

from fresco_engine.diffusion.models import load_model
from fresco_engine.memory import peak_memory_bytes
from fresco_engine.rendering import render
from fresco_engine.sample import sample_clip_path
from fresco_engine.settings import RestyleSettings
from fresco_engine.types import Progress, Report, RunFinished
from fresco_media.clip import Clip


class ResidentMemory:
    """Highest resident memory of this process per label, read every few milliseconds (Linux)."""

    def __init__(self) -> None:
        self.label = "starting"
        self.peaks: dict[str, int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> ResidentMemory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            self.peaks[self.label] = max(self.peaks.get(self.label, 0), pages * 4096)


def main() -> None:
    """Run one job and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clip", nargs="?", type=Path, default=None)
    parser.add_argument("--prompt", default="a watercolour painting")
    parser.add_argument("--model", default=None)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--preset", default="standard")
    parser.add_argument("--stop", type=int, default=None)
    options = parser.parse_args()
    settings = RestyleSettings(prompt=options.prompt, size=options.size, stop=options.stop)
    with ResidentMemory() as memory:
        started = time.perf_counter()
        memory.label = "loading the model"
        model = load_model(options.model)
        loading_s = time.perf_counter() - started
        memory.label = "analysing"
        with tempfile.TemporaryDirectory() as folder:
            clip = Clip.open(options.clip or sample_clip_path())
            for event in render(
                clip, Path(folder) / "out.mp4", settings.with_preset(options.preset), model
            ):
                if isinstance(event, Progress):
                    memory.label = event.stage.value
                if isinstance(event, RunFinished):
                    print_table(event.report, memory, loading_s)


def print_table(report: Report, memory: ResidentMemory, loading_s: float) -> None:
    """Seconds and gigabytes per stage, and what they come to per frame."""
    frames = report.clip["frames"] if report.settings["stop"] is None else report.settings["stop"]
    width, height = report.working_size
    print(f"{report.clip['path']}: {frames} frames at {width}x{height}", end=", ")
    print(f"{len(report.keyframes)} keyframes, {report.device}, {report.model}")
    print(f"{'stage':24}{'seconds':>9}{'ms/frame':>10}{'peak GB':>9}")
    for stage, seconds in {"loading the model": loading_s, **report.seconds}.items():
        peak = memory.peaks.get(stage)
        shown = f"{peak / 1e9:9.2f}" if peak else f"{'':9}"
        print(f"{stage:24}{seconds:9.2f}{seconds / frames * 1000:10.1f}{shown}")
    print(f"{'all':24}{sum(report.seconds.values()):9.2f}", end="")
    print(f"{sum(report.seconds.values()) / frames * 1000:10.1f}", end="")
    print(f"{peak_memory_bytes() / 1e9:9.2f}")
    print(f"Pixel-MSE {report.metrics}")


if __name__ == "__main__":
    main()
