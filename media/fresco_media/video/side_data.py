"""What decoders hand out beside pictures."""

from __future__ import annotations

import av
import av.error
import av.filter
from av.sidedata.sidedata import SideData

# Of EXIF in FFmpeg 8, by number: some releases of PyAV fail at any side data beside it.
_EXIF = 31


def side_data_of(frame: av.VideoFrame, kind: str) -> SideData | None:
    """The side data of `frame` that PyAV calls `kind`, such as "DISPLAYMATRIX"."""
    try:
        return frame.side_data.get(kind)
    except ValueError:
        pass
    try:
        return _without_exif(frame).side_data.get(kind)
    except (ValueError, av.error.FFmpegError):
        return None


def _without_exif(frame: av.VideoFrame) -> av.VideoFrame:
    """The same picture without its EXIF, of which FFmpeg has made a display matrix by now."""
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
    )
    graph.link_nodes(
        source, graph.add("sidedata", f"mode=delete:type={_EXIF}"), graph.add("buffersink")
    ).configure()
    graph.push(frame)
    found = graph.pull()
    assert isinstance(found, av.VideoFrame)
    return found
