"""Pictures of jobs as clients want them, each encoded once for however many watch."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from fresco.v1 import media_pb2
from fresco_engine.checkpoint import CheckpointReader, Kind, picture_name
from fresco_media.colour.alpha import divided
from fresco_media.colour.scaling import JPEG_SIDE, at_most, fitted, resize
from fresco_media.files.own import OwnFolder
from fresco_media.stills.mask_picture import white_on_black
from fresco_media.stills.png import decode_mask, decode_png, encode_png, png_size
from fresco_media.types import Image, Matte
from numpy.typing import NDArray

from fresco_server.errors import ArtefactNotFound, BadRequest, WorkerLost
from fresco_server.jobs.looks import matte_file
from fresco_server.rpc.work_room import WorkRoom
from fresco_server.settings import CHUNK_BYTES

_SIDES = (16, 8192)
_JPEG = (
    cv2.IMWRITE_JPEG_QUALITY,
    88,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
)
_CACHE_BYTES = 64 << 20
_WORK_BYTES = 1 << 30
# A picture is there decoded, at its own size, scaled, and on its way into the encoding.
_BYTES_PER_PIXEL = 12
_MOST_BYTES = 1 << 30


@dataclass(frozen=True)
class PictureFormat:
    """How a client wants pictures: the encoding, and the long side in pixels, 0 for as it is.

    `has_alpha`: what is made of a transparent clip is transparent, if the encoding can be.
    """

    encoding: media_pb2.PictureEncoding.ValueType = media_pb2.PICTURE_ENCODING_JPEG
    long_side: int = 0
    has_alpha: bool = False

    @property
    def is_lossless(self) -> bool:
        """Whether every level is wanted as the engine made it."""
        return self.encoding == media_pb2.PICTURE_ENCODING_PNG

    @property
    def most_side(self) -> int:
        """The longest side in pixels that it may have, 0 for any: JPEG has no place for more."""
        return self.long_side if self.is_lossless else self.long_side or JPEG_SIDE


def picture_format_of(options: media_pb2.PictureOptions) -> PictureFormat:
    """What `options` ask for.

    Raises:
        BadRequest: the encoding is unknown or the long side out of range.
    """
    encoding = options.encoding or media_pb2.PICTURE_ENCODING_JPEG
    if encoding not in media_pb2.PictureEncoding.values():
        raise BadRequest("options.encoding", f"{encoding} is unknown; leave it out for JPEG")
    low, high = _SIDES
    if options.long_side and not low <= options.long_side <= high:
        raise BadRequest(
            "options.long_side", f"{options.long_side} is outside {low} to {high}, and not 0"
        )
    return PictureFormat(
        encoding,
        options.long_side,
        options.has_alpha and encoding == media_pb2.PICTURE_ENCODING_PNG,
    )


@dataclass(frozen=True)
class Encoded:
    """An encoded picture; sizes in pixels."""

    encoding: media_pb2.PictureEncoding.ValueType
    width: int
    height: int
    data: bytes

    def message(self) -> media_pb2.Picture:
        """In one piece."""
        return media_pb2.Picture(
            encoding=self.encoding, width=self.width, height=self.height, data=self.data
        )

    def chunks(self) -> Iterator[media_pb2.PictureChunk]:
        """In pieces, of which the first says what it is."""
        for start in range(0, len(self.data), CHUNK_BYTES):
            chunk = media_pb2.PictureChunk(data=self.data[start : start + CHUNK_BYTES])
            if not start:
                chunk.encoding = self.encoding
                chunk.width, chunk.height = self.width, self.height
                chunk.size_bytes = len(self.data)
            yield chunk


class Pictures:
    """Stored pictures, encoded. The last ones are kept, at most `most_bytes` of them.

    What is being made takes about `work_bytes` at most, or as much as one picture needs.
    """

    def __init__(self, most_bytes: int = _CACHE_BYTES, work_bytes: int = _WORK_BYTES) -> None:
        self._kept = _Kept(most_bytes)
        self._work = WorkRoom(work_bytes)

    def stored(
        self, folder: Path, kind: Kind, index: int, picture_format: PictureFormat
    ) -> Encoded:
        """A picture of the job in `folder` at the clip's size, or smaller where that is wished.

        Raises:
            ArtefactNotFound: it is not there, or not yet.
        """
        reader = CheckpointReader(folder)
        try:
            # What was put in its place, such as a link or a pipe, is no picture of the job's.
            found = reader.own.facts(picture_name(kind, index))
        except OSError as error:
            raise _missing(kind, index) from error
        # The system keeps files in memory by itself.
        if (as_stored := _as_stored(reader, kind, index, picture_format)) is not None:
            return as_stored
        path = reader.picture_path(kind, index)
        # When a job began anew, the same name stands for another picture.
        key = (str(path), found.st_mtime_ns, found.st_ino, found.st_size, picture_format)
        key = (*key, reader.has("composites", index), reader.has("mattes", index))
        return self._kept.get(key, lambda: self._made(reader, kind, index, picture_format))

    def _made(
        self, reader: CheckpointReader, kind: Kind, index: int, picture_format: PictureFormat
    ) -> Encoded:
        plan = reader.plan()
        if plan is None:
            raise _missing(kind, index)
        size = (plan.width, plan.height)
        with self._work.taken(_bytes_for(size)):
            return _encode_stored(reader, kind, index, picture_format, size)

    def in_file(self, path: Path, picture_format: PictureFormat) -> tuple[Encoded, Encoded | None]:
        """The picture of a look in a PNG file, and its mask, white on black, if it has one.

        Raises:
            WorkerLost: it is gone or damaged.
        """
        data = _read(path)
        with self._work.taken(_bytes_for(png_size(data) or (0, 0))):
            return _in_file(path, data, picture_format)


def _bytes_for(size: tuple[int, int]) -> int:
    return size[0] * size[1] * _BYTES_PER_PIXEL


def _in_file(
    path: Path, data: bytes, picture_format: PictureFormat
) -> tuple[Encoded, Encoded | None]:
    image = decode_png(data)
    if image is None:
        raise WorkerLost("the picture was lost before it could be sent; try again")
    mask = decode_mask(data)
    kept = decode_png(_read(matte_file(path))) if picture_format.has_alpha else None
    matte = None if kept is None else at_most(kept[..., 0], picture_format.most_side)
    return (
        _encoded(at_most(image, picture_format.most_side), picture_format, matte),
        None if mask is None else _encoded_mask(mask, picture_format),
    )


def _read(path: Path) -> bytes:
    try:
        return OwnFolder(path.parent).read(path.name, _MOST_BYTES)
    except OSError:
        return b""


def _missing(kind: Kind, index: int) -> ArtefactNotFound:
    what = "keyframe" if kind == "keyframes" else "frame of the result"
    return ArtefactNotFound(
        f"there is no {what} {index}, or not yet; the job's events tell which there are"
    )


def _as_stored(
    reader: CheckpointReader, kind: Kind, index: int, picture_format: PictureFormat
) -> Encoded | None:
    """The stored file, where it is what is wished: without loss, and nothing is to be scaled."""
    plan = reader.plan() if picture_format.is_lossless else None
    if plan is None or (picture_format.has_alpha and reader.has("mattes", index)):
        return None
    source = plan.size.source
    if plan.settings.region != "all":
        return None
    if plan.size.padded != source or fitted(source, picture_format.most_side) != source:
        return None
    data = reader.file(kind, index)
    if data is None or png_size(data) != source:
        return None
    return Encoded(picture_format.encoding, *source, data)


def _encode_stored(
    reader: CheckpointReader,
    kind: Kind,
    index: int,
    picture_format: PictureFormat,
    source: tuple[int, int],
) -> Encoded:
    size = fitted(source, picture_format.most_side)
    is_whole = size == source
    image = reader.picture(kind, index) if is_whole else reader.picture_at(kind, index, size)
    if image is None:
        raise _missing(kind, index)
    matte = reader.matte(index) if picture_format.has_alpha else None
    return _encoded(image, picture_format, None if matte is None else resize(matte, size))


def _encoded(image: Image, picture_format: PictureFormat, matte: Matte | None = None) -> Encoded:
    if matte is not None:
        image = divided(image, matte)
    data = encode_png(image) if picture_format.is_lossless else _jpeg(image)
    return Encoded(picture_format.encoding, image.shape[1], image.shape[0], data)


def _encoded_mask(mask: NDArray[np.bool_], picture_format: PictureFormat) -> Encoded:
    shown = at_most(white_on_black(mask), picture_format.most_side)
    return _encoded(shown, replace(picture_format, encoding=media_pb2.PICTURE_ENCODING_PNG))


def _jpeg(image: Image) -> bytes:
    _, encoded = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), _JPEG)
    return encoded.tobytes()


class _Kept:
    """The last pictures that were encoded. Whoever asks while one is being made waits for it."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._lock = threading.Lock()
        self._known: OrderedDict[Hashable, Future[Encoded]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Encoded]) -> Encoded:
        """The picture `key`, made by `make` if it is not kept."""
        with self._lock:
            future = self._known.get(key)
            is_mine = future is None
            if future is None:
                future = self._known[key] = Future()
            self._known.move_to_end(key)
        if is_mine:
            self._make(key, future, make)
        return future.result()

    def _make(self, key: Hashable, future: Future[Encoded], make: Callable[[], Encoded]) -> None:
        try:
            picture = make()
        except BaseException as error:  # noqa: BLE001 - those who wait for it get it too
            with self._lock:
                del self._known[key]
            future.set_exception(error)
            return
        future.set_result(picture)
        with self._lock:
            self._bytes += len(picture.data)
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        while self._bytes > self._most_bytes:
            # Pictures that are being made are few, so the search is short.
            oldest = next((key for key, made in self._known.items() if made.done()), None)
            if oldest is None:
                return
            self._bytes -= len(self._known.pop(oldest).result().data)
