"""The training set: random pictures, each in every style, and batches cut out of them."""

import logging
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fresco_training import own, scenes, sources
from fresco_training.styles import STYLES, Image, apply_style

_log = logging.getLogger(__name__)

SIDE = 320
SCALE = 1.0  # Pictures of 320 pixels stand for crops of larger ones, so filters keep full size.
LATENT_PATCH = 8
GRAINY_EVERY = 6

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Share:
    """How many pictures are drawn from each kind of source."""

    per_photograph: int = 14
    per_panorama: int = 12
    per_clip: int = 40
    scenes: int = 120
    fields: int = 14


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Pixels of photographs and of their styled versions, both (b, side, side, 3) uint8."""

    photo: Pixels
    styled: Pixels
    styles: NDArray[np.int64]

    def part(self, count: int) -> "Batch":
        """The first `count` samples."""
        return Batch(
            photo=self.photo[:count], styled=self.styled[:count], styles=self.styles[:count]
        )


@dataclass(frozen=True, kw_only=True)
class Folders:
    """Where pictures come from beside those that packages bring and those that are drawn."""

    photos: tuple[Path, ...] = ()
    panoramas: Path | None = None
    clips: Path | None = None


def build(
    path: Path, folders: Folders, share: Share, workers: int, own_styles: Path | None = None
) -> None:
    """Writes (pictures, styles, 320, 320, 3) uint8 to `path`, an .npy file."""
    pictures = _pictures(folders, share)
    rng = np.random.default_rng(0)
    rng.shuffle(pictures)
    shape = (len(pictures), len(STYLES), SIDE, SIDE, 3)
    path.parent.mkdir(parents=True, exist_ok=True)
    store = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    # Started afresh, not forked: a fork inherits the locks of OpenCV's threads and hangs.
    with get_context("spawn").Pool(workers, own.load, (own_styles,)) as pool:
        for index, styled in enumerate(pool.imap(_in_every_style, pictures, chunksize=4)):
            store[index] = styled
            if index % GRAINY_EVERY == 0:  # The look stays that of the good picture.
                store[index, 0] = to_pixels(sources.grainy(pictures[index], rng))
            if index % 100 == 0:
                _log.info("styled %d of %d pictures", index, len(pictures))
    store.flush()


def _pictures(folders: Folders, share: Share) -> list[Image]:
    rng = np.random.default_rng(1)
    photographs = [p for folder in folders.photos for p in sources.folder_photographs(folder)]
    photographs += sources.scikit_image_photographs()
    pictures = [
        sources.jitter(sources.crop(photograph, rng, SIDE), rng)
        for photograph in photographs
        for _ in range(share.per_photograph)
    ]
    for panorama in sources.folder_photographs(folders.panoramas) if folders.panoramas else []:
        views = (sources.perspective(panorama, rng, SIDE) for _ in range(share.per_panorama))
        pictures += [sources.jitter(view, rng) for view in views]
    for frame in sources.folder_frames(folders.clips, share.per_clip) if folders.clips else []:
        pictures.append(sources.jitter(sources.crop(frame, rng, SIDE), rng))
    pictures += [scenes.scene(rng, SIDE) for _ in range(share.scenes)]
    pictures += [scenes.colour_field(rng, SIDE) for _ in range(share.fields)]
    return pictures


def _in_every_style(picture: Image) -> Pixels:
    cv2.setNumThreads(1)
    return np.stack([to_pixels(apply_style(name, picture, SCALE)) for name in STYLES])


def to_pixels(image: Image) -> Pixels:
    """float [0, 1] to uint8, rounded."""
    return np.round(np.clip(image, 0.0, 1.0) * 255.0).astype(np.uint8)


class Dataset:
    """Random aligned crops of the stored pictures."""

    def __init__(self, path: Path, seed: int) -> None:
        self._store: Pixels = np.load(path, mmap_mode="r")
        self._rng = np.random.default_rng(seed)

    def reseed(self, seed: int) -> None:
        """Draws from here on as a fresh one with this seed."""
        self._rng = np.random.default_rng(seed)

    def __len__(self) -> int:
        return len(self._store)

    def batch(self, size: int, side: int, chances: NDArray[np.float64]) -> Batch:
        """`size` crops of `side` pixels; `chances` holds each style's share of them."""
        styles = self._rng.choice(len(chances), size, p=chances)
        pairs = [self._pair(int(style), side) for style in styles]
        photo, styled = (np.stack(column) for column in zip(*pairs, strict=True))
        return Batch(photo=photo, styled=styled, styles=styles)

    def _pair(self, style: int, side: int) -> tuple[Pixels, Pixels]:
        """A photo and its styled version, cut on the latent grid: pixel blocks stay aligned."""
        picture = self._store[self._rng.integers(len(self._store))]
        top, left = self._rng.integers(0, (SIDE - side) // LATENT_PATCH + 1, 2) * LATENT_PATCH
        window = np.s_[top : top + side, left : left + side]
        photo, styled = picture[0][window], picture[style][window]
        # Snow falls from above: only left and right may be exchanged, and these not in looks that
        # are lit from above left.
        if self._rng.random() < 0.5 and STYLE_NAMES[style] not in LIT_FROM_LEFT:
            photo, styled = photo[:, ::-1], styled[:, ::-1]
        return photo, styled


STYLE_NAMES: tuple[str, ...] = tuple(STYLES)
LIT_FROM_LEFT = {"oil", "clay", "paper cut", "risograph"}
