"""Strips of every kind on one timeline: their media, and what became of their pictures.

    python -m tests.blender.fits

plays them in every Blender there is and writes docs/blender-strips.md anew.
"""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.blender.blenders import PROGRAM, ROOT, Plugin, blender_of, build_plugin
from tests.blender.numbers import SIZE, numbered, transparent, write_numbered
from tests.engine.conftest import write_clip
from tests.integration.daemons import DaemonProcess, with_fake_worker

COUNT = 40
LEVELS = 3
"""How far a result's colours may be off."""
FADING = 12
"""How much a result may change where its source's change is rounded away, as it has just begun to
fade in; elsewhere it would be fifty levels and more."""
PAGE = ROOT / "docs" / "blender-strips.md"
_VERSIONS = {PROGRAM: "3.4", "4.2": "4.2", "4.5": "4.5", "5.0": "5.0"}
_HEAD = """\
# Strips of every kind in Blender

Made by `python -m tests.blender.fits`, which puts all of these on one timeline, over a picture and
under whatever the row says, and restyles them in real Blenders with a worker that gives back what
it is given. So the final render of the timeline with results has to be that of the timeline without
them, picture by picture: in sync, in the same colours, through the same edges, under the same
titles. Every frame carries its number, so that one frame too early would be off by 200 levels.

Then all results are darkened and rendered once more: that changes every row, nothing outside of
their frames, and no pixel that darkening the sources alone does not change.

- **off by**: the largest difference of any pixel of any frame, in levels of 255, in Blender
  {versions}.
- **as**: whether Fresco gets the strip's own file, or what another Blender renders of it.
- **alpha**: whether the result is transparent where its source is.
- **blend**: how the result is mixed with what is below it, which is how its source is.
- **source**: what becomes of it. It is muted where it would be seen through its result.

`tests/blender/test_fits.py` holds this.

| strip | in sync | off by | as | alpha | blend | source |
| --- | --- | --- | --- | --- | --- | --- |
"""


def write_media(folder: Path) -> dict[str, str]:
    """Films and pictures by the names that the scenario has for them."""
    folder.mkdir(parents=True)
    media = {
        "movie": write_numbered(folder / "movie é.mp4", COUNT),
        "slow": write_numbered(folder / "slow.mp4", COUNT, Fraction(12)),
        "transparent movie": write_clip(
            folder / "transparent.mov", [transparent(number) for number in range(20)]
        ),
        "pictures": _write_pictures(folder / "pictures", is_transparent=False),
        "transparent pictures": _write_pictures(folder / "transparent", is_transparent=True),
        "still": folder / "still.png",
        "backdrop": folder / "backdrop.png",
        "matte": folder / "matte.png",
    }
    Image.fromarray(numbered(77)).save(media["still"])
    width, height = SIZE
    across = np.linspace(30, 220, width).astype(np.uint8)
    down = np.linspace(200, 60, height).astype(np.uint8)
    red, green = (
        np.broadcast_to(across, (height, width)),
        np.broadcast_to(down[:, None], (height, width)),
    )
    Image.fromarray(np.dstack([red, green, red // 2 + 60])).save(media["backdrop"])
    matte = np.zeros((height, width, 3), np.uint8)
    matte[:, : width // 2] = 255
    Image.fromarray(matte).save(media["matte"])
    return {name: str(path) for name, path in media.items()}


def _write_pictures(folder: Path, *, is_transparent: bool) -> Path:
    folder.mkdir()
    for number in range(20):
        picture = transparent(number) if is_transparent else numbered(number)
        Image.fromarray(picture).save(folder / f"shot_{number + 31:04d}.png")
    return folder / "shot_0031.png"


def play(version: str, plugin: Plugin, folder: Path) -> dict[str, Any]:
    """What all strips became in this Blender, with the pictures' differences noted."""
    worker = with_fake_worker(["--copies", "--step-s", "0", "--frame-s", "0"])
    daemon = DaemonProcess(folder / "daemon" / "data", worker).start()
    try:
        blender = blender_of(version, plugin, folder / "home")
        playing = blender.begin(
            "fits", "timeline", daemon.data, media=write_media(folder / "media"), out=folder / "out"
        )
        found = playing.result(900)
    finally:
        daemon.stop_whatever()
    return _compared(found)


def _compared(found: dict[str, Any]) -> dict[str, Any]:
    """Each case with how far it is off and whether its result is seen; what differs elsewhere.

    `beside`: how much a darker result changes where a darker source changes nothing.
    """
    before, dark, after, black = (
        _pictures(found[name]) for name in ("before", "dark", "after", "black")
    )
    numbers = sorted(before)
    beside = {
        number: int((_change(after, black, number) * (_change(before, dark, number) == 0)).max())
        for number in numbers
    }
    off = {number: int(np.abs(before[number] - after[number]).max()) for number in numbers}
    seen = {number: int(np.abs(after[number] - black[number]).max()) for number in numbers}
    inside: set[int] = set()
    for case in found["cases"].values():
        frames = range(*case["span"])
        inside.update(frames)
        case["off"] = max(off[number] for number in frames)
        case["beside"] = max(beside[number] for number in frames)
        case["seen"] = sum(seen[number] > LEVELS for number in frames)
    elsewhere = [number for number in numbers if number not in inside]
    return {
        "cases": found["cases"],
        "elsewhere": max(max(off[number], seen[number]) for number in elsewhere),
        "frames": len(numbers),
    }


def _change(
    one: dict[int, NDArray[np.int16]], other: dict[int, NDArray[np.int16]], number: int
) -> NDArray[np.int16]:
    """How much each pixel of a frame differs."""
    return np.abs(one[number] - other[number]).max(axis=-1)


def _pictures(folder: str) -> dict[int, NDArray[np.int16]]:
    return {
        int(path.stem[2:]): np.asarray(Image.open(path).convert("RGB"), np.int16)
        for path in Path(folder).glob("f_*.png")
    }


def page(found: dict[str, dict[str, Any]]) -> str:
    """The text of the page, from what was found in each version."""
    first = next(iter(found.values()))
    head = _HEAD.replace("{versions}", ", ".join(_VERSIONS[version] for version in found))
    rows = [
        _row(name, case, [one["cases"][name]["off"] for one in found.values()])
        for name, case in first["cases"].items()
    ]
    return head + "\n".join(rows) + "\n"


def _row(name: str, case: dict[str, Any], off: list[int]) -> str:
    cells = (
        name,
        "yes" if max(off) <= LEVELS and case["seen"] else "no",
        ", ".join(map(str, off)),
        "rendered" if case["is_rendered"] else "its file",
        "transparent" if case["is_transparent"] else "opaque",
        case["blend"].replace("_", " ").lower(),
        "muted" if case["is_muted"] else "kept",
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Play all, and write the page."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        plugin = build_plugin(folder / "plugin")
        found = {version: play(version, plugin, folder / version) for version in _VERSIONS}
    PAGE.write_text(page(found), "utf-8")


if __name__ == "__main__":
    main()
