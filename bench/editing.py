"""What an edit keeps that a restyle loses, at the same look, and what the method adds to an edit.

    python bench/editing.py CLIP [CLIP ...] --gap 10 [--keep 1]

Keyframes are made in the looks that edits are for: restyled (SDEdit, arXiv:2108.01073), edited
frame by frame, and edited by FRESCO. Structure is the correlation of blurred brightness with the
source, edges the F-score of theirs; "from the look" is how far the picture lies from what the
look's own filter makes of the source, as the nearest-mean judge of `training/` measures it, as a
share of how far the source itself does. A second table holds restyle and edit against each other
where both are equally near to the look, as near as both come: each is made at several strengths,
and what lies between two of them is interpolated. The clip that comes back is compared in dB, with
the same words and without guidance, to what the autoencoder alone makes of it. Last comes what a
batch costs: restyled, edited, and edited once more with the inversion that was kept.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from baselines.comparison import Shown, kept_or_made, make_parser
from baselines.frame_by_frame import frame_by_frame
from baselines.fresco import FRESCO
from baselines.strategy import Keyframes, Strategy, plain, translated
from fresco_engine.correspondence.flow import DisFlow
from fresco_engine.diffusion.editing.kept_inversions import Arrays
from fresco_engine.diffusion.latents import decode_latents, encode_images
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import load_model
from fresco_engine.evaluation.evaluate import Measuring, Moment, evaluate
from fresco_engine.evaluation.likeness import psnr
from fresco_engine.progress_tracker import drained
from fresco_engine.settings import RestyleSettings
from fresco_media.types import Image
from fresco_training import scores
from fresco_training.scenes import scene
from fresco_training.styles import apply_style

_LOOKS = ("winter", "neon", "night")
_STRENGTHS = (0.125, 0.25, 0.5, 0.75, 1.0)
_SWEPT = ("restyle, frame by frame", "edit, frame by frame")
"""SDEdit and its like among edits; neither has anything of the method."""
_DDIM_STEPS = 20
_REPEATS = 5


@dataclass(frozen=True)
class Edited:
    """A strategy on inverted latents."""

    made: Strategy = field(repr=False)  # A function's place in memory tells nothing of it.
    source_prompt: str
    keep: float

    def __call__(
        self, model: Model, keyframes: Keyframes, settings: RestyleSettings
    ) -> tuple[Image, ...]:
        """The keyframes edited."""
        chosen = replace(settings, mode="edit", source_prompt=self.source_prompt, keep=self.keep)
        return self.made(model, keyframes, chosen)


def rows_of(options: argparse.Namespace) -> dict[str, Strategy]:
    """What is compared, by name."""
    words, keep = options.source_prompt, options.keep
    return {
        "restyle, frame by frame": frame_by_frame,
        "restyle, FRESCO": FRESCO,
        "edit, frame by frame": Edited(frame_by_frame, words, keep),
        "edit, FRESCO": Edited(FRESCO, words, keep),
    }


def _float(image: Image) -> np.ndarray:
    return image.astype(np.float32) / 255


def _distance(judge: scores.StyleClassifier, style: str, image: Image, source: Image) -> float:
    """From the look's own filter, as a share of how far the source is from it."""

    def place(picture: np.ndarray) -> np.ndarray:
        return scores.features(picture, _float(source)) @ judge.whitening

    wanted = place(apply_style(style, _float(source), 1.0))
    here, before = place(_float(image)), place(_float(source))
    return float(np.linalg.norm(here - wanted) / np.linalg.norm(before - wanted))


@dataclass(frozen=True)
class Figures:
    """Of the keyframes of one row, the means."""

    structure: float
    edges: float
    distance: float

    @staticmethod
    def of(
        shown: Shown, images: Sequence[Image], judge: scores.StyleClassifier, style: str
    ) -> Figures:
        """How they keep to the source, and how far they are from the look."""
        sources = (shown.cropped(image) for image in shown.keyframes.images)
        pairs = list(zip(images, sources, strict=True))
        return Figures(
            structure=float(np.mean([scores.structure(_float(a), _float(b)) for a, b in pairs])),
            edges=float(np.mean([scores.edge_f_score(_float(a), _float(b)) for a, b in pairs])),
            distance=float(np.mean([_distance(judge, style, a, b) for a, b in pairs])),
        )

    @property
    def cells(self) -> str:
        """Of a table in Markdown."""
        return f"{self.structure:.3f} | {self.edges:.3f} | {self.distance:.3f}"


_UNTOUCHED = Figures(structure=1, edges=1, distance=1)
"""The source itself: strength 0."""


@dataclass(frozen=True)
class Curve:
    """The figures of one row at rising strengths, up to where it is nearest to the look."""

    points: tuple[Figures, ...]

    @staticmethod
    def of(made: Sequence[Figures]) -> Curve:
        """From the source on, and without what goes farther from the look again."""
        points = (_UNTOUCHED, *made)
        nearest = min(range(len(points)), key=lambda place: points[place].distance)
        return Curve(points[: nearest + 1])

    @property
    def nearest(self) -> float:
        """The least distance from the look."""
        return self.points[-1].distance

    def at(self, distance: float) -> Figures:
        """At a distance from the look that it reaches; between two points as between their ends."""
        known = sorted(self.points, key=lambda point: point.distance)
        places = [point.distance for point in known]
        structure = np.interp(distance, places, [point.structure for point in known])
        edges = np.interp(distance, places, [point.edges for point in known])
        return Figures(float(structure), float(edges), distance)


def equally_near(curves: Mapping[str, Curve]) -> str:
    """A table in Markdown of all rows where they are as near to the look as all of them come."""
    distance = max(curve.nearest for curve in curves.values())
    lines = ["| equally near | structure | edges | from the look |", f"| --- |{' --- |' * 3}"]
    lines += [f"| {name} | {curve.at(distance).cells} |" for name, curve in curves.items()]
    return "\n".join(lines)


def table(
    shown: Shown, results: Mapping[str, Sequence[Image]], judge: scores.StyleClassifier, style: str
) -> str:
    """In Markdown."""
    moments = [
        Moment(place, shown.cropped(source), {name: made[place] for name, made in results.items()})
        for place, source in enumerate(shown.keyframes.images)
    ]
    measuring = Measuring(estimator=DisFlow(), reference="restyle, frame by frame")
    found = {one.name: one for one in drained(evaluate(moments, measuring))}
    figures = {name: Figures.of(shown, one, judge, style) for name, one in results.items()}
    lines = ["| | structure | edges | from the look | Pixel-MSE |", f"| --- |{' --- |' * 4}"]
    for name, one in {"source": _UNTOUCHED, **figures}.items():
        lines.append(f"| {name} | {one.cells} | {found[name].pixel_mse:.6f} |")
    return "\n".join(lines)


def tables(
    shown: Shown,
    model: Model,
    judge: scores.StyleClassifier,
    style: str,
    options: argparse.Namespace,
) -> str:
    """Of one look: at its own strength, and where restyle and edit are equally near to it."""
    chosen = RestyleSettings(
        prompt="", style=style, size=options.size, seed=options.seed, strength=options.strength
    )
    usual = model.resolved(chosen)
    usual = replace(usual, prompt=usual.style_prompt or "")

    def made(strength: float, rows: Mapping[str, Strategy]) -> dict[str, list[Image]]:
        assert usual.steps is not None
        steps = max(usual.steps, round(1 / strength))  # Of fewer none would be left.
        settings = replace(usual, strength=strength, steps=steps)
        folder = options.out / shown.name / style / f"{strength}"
        return {
            name: kept_or_made(folder, name, row, (model, shown, settings))
            for name, row in rows.items()
        }

    rows = rows_of(options)
    assert usual.strength is not None
    own = made(usual.strength, rows)
    swept = {name: rows[name] for name in _SWEPT}
    at_strengths = [made(strength, swept) for strength in _STRENGTHS]
    curves = {
        name: Curve.of([Figures.of(shown, one[name], judge, style) for one in at_strengths])
        for name in swept
    }
    return f"{table(shown, own, judge, style)}\n\n{equally_near(curves)}"


def returned(shown: Shown, model: Model, settings: RestyleSettings, words: str) -> str:
    """How the clip comes back by each inversion, beside the autoencoder alone."""
    images = shown.keyframes.images
    stacked = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).to(model.device)
    decoded = decode_latents(model, encode_images(model, stacked.float() / 127.5 - 1))
    alone = ((decoded + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    same = replace(
        plain(settings), mode="edit", prompt=words, source_prompt=words, guidance_scale=1.0
    )
    ddim = replace(same, inversion="ddim", sampler="ddim", steps=_DDIM_STEPS)

    def told(made: Sequence[Image]) -> str:
        pairs = zip(made, images, strict=True)
        return f"{np.mean([psnr(shown.cropped(a), shown.cropped(b)) for a, b in pairs]):.2f} dB"

    by_ddpm, by_ddim = (translated(model, shown.keyframes, one) for one in (same, ddim))
    return (
        f"comes back: autoencoder {told(tuple(alone))}, ddpm {told(by_ddpm)}, "
        f"ddim in {_DDIM_STEPS} steps {told(by_ddim)}"
    )


class _InMemory:
    """Keeps inversions until the program ends."""

    def __init__(self) -> None:
        self._kept: dict[str, Arrays] = {}

    def inversion(self, key: str) -> Arrays | None:
        return self._kept.get(key)

    def save_inversion(self, key: str, arrays: Arrays) -> None:
        self._kept[key] = arrays


def cost(shown: Shown, model: Model, settings: RestyleSettings, words: str) -> str:
    """Seconds of the processor for a batch: restyled, edited, and edited once more."""
    edit = replace(settings, mode="edit", source_prompt=words)
    kept = _InMemory()

    def seconds(chosen: RestyleSettings) -> float:
        begin = time.process_time()
        translated(model, shown.keyframes, chosen, kept)
        return time.process_time() - begin

    seconds(settings)  # What is made ready once is no part of it.
    # In turns, as a machine is not equally quick all the time.
    rounds = [
        [seconds(one) for one in (settings, replace(edit, seed=number), replace(edit, seed=number))]
        for number in range(_REPEATS)
    ]
    restyled, first, second = np.median(rounds, axis=0)
    return (
        f"a batch takes {restyled:.1f} s restyled, an edit {first / restyled:.2f} times that, "
        f"another one {second / restyled:.2f}"
    )


def main() -> None:
    """Prints a table for each clip and look."""
    parser = make_parser((__doc__ or "").splitlines()[0], "editing")
    parser.add_argument("--keep", type=float, default=1.0)
    options = parser.parse_args()
    model = load_model(options.model, control=options.control, device=options.device)
    rng = np.random.default_rng(1)
    judge = scores.StyleClassifier.fit([scene(rng, 256) for _ in range(8)])
    for path in options.clips:
        shown = Shown.read(path, options, model.device)
        for style in _LOOKS:
            print(
                f"\n{shown.name}, {style}\n{tables(shown, model, judge, style, options)}",
                flush=True,
            )
        usual = model.resolved(RestyleSettings(prompt="any", size=options.size, seed=options.seed))
        print(returned(shown, model, usual, options.source_prompt), flush=True)
        print(cost(shown, model, usual, options.source_prompt), flush=True)


if __name__ == "__main__":
    main()
