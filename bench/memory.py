"""Peak memory against clip length: the same clip, 300 and 3000 frames long.

    python bench/memory.py [--frames 300 3000] [--size 128]

Each length runs in a process of its own; settings are cheap, because only the length matters here.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from itertools import cycle, islice
from pathlib import Path

import av
from fresco_engine.sample import sample_clip_path
from fresco_media.clip import Clip
from fresco_media.types import Image


def there_and_back(clip: Clip, size: tuple[int, int]) -> Iterator[Image]:
    """The clip's frames for ever, forwards and backwards, so that there is no cut."""
    frames = [frame.image for frame in clip.frames(size=size)]
    return cycle([*frames, *frames[-2:0:-1]])


def write_clip(path: Path, frame_count: int, side: int) -> None:
    """A clip of the sample's frames with as many frames as wanted."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(24))
        stream.width, stream.height, stream.pix_fmt = side, side, "yuv420p"
        for image in islice(
            there_and_back(Clip.open(sample_clip_path()), (side, side)), frame_count
        ):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))


def peak_bytes(clip: Path, output: Path, size: int) -> int:
    """Peak memory of restyling `clip` in a fresh process."""
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from fresco_engine.diffusion.models import load_model\n"
        "from fresco_media.clip import Clip\n"
        "from fresco_engine.rendering import render\n"
        "from fresco_engine.settings import OptimisationSettings, RestyleSettings\n"
        "from fresco_engine.types import RunFinished\n"
        "settings = RestyleSettings(prompt='a watercolour', size=int(sys.argv[3]), steps=2,\n"
        "    optimisation=OptimisationSettings(iterations=2))\n"
        "for event in render(Clip.open(sys.argv[1]), Path(sys.argv[2]), settings, load_model()):\n"
        "    if isinstance(event, Finished):\n"
        "        print(event.report.peak_memory_bytes)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(clip), str(output), str(size)],
        check=True,
        capture_output=True,
        text=True,
    )
    return int(ended.stdout.split()[-1])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", type=int, nargs="+", default=[300, 3000])
    parser.add_argument("--size", type=int, default=128)
    options = parser.parse_args()
    print(f"{'frames':>8}{'peak MB':>10}")
    with tempfile.TemporaryDirectory() as folder:
        for count in options.frames:
            clip = Path(folder) / f"{count}.mp4"
            write_clip(clip, count, options.size)
            peak = peak_bytes(clip, Path(folder) / f"{count}-out.mp4", options.size)
            print(f"{count:8}{peak / 1e6:10.0f}", flush=True)


if __name__ == "__main__":
    main()
