"""ClipSource and ClipInfo to and from paths and plain values."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from fresco.v1 import media_pb2

from fresco_server.errors import BadRequest
from fresco_server.jobs.places import Places

if TYPE_CHECKING:
    from fresco_server.jobs.uploads import Uploads

_RATES = (Fraction(1, 1000), Fraction(1000))
_LARGEST_PART = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class WantedClip:
    """A clip that was found: where it is, what it is called, how fast its pictures follow."""

    path: Path
    name: str
    upload: str | None
    frame_rate: str | None


def wanted_clip(source: media_pb2.ClipSource, places: Places, uploads: Uploads) -> WantedClip:
    """The clip that `source` names.

    Raises:
        BadRequest: no source is set, or the frame rate cannot be one.
        Forbidden, ClipNotFound, ClipUnreadable: as `Places.clip`.
        UploadNotFound: no such upload was finished.
    """
    rate = _frame_rate(source)
    kind = source.WhichOneof("source")
    if kind == "path":
        path = places.clip(source.path)
        return WantedClip(path=path, name=path.name, upload=None, frame_rate=rate)
    if kind == "upload_sha256":
        digest = source.upload_sha256
        return WantedClip(
            path=uploads.path_of(digest),
            name=uploads.name_of(digest),
            upload=digest,
            frame_rate=rate,
        )
    raise BadRequest("clip", "no source is set; give a path or the digest of an upload")


def _frame_rate(source: media_pb2.ClipSource) -> str | None:
    if not source.HasField("frame_rate"):
        return None
    rate = source.frame_rate
    if rate.numerator <= 0 or rate.denominator <= 0:
        raise BadRequest("clip.frame_rate", "it is not a positive number; leave it out for 24")
    exact = Fraction(rate.numerator, rate.denominator)
    is_small = max(exact.numerator, exact.denominator) <= _LARGEST_PART
    if not (_RATES[0] <= exact <= _RATES[1] and is_small):
        raise BadRequest("clip.frame_rate", "it is outside 1/1000 to 1000 frames per second")
    return str(exact)
