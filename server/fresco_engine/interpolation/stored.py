"""Finished segments on disk: work that was interrupted goes on where it was."""

from __future__ import annotations

from collections.abc import Generator
from hashlib import blake2b
from pathlib import Path

import numpy as np
from fresco_media.files.faults import writing

from fresco_engine.interpolation.segment import InterpolatedFrame, Interpolator, Segment


class StoredInterpolator:
    """Keeps what `made_by` makes in `folder`, a file per segment, and reads it when it is there.

    A file is named by a digest of everything its frames depend on: the segment's pictures and
    `kind`, which says how they are made. So another clip, key or setting never meets it.
    """

    def __init__(self, made_by: Interpolator, folder: Path, kind: str) -> None:
        self._made_by = made_by
        self._folder = folder
        self._kind = kind

    def __call__(self, segment: Segment) -> Generator[InterpolatedFrame, None, None]:
        """The frames at `segment.offsets` in order.

        Raises:
            OutputNotWritable, DiskFull: they cannot be stored.
        """
        file = self._folder / f"{_digest(segment, self._kind)}.npz"
        frames = _read(file, segment)
        if frames is not None:
            yield from frames
            return
        frames = []
        for frame in self._made_by(segment):
            frames.append(frame)
            yield frame
        if len(frames) == len(segment.offsets):
            _write(file, frames)


def _digest(segment: Segment, kind: str) -> str:
    digest = blake2b(kind.encode(), digest_size=16)
    for picture in (*segment.sources, segment.first_key, segment.last_key):
        digest.update(b"none" if picture is None else str(picture.shape).encode())
        if picture is not None:
            digest.update(np.ascontiguousarray(picture).data)
    return digest.hexdigest()


def _read(file: Path, segment: Segment) -> list[InterpolatedFrame] | None:
    """What is stored; nothing if that is not whole."""
    try:
        with file.open("rb") as stream, np.load(stream) as stored:
            images, errors = stored["images"], stored["errors"]
    # A damaged file is made anew like one that is missing.
    except Exception:  # noqa: BLE001
        return None
    if len(images) != len(segment.offsets):
        return None
    return [
        InterpolatedFrame(offset, image, error)
        for offset, image, error in zip(segment.offsets, images, errors, strict=True)
    ]


def _write(file: Path, frames: list[InterpolatedFrame]) -> None:
    temporary = file.with_suffix(".partial")
    with writing(file):
        try:
            with temporary.open("wb") as stream:
                np.savez(
                    stream,
                    images=np.stack([frame.image for frame in frames]),
                    errors=np.stack([frame.error for frame in frames]),
                )
            temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)
