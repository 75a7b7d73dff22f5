"""How steady and how faithful a result is: Pixel-MSE and Spat-Con (section 4.1 of FRESCO)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from fresco_media.types import Image
from numpy.typing import NDArray
from torch import Tensor

from fresco_engine.correspondence.flow import FlowEstimator
from fresco_engine.correspondence.occlusion import occlusion
from fresco_engine.correspondence.similarity import SimilarityTarget, similarity_distance
from fresco_engine.correspondence.warp import warp_image

Pair = tuple[Image, Image]
"""A source frame and its result, of one size."""

_FEATURE_STEP = 8
_ORIENTATIONS = 4
_SCALES = (1.0, 2.0, 4.0)


@dataclass(frozen=True, kw_only=True)
class Consistency:
    """Both measures of one result; lower is better.

    `pixel_mse` is `nan` where no two frames could be compared.
    """

    pixel_mse: float
    spatial_consistency: float
    frame_count: int


def measure(pairs: Iterable[Pair], estimator: FlowEstimator) -> Consistency:
    """Both measures in one pass over consecutive (source, result) frames, two pairs in memory."""
    errors: list[float] = []
    distances: list[float] = []
    before: Pair | None = None
    for pair in pairs:
        _check_sizes(pair)
        distances.append(feature_distance(*pair))
        if before is not None:
            errors.append(aligned_error(before, pair, estimator))
        before = pair
    return Consistency(
        pixel_mse=_mean(errors),
        spatial_consistency=_mean(distances),
        frame_count=len(distances),
    )


def pixel_mse(pairs: Iterable[Pair], estimator: FlowEstimator) -> float:
    """Mean squared error (range 0-1) of consecutive results aligned by the sources' flow.

    Only pixels the frame before shows too are counted. `nan` for fewer than two frames.
    """
    return mean_error(pixel_errors(pairs, estimator))


def pixel_errors(pairs: Iterable[Pair], estimator: FlowEstimator) -> Iterator[float]:
    """The error of each result against the one before, in order; two pairs in memory."""
    before: Pair | None = None
    for pair in pairs:
        _check_sizes(pair)
        if before is not None:
            yield aligned_error(before, pair, estimator)
        before = pair


def mean_error(errors: Iterable[float]) -> float:
    """The mean without the gaps, `nan` where nothing is left."""
    return _mean(list(errors))


def spatial_consistency(pairs: Iterable[Pair]) -> float:
    """Mean squared difference of the feature self-similarities of sources and results.

    The paper's Spat-Con takes its features from VGG. Its weights are not part of this package,
    so `features` stands in: numbers compare with each other, not with the paper's.
    """
    distances: list[float] = []
    for pair in pairs:
        _check_sizes(pair)
        distances.append(feature_distance(*pair))
    return _mean(distances)


def aligned_error(before: Pair, after: Pair, estimator: FlowEstimator) -> float:
    """Pixel-MSE of one step; `nan` where nothing is seen in both frames."""
    backward = estimator(after[0], before[0])
    forward = estimator(before[0], after[0])
    is_seen = ~occlusion(backward, forward, after[0], before[0])
    difference = (warp_image(before[1], backward) - after[1]) / np.float32(255)
    return _mean(np.square(difference).mean(axis=-1)[is_seen])


def feature_distance(source: Image, result: Image) -> float:
    """Spat-Con of one frame: mean over all pairs of places."""
    target = SimilarityTarget.of(features(source)[None])
    own = features(result)[None]
    # Equal pictures may differ by rounding, on either side of nothing.
    return max(0.0, float(similarity_distance(own, target))) / own.shape[1] ** 2


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


def _check_sizes(pair: Pair) -> None:
    source, result = pair
    if source.shape != result.shape:
        raise ValueError(f"a result of {result.shape} cannot be held against {source.shape}")


def _mean(values: list[float] | NDArray[np.float32]) -> float:
    """The mean without the gaps, `nan` where nothing is left."""
    kept = np.asarray(values, np.float64)
    kept = kept[~np.isnan(kept)]
    return float(kept.mean()) if kept.size else float("nan")
