"""Answers that arrive bit by bit: pictures in chunks, looks and downloads with their progress."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from types import TracebackType
from typing import Any, Generic, TypeVar

from fresco.v1 import looks_pb2, media_pb2, models_pb2

from fresco_client.errors import DataLost
from fresco_client.messages import value_of
from fresco_client.server_info import LookProgress, PullProgress
from fresco_client.transport.base import StreamCall
from fresco_client.values import LookedPicture, Picture

ItemT = TypeVar("ItemT")
SelfT = TypeVar("SelfT", bound="Stream[Any]")


class Stream(Generic[ItemT]):
    """An iterator that any thread may close, upon which iteration ends."""

    def __init__(self, cancel: Callable[[], None]) -> None:
        self._cancel = cancel
        self._is_closed = False

    def __iter__(self) -> Iterator[ItemT]:
        return self

    def __next__(self) -> ItemT:
        """The next item, as soon as it is there."""
        raise StopIteration

    def __enter__(self: SelfT) -> SelfT:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it, also on the daemon's side."""
        self._is_closed = True
        self._cancel()


class GeneratorStream(Stream[ItemT]):
    """What a generator in this process gives out; closing it ends the generator."""

    def __init__(self, items: Generator[ItemT, None, None]) -> None:
        super().__init__(items.close)
        self._items = items

    def __next__(self) -> ItemT:
        """The next item, which is made now."""
        return next(self._items)


class Pull(Stream[PullProgress]):
    """How far the download of a model is, until it is here. Closing it stops the download."""

    def __init__(self, call: StreamCall[models_pb2.PullModelResponse]) -> None:
        super().__init__(call.cancel)
        self._call = call

    def __next__(self) -> PullProgress:
        """The next progress, as soon as it is known."""
        return value_of(next(self._call), PullProgress)


class Look(Stream["LookProgress | LookedPicture"]):
    """Progress of a look, then its picture as the last item. Closing it cancels the look."""

    def __init__(self, call: StreamCall[looks_pb2.LookResponse]) -> None:
        super().__init__(call.cancel)
        self._call = call
        self._parts = PictureParts()
        self._region_parts = PictureParts()
        self._is_complete = False

    def __next__(self) -> LookProgress | LookedPicture:
        """The next progress, or the picture.

        Raises:
            Cancelled: a newer look took its place.
            ClientError: it failed.
        """
        for response in self._call:
            match response.WhichOneof("part"):
                case "progress":
                    return value_of(response.progress, LookProgress)
                case "region_chunk":
                    self._region_parts.add(response.region_chunk)
                case _:
                    self._parts.add(response.chunk)
        if self._is_closed or self._is_complete:
            raise StopIteration
        self._is_complete = True
        region = None if self._region_parts.is_empty else self._region_parts.picture()
        return LookedPicture(**vars(self._parts.picture()), region=region)

    def picture(self, on_step: Callable[[int, int], None] | None = None) -> LookedPicture | None:
        """Wait for the picture; None if it was closed.

        `on_step` is told how many denoising steps are done, and of how many.
        """
        for item in self:
            if isinstance(item, LookedPicture):
                return item
            if on_step is not None:
                on_step(item.done, item.total)
        return None


class PictureParts:
    """A picture that arrives in chunks."""

    def __init__(self) -> None:
        self._first: media_pb2.PictureChunk | None = None
        self._data = bytearray()

    def add(self, chunk: media_pb2.PictureChunk) -> None:
        """Take the next chunk."""
        if self._first is None:
            self._first = chunk
        self._data += chunk.data

    @property
    def is_empty(self) -> bool:
        """Whether no chunk has come."""
        return self._first is None

    def picture(self) -> Picture:
        """The whole picture.

        Raises:
            DataLost: chunks are missing.
        """
        first = self._first
        if first is None or len(self._data) != first.size_bytes:
            raise DataLost("The picture did not arrive whole. Ask for it again.")
        head = media_pb2.Picture(
            encoding=first.encoding, width=first.width, height=first.height, data=bytes(self._data)
        )
        return value_of(head, Picture)
