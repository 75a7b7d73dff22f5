"""How faithful a result is to what its source shows: Spat-Con (section 4.1 of FRESCO)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import torch
from fresco_media.types import Image
from numpy.typing import NDArray
from torch import Tensor

from fresco_engine.correspondence.similarity import SimilarityTarget, similarity_distance
from fresco_engine.evaluation.means import mean_of
from fresco_engine.evaluation.steadiness import Pair, check_sizes

_FEATURE_STEP = 8
_ORIENTATIONS = 4
_SCALES = (1.0, 2.0, 4.0)


class StructureFeatures(Protocol):
    """Describes the places of a picture for Spat-Con."""

    @property
    def name(self) -> str:
        """What a reader has to know to compare figures."""
        ...

    def __call__(self, image: Image) -> Tensor:
        """(n, c): a row for every place."""
        ...


class FixedFeatures:
    """Stand in for VGG where its weights are not at hand."""

    name = "fixed features"

    def __call__(self, image: Image) -> Tensor:
        """(n, c) unit rows."""
        return features(image)


FIXED_FEATURES = FixedFeatures()


@dataclass(frozen=True, eq=False)
class Structure:
    """The self-similarity of a source frame, which those of its results are held against."""

    features: StructureFeatures
    target: SimilarityTarget

    @staticmethod
    def of(source: Image, features: StructureFeatures = FIXED_FEATURES) -> Structure:
        """The structure of `source`."""
        return Structure(features, SimilarityTarget.of(features(source)[None]))

    def distance(self, result: Image) -> float:
        """Spat-Con of one frame: mean squared difference over all pairs of places."""
        own = self.features(result)[None]
        # Equal pictures may differ by rounding, on either side of nothing.
        return max(0.0, float(similarity_distance(own, self.target))) / own.shape[1] ** 2


def spatial_consistency(
    pairs: Iterable[Pair], features: StructureFeatures = FIXED_FEATURES
) -> float:
    """Mean squared difference of the feature self-similarities of sources and results.

    The paper's Spat-Con takes its features from VGG. Its weights are not part of this package,
    so fixed features stand in: numbers compare with each other, not with the paper's.

    Raises:
        ValueError: a result has another size than its source.
    """
    distances: list[float] = []
    for source, result in pairs:
        check_sizes(source, result)
        distances.append(Structure.of(source, features).distance(result))
    return mean_of(distances)


def features(image: Image) -> Tensor:
    """(n, c) unit rows describing a picture on a grid of 8x8 cells; fixed, nothing is learned.

    Per cell: strength of edges in 4 orientations at 3 scales, and the mean and spread of
    lightness and the two colour opponents. Each group is centred over the picture and scaled by
    its deviation, so that a restyled picture with the same layout scores well, as with VGG.
    """
    rgb = image.astype(np.float32) / np.float32(255)
    lab = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), np.float32)
    size = tuple(max(1, round(side / _FEATURE_STEP)) for side in reversed(lab.shape[:2]))
    maps = [*_edges(lab), lab, np.abs(lab - cv2.GaussianBlur(lab, (0, 0), 4.0))]
    cells = [cv2.resize(m, size, interpolation=cv2.INTER_AREA) for m in maps]
    groups = [_standardised(cell.reshape(size[0] * size[1], -1)) for cell in cells]
    rows = torch.from_numpy(np.concatenate(groups, axis=1))
    return rows / torch.linalg.vector_norm(rows, dim=1, keepdim=True).clamp_min(1e-6)


def _edges(lab: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """One (h, w, orientations) map per scale: how strong the edges of each direction are."""
    angles = np.arange(_ORIENTATIONS, dtype=np.float32) * np.float32(np.pi / _ORIENTATIONS)
    maps = []
    for scale in _SCALES:
        smooth = cv2.GaussianBlur(lab[..., 0], (0, 0), scale)
        across = cv2.Scharr(smooth, cv2.CV_32F, 1, 0)[..., None]
        down = cv2.Scharr(smooth, cv2.CV_32F, 0, 1)[..., None]
        maps.append(np.abs(across * np.cos(angles) + down * np.sin(angles)))
    return maps


def _standardised(group: NDArray[np.float32]) -> NDArray[np.float32]:
    """`group` (n, c) centred per channel, with a deviation of 1 over all its channels."""
    centred = group - group.mean(axis=0)
    return centred / np.float32(max(float(centred.std()), 1e-6) * np.sqrt(group.shape[1]))
