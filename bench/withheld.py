"""Quality on withheld frames, against EbSynth's algorithm, flow warping and cross-fading.

    python bench/withheld.py CLIP ... [--gap 10 20] [--size 512] [--segments N] [--ebsynth]
                             [--styles NAME ...] [--sheet PNG]

The clip is restyled at every frame by deterministic image filters, so the truth is known. All
frames but the keys are withheld; PSNR (dB) and SSIM are taken of what comes back. `--ebsynth` adds
the plain algorithm run to convergence (see ebsynth.py), which takes minutes per segment even at
`--size 256`. CPU seconds are those of all threads, per frame.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from ebsynth import carry_key
from fresco_engine.correspondence.flow import DisFlow
from fresco_engine.correspondence.warp import warp_image
from fresco_engine.evaluation.likeness import psnr, ssim
from fresco_engine.interpolation.blend import blend, fuse_gradients, mixed_gradients
from fresco_engine.interpolation.choice import make_interpolator
from fresco_engine.interpolation.colour import from_lab, to_lab
from fresco_engine.interpolation.segment import Segment
from fresco_media.clip import Clip
from fresco_media.stills.images import contact_sheet, write_image
from fresco_media.types import Image
from styles import STYLES

Method = Callable[[Sequence[Image], Image, Image], list[Image]]
"""Makes the frames between from the sources and the two keys."""


def main() -> None:
    """Measures and prints."""
    arguments = _arguments()
    cv2.setNumThreads(1)
    methods = _methods(arguments.ebsynth)
    sheet: list[list[Image]] = []
    for clip in arguments.clips:
        for gap in arguments.gap:
            for name in arguments.styles:
                rows = {method: [] for method in methods}
                for sources in segments(clip, gap, arguments.size, arguments.segments):
                    truth = [STYLES[name](source) for source in sources]
                    shown = [sources[gap // 2], truth[gap // 2]]
                    for method, make in methods.items():
                        rows[method].append(_measured(make, sources, truth, shown))
                    sheet.append(shown)
                _print(f"{clip.stem[:24]}, gap {gap}, {name}", rows)
    if arguments.sheet:
        write_image(arguments.sheet, contact_sheet(sheet))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Interpolation on withheld frames.")
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--gap", nargs="+", type=int, default=[10, 20], help="frames between keys")
    parser.add_argument("--segments", type=int, default=1, help="segments per clip and gap")
    parser.add_argument("--size", type=int, default=512, help="short side in pixels")
    parser.add_argument("--styles", nargs="+", default=list(STYLES), choices=STYLES)
    parser.add_argument("--ebsynth", action="store_true", help="add the reference; very slow")
    parser.add_argument("--sheet", type=Path, help="PNG: source, truth and all methods mid-segment")
    return parser.parse_args()


def segments(path: Path, gap: int, short_side: int, count: int) -> Iterator[list[Image]]:
    """Spans of `gap` frames spread evenly over the clip."""
    clip = Clip.open(path)
    info = clip.info
    scale = short_side / min(info.width, info.height)
    size = (8 * round(info.width * scale / 8), 8 * round(info.height * scale / 8))
    room = info.frame_count - gap - 1
    for start in np.linspace(0, max(room, 0), count + 2).astype(int)[1:-1]:
        stop = min(int(start) + gap + 1, info.frame_count)
        yield [frame.image for frame in clip.frames(int(start), stop, size=size)]


def _methods(with_ebsynth: bool) -> dict[str, Method]:
    methods: dict[str, Method] = {
        "patches": lambda *given: _by_interpolator("patch", *given),
        "flow (--fast)": lambda *given: _by_interpolator("flow", *given),
        "flow warp": _by_warping,
        "cross-fade": _by_fading,
    }
    if with_ebsynth:
        methods["EbSynth"] = _by_ebsynth
    return methods


def _by_interpolator(kind: str, sources: Sequence[Image], first: Image, last: Image) -> list[Image]:
    made = make_interpolator("flow" if kind == "flow" else "patch")(Segment(sources, first, last))
    return [frame.image for frame in made]


def _by_fading(sources: Sequence[Image], first: Image, last: Image) -> list[Image]:
    shares = np.arange(1, len(sources) - 1) / (len(sources) - 1)
    return [np.rint((1 - share) * first + share * last).astype(np.uint8) for share in shares]


def _by_warping(sources: Sequence[Image], first: Image, last: Image) -> list[Image]:
    """The nearer key, moved by direct flow."""
    made = []
    for index in range(1, len(sources) - 1):
        end, key = (0, first) if index < len(sources) / 2 else (-1, last)
        moved = warp_image(key, DisFlow()(sources[index], sources[end]))
        made.append(np.rint(moved).astype(np.uint8))
    return made


def _by_ebsynth(sources: Sequence[Image], first: Image, last: Image) -> list[Image]:
    """Both ways, then as published: the lower error's pixel, mixed colours, fused gradients."""
    ahead = carry_key(sources, first)
    back = carry_key(sources[::-1], last)[::-1]
    made = []
    for (one, one_error), (two, two_error) in zip(ahead, back, strict=True):
        chosen = cv2.medianBlur((one_error <= two_error).astype(np.uint8), 5).astype(np.float32)
        labs = to_lab(one), to_lab(two)
        base = blend(*labs, np.full(chosen.shape, 0.5, np.float32))
        made.append(from_lab(fuse_gradients(base, *mixed_gradients(*labs, chosen))))
    return made


def _measured(
    make: Method, sources: Sequence[Image], truth: Sequence[Image], shown: list[Image]
) -> tuple[float, float, float, float]:
    began, began_cpu = time.perf_counter(), time.process_time()
    made = make(sources, truth[0], truth[-1])
    wall, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    shown.append(made[len(sources) // 2 - 1])
    pairs = list(zip(made, truth[1:-1], strict=True))
    return (
        float(np.mean([psnr(*pair) for pair in pairs])),
        float(np.mean([ssim(*pair) for pair in pairs])),
        cpu / len(made),
        wall / len(made),
    )


def _print(what: str, rows: dict[str, list[tuple[float, float, float, float]]]) -> None:
    print(what)
    for method, measured in rows.items():
        quality, alike, cpu, wall = np.mean(measured, axis=0)
        print(f"  {method:14} {quality:6.2f} dB  {alike:.4f}  {cpu:7.3f} CPU s  {wall:7.3f} s")
    print(flush=True, end="")


if __name__ == "__main__":
    main()
