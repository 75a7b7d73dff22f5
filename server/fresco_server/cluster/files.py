"""Files that a job reads, on a machine that may have them at the same place, or is sent them.

A source (clip, mask, picture) is used where it is, as on a folder that machines share, if the very
file of the daemon is there, and else copied once for all workers of a machine. Whether it is the
same is told by what no writing leaves as it was, as the content is too much to be read first: a
change may lie between any two samples. Files of models are never sent: they have to be there, and
the same.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from fresco_engine.diffusion.named_files import model_files
from fresco_engine.errors import ModelNotFound
from fresco_media.clip import Clip
from fresco_media.errors import ClipChanged
from fresco_media.files.disk import free_bytes, storing
from fresco_media.files.opening import open_file
from fresco_media.files.state import KnownFile, sample_of, stamps_of
from fresco_media.mask import MaskClip
from fresco_settings import FlowChoice

from fresco_server.cluster.orders import ModelFile, Needs, SourceFile, SourceFiles
from fresco_server.jobs.job import JobOrder, ModelOrder, Values
from fresco_server.jobs.looks import LookOrder
from fresco_server.worker.digests import sha256_of
from fresco_server.worker.files import places_of
from fresco_server.worker.media import open_clip

CHUNK_BYTES = 8 << 20
_PICTURES = "keyframe_pictures"
_ONE_FILE = ("subject_mask", "reference")
MOST_SPARE_BYTES = 20 << 30
"""Copies that a machine keeps although no work needs them."""
_DIGESTS: dict[tuple[Path, tuple[int, int, int]], str] = {}
GoesOn = Callable[[], bool]
FILE_SETTINGS = (*_ONE_FILE, _PICTURES)
"""Settings that name files which are sent."""


def needs_of(order: JobOrder, clip: Clip, goes_on: GoesOn = lambda: True) -> Needs:
    """What a job reads beside its checkpoint; `clip` is its clip, opened.

    Files of models are read as a whole, in pieces, as long as it `goes_on`.

    Raises:
        DigestStopped: it does not go on.
        ClipError, MaskUnusable: the mask cannot be read.
        OSError: a file cannot be read.
    """
    return Needs(
        sources=tuple(_sources(order.clip, order.settings, clip)),
        models=tuple(_models(order.model, order.settings, goes_on)),
    )


def needs_of_look(order: LookOrder, goes_on: GoesOn) -> Needs:
    """The same for one frame; raises as `needs_of`."""
    clip = open_clip(order.clip, order.frame_rate)
    return Needs(
        sources=tuple(_sources(order.clip, order.settings, clip)),
        models=tuple(_models(order.model, order.settings, goes_on)),
    )


def _sources(name: str, settings: Values, clip: Clip) -> Iterator[SourceFiles]:
    yield SourceFiles(name, tuple(map(_source, clip.files)))
    if settings.get("subject_mask"):
        mask = MaskClip.open(settings["subject_mask"], clip.info)
        yield SourceFiles(settings["subject_mask"], tuple(map(_source, mask.files)))
    pictures = [settings.get("reference"), *(settings.get(_PICTURES) or {}).values()]
    for picture in filter(None, pictures):
        yield SourceFiles(picture, (_source(KnownFile(Path(picture))),))


def _source(file: KnownFile) -> SourceFile:
    return SourceFile(
        path=str(file.path),
        size_bytes=file.size,
        stamps=file.stamps,
        sample=file.sample,
        blocks=file.blocks,
    )


def _models(model: ModelOrder, settings: Values, goes_on: GoesOn) -> Iterator[ModelFile]:
    flow = settings.get("flow")
    weights = flow and FlowChoice.parse(flow).file
    named = [(file.path, file.field) for file in model_files(places_of(model), settings)]
    for path, field in (*named, *([(Path(weights), "flow")] if weights else [])):
        facts = path.stat()
        yield ModelFile(str(path), field, facts.st_size, _digest(path, stamps_of(facts), goes_on))


def _digest(path: Path, stamps: tuple[int, int, int], goes_on: GoesOn) -> str:
    """SHA-256 of a file that has not changed since `stamps`; made once."""
    known = _DIGESTS.get((path, stamps))
    if known is None:
        known = _DIGESTS[path, stamps] = sha256_of(path, goes_on)
    return known


def check_models(files: tuple[ModelFile, ...], goes_on: GoesOn = lambda: True) -> None:
    """Insist on the files of a model being on this machine, and the daemon's.

    Raises:
        DigestStopped: it does not go on.
        ModelNotFound: one is missing or has another content.
    """
    for file in files:
        path = Path(file.path)
        is_same = False
        with suppress(OSError):
            facts = path.stat()
            is_same = facts.st_size == file.size_bytes
            is_same = is_same and _digest(path, stamps_of(facts), goes_on) == file.sha256
        if not is_same:
            what = "has another content" if path.exists() else "is missing"
            error = ModelNotFound(
                path,
                f"it {what} on {platform.node()}, a machine of the cluster; copy it there from "
                "the daemon's machine, to the same place, or share the folder",
            )
            error.field = file.field
            raise error


def pieces_of(file: SourceFile) -> Iterator[tuple[int, bytes]]:
    """What the job knows of a file, in pieces after each other, each with its place.

    The last one comes only if it still is that file; one that has grown is.

    Raises:
        ClipChanged: it is another one.
        OSError: it cannot be read.
    """
    path, size = Path(file.path), file.size_bytes
    with open_file(path) as opened:
        offset = 0
        while True:
            data = opened.read(min(CHUNK_BYTES, size - offset))
            is_last = offset + len(data) == size
            if (not data and size) or (is_last and not _is_still(opened, file)):
                raise ClipChanged(path)
            yield offset, data
            if is_last:
                return
            offset += len(data)


def _is_still(opened: BinaryIO, file: SourceFile) -> bool:
    is_untouched = stamps_of(os.fstat(opened.fileno())) == file.stamps
    return is_untouched or sample_of(Path(file.path), file.size_bytes, file.blocks) == file.sample


def names_of(needs: Needs) -> frozenset[str]:
    """The names in a `SourceCache` of what a job reads."""
    sources = {_key_of_source(source) for source in needs.sources}
    return frozenset(sources | {_key_of(file) for one in needs.sources for file in one.files})


class SourceGone(Exception):
    """A source is not where it was a moment ago, and was not sent either."""


class SourceCache:
    """What was sent to this machine, below `folder`; used by all workers of one daemon there.

    files/KEY         a file as the daemon had it at one time; its next state has another key
    sources/KEY/NAME  the files of a source by their own names, which are second names of those
    """

    def __init__(self, folder: Path) -> None:
        self._files = folder / "files"
        self._sources = folder / "sources"
        for one in (self._files, self._sources):
            with storing(one):
                one.mkdir(mode=0o700, parents=True, exist_ok=True)

    def missing(self, needs: Needs) -> tuple[SourceFile, ...]:
        """The files that have to be sent."""
        return tuple(
            file
            for source in needs.sources
            if not _is_here(source)
            for file in source.files
            if not self._has(file)
        )

    def place(self, source: SourceFiles) -> str:
        """Where a source is: where it is at the daemon, or here.

        Raises:
            SourceGone: it is at neither place any more.
            DiskFull, OutputNotWritable: it cannot be put together here.
        """
        if _is_here(source):
            return source.name
        name = Path(source.name)
        # A folder of pictures is named itself; of other sources the folder that they are in is.
        folder = self._put_together(source)
        return str(folder if name == Path(source.files[0].path).parent else folder / name.name)

    def _put_together(self, source: SourceFiles) -> Path:
        folder = self._sources / _key_of_source(source)
        if folder.is_dir():
            return folder
        if not all(map(self._has, source.files)):
            raise SourceGone(source.name)
        with storing(folder):
            # Another worker of this machine may do the same; the first one's stays.
            made = Path(tempfile.mkdtemp(dir=self._sources))
            for file in source.files:
                os.link(self._files / _key_of(file), made / Path(file.path).name)
            try:
                made.rename(folder)
            except OSError:
                shutil.rmtree(made, ignore_errors=True)
                if not folder.is_dir():
                    raise
        return folder

    def make_room(self, in_use: frozenset[str], wanted_bytes: int) -> None:
        """Remove copies that no work needs, see `names_of`, before so many bytes are sent.

        Some are kept, as the next job is often on the same clip, but the oldest go first.
        """
        for folder in self._sources.iterdir():
            if folder.name not in in_use:
                shutil.rmtree(folder, ignore_errors=True)
        unused = [path for path in self._files.iterdir() if path.name not in in_use]
        facts = {path: path.stat() for path in unused}
        spare = sum(found.st_size for found in facts.values())
        for path in sorted(unused, key=lambda path: facts[path].st_mtime_ns):
            if spare <= MOST_SPARE_BYTES and free_bytes(self._files) >= wanted_bytes:
                return
            path.unlink(missing_ok=True)
            spare -= facts[path].st_size

    def write(self, file: SourceFile, offset: int, data: bytes) -> None:
        """Take in a piece of a file; pieces come in order, and the last completes it.

        Raises:
            DiskFull, OutputNotWritable: it cannot be stored.
        """
        path = self._files / _key_of(file)
        partial = path.with_suffix(".partial")
        with storing(path):
            with partial.open("wb" if offset == 0 else "r+b") as part:
                part.seek(offset)
                part.write(data)
            if offset + len(data) >= file.size_bytes:
                partial.replace(path)

    def _has(self, file: SourceFile) -> bool:
        return (self._files / _key_of(file)).is_file()


def _is_here(source: SourceFiles) -> bool:
    """Whether all files of a source are at the same place here."""
    return all(map(_is_same, source.files))


def _is_same(file: SourceFile) -> bool:
    """Whether the daemon's own file is at the same place here.

    A copy of it is not, and one that has grown shows more than the job knows.
    """
    try:
        stamps = stamps_of(os.stat(file.path))
        is_it = _comparable(stamps) == _comparable(file.stamps)
        return is_it and _sampled(file, stamps) == file.sample
    except OSError:
        return False


def _comparable(stamps: tuple[int, int, int]) -> tuple[int, int, int]:
    """Stamps as precise as all shares tell them, which is to 100 ns."""
    size, modified, changed = stamps
    return size, modified // 100, changed // 100


@lru_cache(maxsize=65536)
def _sampled(file: SourceFile, stamps: tuple[int, int, int]) -> str:
    """The sample of what is in the place of a file, which has not changed since `stamps`."""
    del stamps
    return sample_of(Path(file.path), file.size_bytes, file.blocks)


@lru_cache(maxsize=65536)
def _key_of(file: SourceFile) -> str:
    """A name that another file, or the same one after it was written to, does not get."""
    facts = f"{file.size_bytes} {file.stamps} {file.sample}".encode()
    return hashlib.sha256(os.fsencode(file.path) + b"\0" + facts).hexdigest()[:32]


def _key_of_source(source: SourceFiles) -> str:
    return hashlib.sha256("".join(map(_key_of, source.files)).encode()).hexdigest()[:32]


def placed(order: JobOrder, places: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """The clip and the settings of an order with the places that their files have here."""
    return places.get(order.clip, order.clip), placed_settings(order.settings, places)


def placed_settings(settings: Values, places: Mapping[str, str]) -> dict[str, Any]:
    """Settings whose files are at other places."""
    found = dict(settings)
    for name in _ONE_FILE:
        if found.get(name):
            found[name] = places.get(found[name], found[name])
    pictures = found.get(_PICTURES) or {}
    if pictures:
        found[_PICTURES] = {index: places.get(path, path) for index, path in pictures.items()}
    return found
