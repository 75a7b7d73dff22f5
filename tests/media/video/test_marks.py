"""What a file says of how its picture is to be looked at, and no result says, is told."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import av
import numpy as np
import pytest
from fresco_media.clip import Clip

_SPHERICAL = UUID("ffcc8263-f855-4a93-8814-587a02521fdd").bytes
_SAYS_SO = (
    b"<?xml version='1.0'?><rdf:SphericalVideo "
    b"xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' "
    b"xmlns:GSpherical='http://ns.google.com/videos/1.0/spherical/'>"
    b"<GSpherical:Spherical>true</GSpherical:Spherical>"
    b"<GSpherical:Stitched>true</GSpherical:Stitched>"
    b"<GSpherical:StitchingSoftware>rig</GSpherical:StitchingSoftware>"
    b"<GSpherical:ProjectionType>equirectangular</GSpherical:ProjectionType>"
    b"</rdf:SphericalVideo>"
)


def mark_spherical(path: Path) -> None:
    """Add the box that cameras for all directions write at the end of the only track."""
    content = bytearray(path.read_bytes())
    box = struct.pack(">I4s", 24 + len(_SAYS_SO), b"uuid") + _SPHERICAL + _SAYS_SO
    begins = [content.index(kind) - 4 for kind in (b"moov", b"trak")]
    track = begins[1]
    end = track + struct.unpack_from(">I", content, track)[0]
    for begin in begins:
        struct.pack_into(
            ">I", content, begin, struct.unpack_from(">I", content, begin)[0] + len(box)
        )
    path.write_bytes(content[:end] + box + content[end:])


def write_stereo(path: Path, mode: str) -> Path:
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.metadata["stereo_mode"] = mode
        for index in range(3):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 60 + index, np.uint8))
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def test_a_picture_of_all_directions_is_told(make_clip: Callable[..., Path]) -> None:
    path = make_clip("sphere.mp4", frame_count=2)
    before = Clip.open(path).warnings
    mark_spherical(path)

    (said,) = set(Clip.open(path).warnings) - set(before)

    assert said.startswith("the clip is marked as a 360-degree picture, and the result is not")


@pytest.mark.parametrize(("mode", "is_told"), [("left_right", True), ("mono", False)])
def test_two_views_are_told(tmp_path: Path, mode: str, is_told: bool) -> None:
    said = Clip.open(write_stereo(tmp_path / "two.mkv", mode)).warnings

    assert any(text.startswith("the clip holds two views for 3D") for text in said) == is_told
