"""What decoders hand out beside pictures."""

from __future__ import annotations

from fractions import Fraction
from io import BytesIO

import av
import av.error
import av.filter
from av.sidedata.sidedata import SideData
from PIL import Image as Pillow

# Of EXIF in FFmpeg 8, by number: some releases of PyAV fail at any side data beside it.
_EXIF = 31
# An ICC profile of PNG comes with its name, which PyAV 18 takes for its own and frees, as the frame
# does once more: the process dies. So it is taken off before PyAV looks at what there is.
_ICC_PROFILE = 15
_FORMATS_OF_PNG = {
    *("rgb24", "rgba", "rgb48be", "rgba64be", "gray", "gray16be", "ya8", "ya16be", "pal8"),
    "monoblack",
}
# A few pixels as RGB, with what comes beside them.
_CORNER = (("crop", "w=min(iw\\,2):h=min(ih\\,2):exact=1"), ("format", "rgb24"))
_ANY_CLOCK = Fraction(1, 1000)

_SPHERICAL = (
    "the clip is marked as a 360-degree picture, and the result is not; mark it again before it "
    "is published"
)
_STEREO = (
    "the clip holds two views for 3D, which are worked on as one picture, and the result is not "
    "marked as 3D; mark it again before it is published"
)


def marks_lost(frame: av.VideoFrame) -> list[str]:
    """What the file says of how `frame` is to be looked at and no result says."""
    stereo = side_data_of(frame, "STEREO3D")
    # The first field of AVStereo3D is how the views are packed, 0 for one view.
    has_views = stereo is not None and any(bytes(stereo)[:4])
    is_spherical = side_data_of(frame, "SPHERICAL") is not None
    return [text for text, holds in ((_SPHERICAL, is_spherical), (_STEREO, has_views)) if holds]


def side_data_of(frame: av.VideoFrame, kind: str) -> SideData | None:
    """The side data of `frame` that PyAV calls `kind`, such as "DISPLAYMATRIX".

    None for the profile of its colours, which cannot be had safely so.
    """
    try:
        if frame.format.name in _FORMATS_OF_PNG:
            frame = _without(_ICC_PROFILE, frame)
        return frame.side_data.get(kind)
    except ValueError:
        pass
    except av.error.FFmpegError:
        return None
    try:
        # FFmpeg has made a display matrix of it by now.
        return _without(_EXIF, frame).side_data.get(kind)
    except (ValueError, av.error.FFmpegError):
        return None


def profile_of(frame: av.VideoFrame) -> bytes | None:
    """The ICC profile of `frame`, if it has one.

    FFmpeg's own encoder of PNG writes it, since looking at it in the frame does harm.
    """
    try:
        corner = _filtered(frame, *_CORNER)
        encoder = av.CodecContext.create("png", "w")
        assert isinstance(encoder, av.VideoCodecContext)
        encoder.width, encoder.height = corner.width, corner.height
        encoder.pix_fmt, encoder.time_base = corner.format.name, _ANY_CLOCK
        corner.pts, corner.time_base = 0, _ANY_CLOCK
        written = b"".join(map(bytes, (*encoder.encode(corner), *encoder.encode(None))))
        with Pillow.open(BytesIO(written), formats=["PNG"]) as picture:
            return picture.info.get("icc_profile")
    except (OSError, ValueError, av.error.FFmpegError):
        return None


def _without(kind: int, frame: av.VideoFrame) -> av.VideoFrame:
    """The same picture without its side data of this kind."""
    return _filtered(frame, ("sidedata", f"mode=delete:type={kind}"))


def _filtered(frame: av.VideoFrame, *filters: tuple[str, str]) -> av.VideoFrame:
    """`frame` after FFmpeg's `filters`, each a name and its options."""
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width,
        height=frame.height,
        format=frame.format,
        time_base=frame.time_base or _ANY_CLOCK,
    )
    nodes = (graph.add(name, options) for name, options in filters)
    graph.link_nodes(source, *nodes, graph.add("buffersink")).configure()
    graph.push(frame)
    found = graph.pull()
    assert isinstance(found, av.VideoFrame)
    return found
