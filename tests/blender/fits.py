"""Strips of every kind on one timeline: their media, and what became of their pictures."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.blender.blenders import Plugin, blender_of
from tests.blender.numbers import SIZE, numbered, write_numbered
from tests.integration.daemons import DaemonProcess, with_fake_worker

COUNT = 40
LEVELS = 3
"""How far a result's colours may be off."""


def write_media(folder: Path) -> dict[str, str]:
    """Films and pictures by the names that the scenario has for them."""
    folder.mkdir(parents=True)
    media = {
        "movie": write_numbered(folder / "movie é.mp4", COUNT),
        "slow": write_numbered(folder / "slow.mp4", COUNT, Fraction(12)),
        "transparent movie": _write_transparent(folder / "transparent.mov"),
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


def _transparent(number: int) -> NDArray[np.uint8]:
    """A numbered picture in a soft round hole that moves; straight alpha."""
    width, height = SIZE
    y, x = np.mgrid[0:height, 0:width]
    distance = np.hypot(x - 60 - number, y - 50)
    alpha = np.clip((55 - distance) * 12, 0, 255).astype(np.uint8)
    return np.dstack([numbered(number), alpha])


def _write_pictures(folder: Path, *, is_transparent: bool) -> Path:
    folder.mkdir()
    for number in range(20):
        picture = _transparent(number) if is_transparent else numbered(number)
        Image.fromarray(picture).save(folder / f"shot_{number + 31:04d}.png")
    return folder / "shot_0031.png"


def _write_transparent(path: Path) -> Path:
    with av.open(str(path), "w") as film:
        stream = film.add_stream("png", rate=24)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "rgba"
        for number in range(20):
            film.mux(stream.encode(av.VideoFrame.from_ndarray(_transparent(number), "rgba")))
        film.mux(stream.encode(None))
    return path


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
    """Each case with how far it is off and whether its result is seen; what differs elsewhere."""
    before, after, black = (_pictures(found[name]) for name in ("before", "after", "black"))
    numbers = sorted(before)
    off = {number: int(np.abs(before[number] - after[number]).max()) for number in numbers}
    seen = {number: int(np.abs(after[number] - black[number]).max()) for number in numbers}
    inside: set[int] = set()
    for case in found["cases"].values():
        frames = range(*case["span"])
        inside.update(frames)
        case["off"] = max(off[number] for number in frames)
        case["seen"] = sum(seen[number] > LEVELS for number in frames)
    elsewhere = [number for number in numbers if number not in inside]
    return {
        "cases": found["cases"],
        "elsewhere": max(max(off[number], seen[number]) for number in elsewhere),
        "frames": len(numbers),
    }


def _pictures(folder: str) -> dict[int, NDArray[np.int16]]:
    return {
        int(path.stem[2:]): np.asarray(Image.open(path).convert("RGB"), np.int16)
        for path in Path(folder).glob("f_*.png")
    }
