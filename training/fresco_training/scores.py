"""Figures by which a restyled frame is judged; images are float32 RGB in [0, 1], (h, w, 3)."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fresco_training import sources
from fresco_training.styles import STYLES, Image, apply_style

STYLE_NAMES: tuple[str, ...] = tuple(STYLES)
LATENT_PATCH = 8
_TOLERANCE = 2  # Pixels by which an edge may lie off and still count as followed.
_SHRINKAGE = 0.05
_JITTERED = 4  # Altered crops of each photograph that the classifier learns from.
_SIDE = 256


def structure(first: Image, second: Image) -> float:
    """How alike two images' blurred brightness is, -1 to 1."""
    blurred = (cv2.GaussianBlur(image.mean(axis=2), (0, 0), 4) for image in (first, second))
    return float(np.corrcoef(*(image.ravel() for image in blurred))[0, 1])


def edge_f_score(result: Image, source: Image) -> float:
    """F-score of the result's edges as a finding of the source's, 0 to 1.

    Edges are the strongest tenth of each image's smoothed gradient, so that a look with faint
    lines is judged by where they are and not by how many pass a threshold.
    """
    found, wanted = _edges(result), _edges(source)
    reach = np.ones((2 * _TOLERANCE + 1,) * 2, np.uint8)
    precision = cv2.dilate(wanted, reach)[found > 0].mean()
    recall = cv2.dilate(found, reach)[wanted > 0].mean()
    return float(2 * precision * recall / (precision + recall + 1e-9))


def _edges(image: Image) -> NDArray[np.uint8]:
    grey = cv2.GaussianBlur(image.mean(axis=2), (0, 0), 1.5)
    strength = cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    return (strength > np.quantile(strength, 0.9)).astype(np.uint8)


def features(image: Image, source: Image) -> NDArray[np.float64]:
    """By what looks are told apart: colours, how they follow from the source's, lines, blocks."""
    lab, before = _lab(image), _lab(source)
    flat = lab.reshape(-1, 3)
    chroma = np.hypot(flat[:, 1], flat[:, 2])
    quantiles = np.quantile(flat, (0.05, 0.25, 0.5, 0.75, 0.95), axis=0).ravel()
    return np.concatenate(
        [
            flat.mean(0), flat.std(0), quantiles, [chroma.mean(), chroma.std()],
            _colour_map(lab, before), _sharpness(lab[..., 0], before[..., 0]), _blocks(lab[..., 0]),
        ]
    )  # fmt: skip


def _lab(image: Image) -> Image:
    return cv2.cvtColor(np.clip(image, 0, 1), cv2.COLOR_RGB2LAB) / np.float32([100, 60, 60])


def _colour_map(lab: Image, before: Image) -> NDArray[np.float64]:
    """The affine map from the source's smoothed colours to the result's, and what it misses."""
    small = [cv2.resize(x, (48, 48), interpolation=cv2.INTER_AREA) for x in (lab, before)]
    result, source = (x.reshape(-1, 3).astype(np.float64) for x in small)
    given = np.concatenate([source, np.ones((len(source), 1))], axis=1)
    weight = given.T @ given + 1e-3 * len(given) * np.eye(4)
    fitted = np.linalg.solve(weight, given.T @ result)
    return np.concatenate([fitted.ravel(), (result - given @ fitted).std(axis=0)])


def _sharpness(light: Image, before: Image) -> NDArray[np.float64]:
    """Gradients at three scales, alone and against the source's, and whether lines are dark."""
    figures = []
    for sigma in (0.6, 1.2, 2.4):
        now, then = (np.abs(np.diff(cv2.GaussianBlur(x, (0, 0), sigma))) for x in (light, before))
        figures += [now.mean() * 10, np.log((now.mean() + 2e-3) / (then.mean() + 2e-3))]
        figures += [(now > 0.06).mean(), (now < 0.002).mean()]
    line = cv2.GaussianBlur(light, (0, 0), 1.0) - cv2.GaussianBlur(light, (0, 0), 3.0)
    return np.array([*figures, (line**3).mean() / (line**2).mean() ** 1.5, line.std() * 10])


def _blocks(light: Image) -> NDArray[np.float64]:
    """How much steeper brightness is across the borders of latents than within them."""
    ratios = []
    for axis in (0, 1):
        step = np.abs(np.diff(light, axis=axis)).mean(axis=1 - axis)
        at_border = np.arange(1, len(step) + 1) % LATENT_PATCH == 0
        ratios.append(np.log((step[at_border].mean() + 1e-3) / (step[~at_border].mean() + 1e-3)))
    return np.array([np.mean(ratios)])


@dataclass(frozen=True)
class StyleClassifier:
    """Nearest mean in the space of `features`, distances measured by their spread within styles."""

    means: NDArray[np.float64]  # styles features
    whitening: NDArray[np.float64]  # features features

    @staticmethod
    def fit(photographs: list[Image], seed: int = 0) -> "StyleClassifier":
        """Learns the filters' looks from photographs; it never sees what a network made.

        Some filtered pictures are blurred a little or given faint grain, since a decoder's are.
        """
        rng = np.random.default_rng(seed)
        crops = [
            sources.jitter(sources.crop(photograph, rng, _SIDE), rng)
            for photograph in photographs
            for _ in range(_JITTERED)
        ]
        rows = np.array(
            [[features(_worn(apply_style(s, c, 1.0), rng), c) for c in crops] for s in STYLE_NAMES]
        )  # styles photographs features
        means = rows.mean(axis=1)
        within = (rows - means[:, None]).reshape(-1, rows.shape[2])
        scale = within.std(axis=0) + 1e-6
        covariance = np.cov((within / scale).T)
        covariance = (1 - _SHRINKAGE) * covariance + _SHRINKAGE * np.eye(len(scale))
        whitening = np.linalg.cholesky(np.linalg.inv(covariance)) / scale[:, None]
        return StyleClassifier(means @ whitening, whitening)

    def name(self, image: Image, source: Image) -> str:
        """The style that `image`, made from `source`, looks like."""
        here = features(image, source) @ self.whitening
        return STYLE_NAMES[int(((self.means - here) ** 2).sum(axis=1).argmin())]

    def distance(self, image: Image, source: Image) -> float:
        """How far `image` is from the photograph it was made from, in spreads within styles."""
        away = features(image, source) - features(source, source)
        return float(np.linalg.norm(away @ self.whitening))


def _worn(image: Image, rng: np.random.Generator) -> Image:
    if rng.random() < 0.5:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 0.9))
    grain = rng.normal(0, rng.uniform(0, 0.02), image.shape).astype(np.float32)
    return np.clip(image + cv2.GaussianBlur(grain, (0, 0), 0.8), 0, 1)
