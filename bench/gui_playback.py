"""How long the desktop app's GUI thread is ever busy, and what memory a long clip takes.

    python -m bench.gui_playback [--seconds 10] [--minutes 30] [--size 1920x1080]

A clip and its result play beside the filmstrip, in every mode of the viewer, while the result's
frames stream in as they do from a job. Every event that the GUI thread handles is timed, by the
clock and by the CPU time that the thread itself used; the clock also counts what other programs
took from it. Then a clip of many minutes is opened, scrubbed and played, and memory is measured.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import av
import cv2
import numpy as np
import psutil
from fresco_gui import theme
from fresco_gui.media import ClipFrames, FrameInfo, FrameSource, StoredFrames
from fresco_gui.timeline import Filmstrip, KeyframeState
from fresco_gui.viewer import ViewedSide, Viewer, ViewMode
from PyQt6.QtCore import QEvent, QEventLoop, QObject, QTimer
from PyQt6.QtWidgets import QApplication, QVBoxLayout, QWidget

RATE = 25
LIMIT_MS = 32
PIECE_S = 10


@dataclass
class Timing:
    """Events that the GUI thread handled, in milliseconds."""

    wall: list[float] = field(default_factory=list[float])
    cpu: list[float] = field(default_factory=list[float])
    longest: tuple[float, str] = (0.0, "")

    def row(self, name: str) -> str:
        """One line of the table."""
        wall, cpu = np.array(self.wall or [0.0]), np.array(self.cpu or [0.0])
        late = int((wall > LIMIT_MS).sum())
        return (
            f"{name:<22}{len(wall):>8}{np.percentile(wall, 99):>9.1f}{wall.max():>9.1f}"
            f"{cpu.max():>9.1f}{late:>7}   {self.longest[1]}"
        )


class TimedApplication(QApplication):
    """Times every event."""

    def __init__(self) -> None:
        super().__init__([])
        self.timing = Timing()
        self._depth = 0

    def notify(self, a0: QObject | None, a1: QEvent | None) -> bool:
        """Handle an event, and note how long that took; events inside it count with it."""
        if self._depth:
            return super().notify(a0, a1)
        self._depth += 1
        kind = f"{type(a0).__name__} {a1.type().name if a1 else ''}"
        wall, cpu = time.perf_counter(), time.thread_time()
        try:
            return super().notify(a0, a1)
        finally:
            took = (time.perf_counter() - wall) * 1e3
            self.timing.wall.append(took)
            self.timing.cpu.append((time.thread_time() - cpu) * 1e3)
            if took > self.timing.longest[0]:
                self.timing.longest = (took, kind)
            self._depth -= 1


def wait(seconds: float) -> None:
    """Let events happen."""
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1e3), loop.quit)
    loop.exec()


def wait_for_opened(source: FrameSource) -> float:
    """Let events happen until the clip is open; returns the seconds that took."""
    begun = time.perf_counter()
    while source.info is None:
        wait(0.02)
    return time.perf_counter() - begun


def write_clip(path: Path, size: tuple[int, int], *, is_negative: bool) -> None:
    """Ten seconds of a soft pattern that moves."""
    width, height = size
    noise = np.random.default_rng(0).integers(0, 256, (height + 500, width + 750, 3), np.uint8)
    blurred = cv2.GaussianBlur(noise, (0, 0), 4)
    soft = cv2.normalize(blurred, blurred, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    with av.open(str(path), "w") as container:
        options = {"preset": "veryfast", "crf": "20"}
        stream = container.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(RATE * PIECE_S):
            part = soft[2 * number :, 3 * number :][:height, :width]
            drawn = np.ascontiguousarray(255 - part if is_negative else part)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(drawn, format="rgb24")))
        container.mux(stream.encode(None))


def write_long(piece: Path, path: Path, minutes: int) -> None:
    """The piece again and again, its packets copied."""
    with av.open(str(path), "w") as container, av.open(str(piece)) as first:
        stream = container.add_stream_from_template(first.streams.video[0])
        ticks = Fraction(PIECE_S) / Fraction(first.streams.video[0].time_base or 1)
        for round_ in range(minutes * 60 // PIECE_S):
            with av.open(str(piece)) as again:
                for packet in again.demux(video=0):
                    if packet.dts is None or packet.pts is None:
                        continue
                    packet.pts += round_ * int(ticks)
                    packet.dts += round_ * int(ticks)
                    packet.stream = stream
                    container.mux(packet)


class Control:
    """Another program, which sleeps a millisecond at a time: how late it wakes is not our doing."""

    _CODE = (
        "import sys, time\n"
        "late = []\n"
        "try:\n"
        "    while True:\n"
        "        begun = time.perf_counter()\n"
        "        time.sleep(0.001)\n"
        "        late.append((time.perf_counter() - begun - 0.001) * 1e3)\n"
        "except KeyboardInterrupt:\n"
        "    late.sort()\n"
        "    most = late[len(late) * 99 // 100]\n"
        "    print(f'{most:.1f} {late[-1]:.1f} {sum(one > 32 for one in late)}')\n"
    )

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", self._CODE], stdout=subprocess.PIPE, text=True
        )

    def words(self) -> str:
        """End it, and tell what it met."""
        self._process.send_signal(signal.SIGINT)
        most, longest, late = self._process.communicate(timeout=10)[0].split()
        return (
            f"a program that only sleeps, meanwhile: 99 % woke {most} ms late or less, "
            f"the last {longest} ms, {late} times more than {LIMIT_MS} ms"
        )


@dataclass
class Window:
    """Viewer and filmstrip as the app has them."""

    widget: QWidget
    viewer: Viewer
    filmstrip: Filmstrip

    @staticmethod
    def made() -> Window:
        """Shown in the size of a usual screen."""
        made = Window(QWidget(), Viewer(), Filmstrip())
        column = QVBoxLayout(made.widget)
        column.addWidget(made.viewer, 1)
        column.addWidget(made.filmstrip)
        made.viewer.frame_changed.connect(made.filmstrip.set_frame)
        made.filmstrip.scrubbed.connect(made.viewer.set_frame)
        made.widget.resize(1600, 1000)
        made.widget.show()
        return made

    def show(self, source: FrameSource | None, result: FrameSource | None) -> None:
        """Show these."""
        self.viewer.set_source(source)
        self.viewer.set_sides(ViewedSide(), ViewedSide(frames=result))
        self.filmstrip.set_source(source)

    def close(self) -> None:
        """End all threads."""
        self.show(None, None)
        self.viewer.close_media()
        self.filmstrip.close_media()
        self.widget.close()


@contextmanager
def streaming(stored: StoredFrames, filmstrip: Filmstrip, encoded: list[bytes]) -> Iterator[None]:
    """Frames of a running job come in, ten a second, over and over."""
    is_ended = threading.Event()

    def run() -> None:
        number = 0
        while not is_ended.wait(0.1):
            stored.put(number % len(encoded), encoded[number % len(encoded)])
            number += 1

    stored.arrived.connect(filmstrip.set_done)
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        is_ended.set()
        thread.join()


def encoded_frames(path: Path, count: int) -> list[bytes]:
    """JPEGs of the first frames."""
    made: list[bytes] = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            picture = frame.to_ndarray(format="bgr24")
            made.append(cv2.imencode(".jpg", picture)[1].tobytes())
            if len(made) == count:
                break
    return made


def measure_blocking(app: TimedApplication, folder: Path, seconds: float) -> None:
    """Play in every mode, alone and while frames stream in."""
    source, result = ClipFrames(folder / "source.mp4"), ClipFrames(folder / "result.mp4")
    window = Window.made()
    window.show(source, result)
    wait_for_opened(result)
    keyframes = list(range(0, RATE * PIECE_S, 12))
    window.filmstrip.set_plan([(0, 120), (120, RATE * PIECE_S)], keyframes)
    wait(2)
    print(
        f"{'':<22}{'events':>8}{'99 %':>9}{'longest':>9}{'its CPU':>9}{'>32 ms':>7}   longest was"
    )
    for mode in ViewMode:
        window.viewer.set_mode(mode)
        _played(app, window, f"playing, {mode.value}", seconds)
    app.timing = Timing()
    for index in range(0, RATE * PIECE_S, 3):
        window.viewer.set_frame(index)
        wait(0.03)
    print(app.timing.row("scrubbing"))
    info = source.info
    assert info is not None
    stored = StoredFrames(
        FrameInfo(
            path=None,
            frame_count=info.frame_count,
            frame_rate=info.frame_rate,
            width=info.width,
            height=info.height,
        )
    )
    window.viewer.set_sides(ViewedSide(), ViewedSide(frames=stored))
    window.viewer.set_mode(ViewMode.WIPE_VERTICAL)
    with streaming(stored, window.filmstrip, encoded_frames(folder / "result.mp4", 60)):
        for index in keyframes:
            window.filmstrip.set_keyframe_state(index, KeyframeState.DONE)
        _played(app, window, "playing, job streams", seconds)
    window.close()
    for frames in (source, result, stored):
        frames.close()


def _played(app: TimedApplication, window: Window, name: str, seconds: float) -> None:
    shown: set[int] = set()
    window.viewer.playback.shown.connect(shown.add)
    window.viewer.playback.dropped_frames = 0
    window.viewer.set_frame(0)
    wait(0.5)
    shown.clear()
    app.timing = Timing()
    window.viewer.play()
    wait(min(seconds, PIECE_S - 1))
    window.viewer.pause()
    timing = app.timing
    window.viewer.playback.shown.disconnect(shown.add)
    dropped = window.viewer.playback.dropped_frames
    print(timing.row(name) + f"; shown {len(shown)}, dropped {dropped}")


def measure_memory(folder: Path, minutes: int) -> None:
    """Open, scrub and play a long clip beside itself."""
    process = psutil.Process()
    long = folder / "long.mp4"
    write_long(folder / "source.mp4", long, minutes)
    before = process.memory_info().rss
    source, result = ClipFrames(long), ClipFrames(long)
    window = Window.made()
    window.show(source, result)
    opened_s = wait_for_opened(source) + wait_for_opened(result)
    info = source.info
    assert info is not None
    most = 0
    for step in range(60):
        window.viewer.set_frame(info.frame_count * step // 60)
        wait(0.3)
        most = max(most, process.memory_info().rss)
    window.viewer.play()
    for _ in range(20):
        wait(0.25)
        most = max(most, process.memory_info().rss)
    window.viewer.pause()
    thumbnails = window.filmstrip.thumbnails
    held = source.used_bytes + result.used_bytes + (thumbnails.used_bytes if thumbnails else 0)
    print(
        f"\n{minutes} minutes, {info.frame_count} frames: open after {opened_s:.1f} s; "
        f"memory {before / 2**20:.0f} MiB before, {most / 2**20:.0f} MiB at most, "
        f"of it pictures {held / 2**20:.0f} MiB"
    )
    window.close()
    source.close()
    result.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--size", default="1920x1080")
    chosen = parser.parse_args()
    width, height = (int(side) for side in str(chosen.size).split("x"))
    sys.setswitchinterval(0.001)  # as the app does
    app = TimedApplication()
    theme.apply(app)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_clip(folder / "source.mp4", (width, height), is_negative=False)
        write_clip(folder / "result.mp4", (width, height), is_negative=True)
        control = Control()
        measure_blocking(app, folder, chosen.seconds)
        print(control.words())
        measure_memory(folder, chosen.minutes)


if __name__ == "__main__":
    main()
