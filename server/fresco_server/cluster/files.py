"""Files that a job reads, on a machine that may have them at the same place, or is sent them.

A source (clip, mask, picture) is used where it is, as on a folder that machines share, if it is
there with the same content, and else copied once for all workers of a machine. Files of models are
never sent: they have to be there, and the same.
"""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from fresco_engine.diffusion.named_files import model_files
from fresco_engine.errors import ModelNotFound
from fresco_media.clip import Clip
from fresco_media.files.disk import storing
from fresco_media.files.own import OwnFolder
from fresco_media.files.state import KnownFile, stamps_of
from fresco_media.mask import MaskClip
from fresco_settings import FlowChoice

from fresco_server.cluster.orders import ModelFile, Needs, SourceFile, SourceFiles
from fresco_server.jobs.job import JobOrder, ModelOrder, Values
from fresco_server.worker.files import places_of
from fresco_server.worker.media import open_clip

CHUNK_BYTES = 8 << 20
_PICTURES = "keyframe_pictures"
_ONE_FILE = ("subject_mask", "reference")
FILE_SETTINGS = (*_ONE_FILE, _PICTURES)
"""Settings that name files which are sent."""


def needs_of(order: JobOrder, clip: Clip) -> Needs:
    """What a job reads beside its checkpoint; `clip` is its clip, opened.

    Raises:
        ClipError, MaskUnusable: the mask cannot be read.
        OSError: a file cannot be read.
    """
    return Needs(
        sources=tuple(_sources(order.clip, order.settings, clip)),
        models=tuple(_models(order.model, order.settings)),
    )


def needs_of_look(clip: str, frame_rate: str | None, settings: Values, model: ModelOrder) -> Needs:
    """The same for one frame; raises as `needs_of`."""
    return Needs(
        sources=tuple(_sources(clip, settings, open_clip(clip, frame_rate))),
        models=tuple(_models(model, settings)),
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
    return SourceFile(str(file.path), file.size, file.sample)


def _models(model: ModelOrder, settings: Values) -> Iterator[ModelFile]:
    flow = settings.get("flow")
    weights = flow and FlowChoice.parse(flow).file
    named = [(file.path, file.field) for file in model_files(places_of(model), settings)]
    for path, field in (*named, *([(Path(weights), "flow")] if weights else [])):
        facts = path.stat()
        yield ModelFile(str(path), field, facts.st_size, _digest(path, stamps_of(facts)))


@lru_cache(maxsize=4096)
def _digest(path: Path, stamps: tuple[int, int, int]) -> str:
    """SHA-256 of a file that has not changed since `stamps`."""
    del stamps
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def check_models(files: tuple[ModelFile, ...]) -> None:
    """Insist on the files of a model being on this machine, and the daemon's.

    Raises:
        ModelNotFound: one is missing or has another content.
    """
    for file in files:
        path = Path(file.path)
        is_same = False
        with suppress(OSError):
            facts = path.stat()
            is_same = facts.st_size == file.size_bytes
            is_same = is_same and _digest(path, stamps_of(facts)) == file.sha256
        if not is_same:
            what = "has another content" if path.exists() else "is missing"
            error = ModelNotFound(
                path,
                f"it {what} on {platform.node()}, a machine of the cluster; copy it there from "
                "the daemon's machine, to the same place, or share the folder",
            )
            error.field = file.field
            raise error


class SourceCache:
    """What was sent to this machine, below `folder`; used by all workers of one daemon there."""

    def __init__(self, folder: Path) -> None:
        with storing(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._own = OwnFolder(folder)
        self._folder = folder

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
        """Where a source is: where it is at the daemon, or here."""
        if _is_here(source):
            return source.name
        name = Path(source.name)
        # A folder of pictures is named itself; of other sources the folder that they are in is.
        inside = Path(source.files[0].path).parent
        folder = self._folder / _key(inside)
        return str(folder if name == inside else folder / name.name)

    def write(self, file: SourceFile, offset: int, data: bytes) -> None:
        """Take in a piece of a file; pieces come in order, and the last completes it.

        Raises:
            DiskFull, OutputNotWritable: it cannot be stored.
        """
        folder, path = self._parts(file)
        partial = self._folder / folder / f".{path}.partial"
        with storing(partial):
            self._own.make(folder)
            with partial.open("wb" if offset == 0 else "r+b") as part:
                part.seek(offset)
                part.write(data)
            if offset + len(data) >= file.size_bytes:
                partial.replace(self._folder / folder / path)

    def _has(self, file: SourceFile) -> bool:
        folder, name = self._parts(file)
        return _is_same(self._folder / folder / name, file)

    def _parts(self, file: SourceFile) -> tuple[str, str]:
        path = Path(file.path)
        return _key(path.parent), path.name


def _is_here(source: SourceFiles) -> bool:
    """Whether all files of a source are at the same place here."""
    return all(_is_same(Path(file.path), file) for file in source.files)


def _is_same(path: Path, file: SourceFile) -> bool:
    try:
        facts = path.stat()
        return facts.st_size == file.size_bytes and _sampled(path, file, stamps_of(facts))
    except OSError:
        return False


@lru_cache(maxsize=65536)
def _sampled(path: Path, file: SourceFile, stamps: tuple[int, int, int]) -> bool:
    del stamps
    with path.open("rb") as opened:
        # Of many files fewer samples are taken, and of which kind it is does not matter here.
        return file.sample in (KnownFile(path).sample, KnownFile.of(path, opened).sample)


def _key(folder: Path) -> str:
    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]


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
