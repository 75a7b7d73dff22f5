"""Translates keyframes of clips in several ways, keeps what is done, measures and prints it."""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from fresco_engine.correspondence.batch import correspond
from fresco_engine.correspondence.flow import DisFlow, track
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import load_model
from fresco_engine.errors import RangeOutsideClip
from fresco_engine.evaluation.clip_scores import ClipEncoder, ClipScores, cached_clip
from fresco_engine.evaluation.evaluate import Evaluation, Measuring, Moment, evaluate
from fresco_engine.evaluation.sheet import MovingRegions, draw_sheet
from fresco_engine.evaluation.structure import FIXED_FEATURES
from fresco_engine.evaluation.vgg import VggFeatures, cached_vgg
from fresco_engine.settings import NOISE_KINDS, RestyleSettings
from fresco_media.clip import Clip
from fresco_media.colour.scaling import fit, working_size
from fresco_media.stills.images import read_image, write_image
from fresco_media.types import Image

from baselines.strategy import Keyframes, Strategy

_COLUMNS = {
    "frame_accuracy": ("Fram-Acc", ".3f"),
    "temporal_consistency": ("Tem-Con", ".4f"),
    "pixel_mse": ("Pixel-MSE", ".6f"),
    "spatial_consistency": ("Spat-Con", ".5f"),
    "warp_error": ("warp error", ".5f"),
    "sticking": ("sticking", ".3f"),
    "sharpness_to_reference": ("sharpness", ".2f"),
}


def make_parser(description: str, name: str) -> argparse.ArgumentParser:
    """The options that every table has; `name` is that of its folder of results."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--prompt", default="a watercolour painting")
    parser.add_argument("--source-prompt", default="a photo", help="for Fram-Acc")
    parser.add_argument("--model", default=None, help="any Stable Diffusion 1.5 model")
    parser.add_argument("--control", default=None, help="tile, canny, hed, depth or none")
    parser.add_argument("--control-model", default=None)
    parser.add_argument("--device", default=None)
    parser.add_argument("--size", type=int, default=256, help="short side in pixels")
    parser.add_argument("--count", type=int, default=8, help="keyframes, one batch")
    parser.add_argument("--gap", type=int, default=1, help="frames from one to the next")
    parser.add_argument("--start", type=int, default=0, help="first frame")
    parser.add_argument("--strength", type=float, default=None)
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--guidance", type=float, default=None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--start-noise", choices=NOISE_KINDS, help="shared is that of the published methods"
    )
    parser.add_argument(
        "--step-noise", choices=NOISE_KINDS, help="own is that of the published methods"
    )
    parser.add_argument("--clip", type=Path, default=None, help="a CLIP model's folder")
    parser.add_argument("--vgg", type=Path, default=None, help="weights of VGG-16 or VGG-19")
    parser.add_argument("--only", default="", help="only rows whose name contains this")
    parser.add_argument(
        "--out", type=Path, default=Path("build") / name, help="results are kept here"
    )
    return parser


@dataclass(frozen=True, eq=False)
class Shown:
    """The keyframes of a clip, and how much of their padded pictures shows it."""

    name: str
    keyframes: Keyframes
    size: tuple[int, int]

    @staticmethod
    def read(path: Path, options: argparse.Namespace, device: Any) -> Shown:
        """The wanted keyframes; motion is followed through the frames between them."""
        clip = Clip.open(path)
        size = working_size(clip.info.width, clip.info.height, options.size)
        stop = options.start + options.gap * (options.count - 1) + 1
        if stop > clip.info.frame_count:
            raise RangeOutsideClip(path, options.start, stop, clip.info.frame_count)
        images = [fit(frame.image, size) for frame in clip.frames(options.start, stop)]
        chosen = tuple(range(0, len(images), options.gap))
        tracks = [track(images[a : b + 1], DisFlow()) for a, b in pairwise(chosen)]
        keys = tuple(images[i] for i in chosen)
        correspondence = correspond(keys, DisFlow(), tracks=tracks, device=device)
        indices = tuple(options.start + i for i in chosen)
        return Shown(path.stem, Keyframes(indices, keys, correspondence), size.scaled)

    def cropped(self, image: Image) -> Image:
        """A padded picture without its padding."""
        width, height = self.size
        return np.ascontiguousarray(image[:height, :width])


def run(options: argparse.Namespace, rows: Mapping[str, Strategy], reference: str) -> None:
    """Makes and prints a table for every clip, and the mean over them.

    `reference` is the row that sharpness is held against; it is always made.
    """
    rows = {name: row for name, row in rows.items() if options.only in name or name == reference}
    model = load_model(
        options.model,
        control=options.control,
        control_source=options.control_model,
        device=options.device,
    )
    settings = model.resolved(_settings(options))
    tables: list[list[Evaluation]] = []
    for path in options.clips:
        shown = Shown.read(path, options, model.device)
        results = {
            name: kept_or_made(options.out / shown.name, name, row, (model, shown, settings))
            for name, row in rows.items()
        }
        evaluations, sheet = _measured(shown, results, _measuring(options, reference))
        print(f"\n{shown.name}: {len(shown.keyframes.indices)} keyframes, {settings.prompt!r}")
        print(table_of(evaluations))
        if sheet is not None:
            write_image(options.out / shown.name / "crops.png", sheet)
            print(f"crops: {options.out / shown.name / 'crops.png'}")
        tables.append(evaluations)
    if len(tables) > 1:
        print(f"\nmean over {len(tables)} clips")
        print(table_of([_mean(row) for row in zip(*tables, strict=True)]))


def _settings(options: argparse.Namespace) -> RestyleSettings:
    kinds = {"start_noise": options.start_noise, "step_noise": options.step_noise}
    chosen: dict[str, Any] = {name: kind for name, kind in kinds.items() if kind is not None}
    return RestyleSettings(
        prompt=options.prompt,
        size=options.size,
        seed=options.seed,
        control=options.control,
        steps=options.steps,
        strength=options.strength,
        guidance_scale=options.guidance,
        **chosen,
    )


def kept_or_made(
    folder: Path,
    name: str,
    strategy: Strategy,
    given: tuple[Model, Shown, RestyleSettings],
) -> list[Image]:
    """The pictures of a row: those of an earlier run like this one, else made and kept now.

    What says how they were made is written last, so that what was interrupted is made again.
    """
    model, shown, settings = given
    place = folder / name.lower().replace(" ", "-")
    note = place / "made.json"
    files = [place / f"{index:06d}.png" for index in shown.keyframes.indices]
    key = _key(name, strategy, given)
    if note.is_file() and json.loads(note.read_text())["key"] == key:
        return [read_image(file) for file in files]
    place.mkdir(parents=True, exist_ok=True)
    note.unlink(missing_ok=True)
    began = time.perf_counter()
    images = [shown.cropped(one) for one in strategy(model, shown.keyframes, settings)]
    seconds = time.perf_counter() - began
    for file, image in zip(files, images, strict=True):
        write_image(file, image)
    note.write_text(json.dumps({"key": key, "seconds": round(seconds, 2)}) + "\n")
    print(f"{shown.name}: {name} in {seconds:.1f} s", flush=True)
    return images


def _key(name: str, strategy: Strategy, given: tuple[Model, Shown, RestyleSettings]) -> str:
    """What the pictures of a row depend on, but for the code that makes them."""
    model, shown, settings = given
    pictures = hashlib.sha256(b"".join(one.tobytes() for one in shown.keyframes.images))
    parts = (name, repr(strategy) if hasattr(strategy, "__dataclass_fields__") else "")
    told = (*parts, model.name, shown.keyframes.indices, settings.as_dict(), pictures.hexdigest())
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def _measuring(options: argparse.Namespace, reference: str) -> Measuring:
    clip, vgg = options.clip or cached_clip(), options.vgg or cached_vgg()
    scores = clip and ClipScores.of(ClipEncoder.load(clip), options.prompt, options.source_prompt)
    return Measuring(
        estimator=DisFlow(),
        reference=reference,
        features=VggFeatures.load(vgg) if vgg else FIXED_FEATURES,
        scores=scores,
    )


def _measured(
    shown: Shown, results: Mapping[str, Sequence[Image]], measuring: Measuring
) -> tuple[list[Evaluation], Image | None]:
    """The figures, with the source itself first, and crops of what moves."""
    moments = list(_moments(shown, results))
    steps, regions = evaluate(moments, measuring), MovingRegions()
    while True:
        try:
            regions.add(next(steps))
        except StopIteration as end:
            sheet = draw_sheet(regions.chosen(), lambda start, stop: moments[start:stop])
            return end.value, sheet


def _moments(shown: Shown, results: Mapping[str, Sequence[Image]]) -> Iterator[Moment]:
    for place, image in enumerate(shown.keyframes.images):
        made = {name: images[place] for name, images in results.items()}
        yield Moment(place, shown.cropped(image), made)


def table_of(evaluations: Sequence[Evaluation]) -> str:
    """A table in Markdown: a row for each result, the columns that there are figures for."""
    columns = {
        name: told
        for name, told in _COLUMNS.items()
        if not all(math.isnan(getattr(one, name)) for one in evaluations)
    }
    lines = [
        f"| | {' | '.join(title for title, _ in columns.values())} |",
        f"| --- |{' --- |' * len(columns)}",
    ]
    for one in evaluations:
        cells = (_cell(getattr(one, name), digits) for name, (_, digits) in columns.items())
        lines.append(f"| {one.name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(value: float, digits: str) -> str:
    return "" if math.isnan(value) else format(value, digits)


def _mean(rows: Sequence[Evaluation]) -> Evaluation:
    """The mean of one row over clips; frames are counted together."""
    names = [one.name for one in fields(Evaluation) if one.name not in ("name", "frame_count")]
    means = {name: float(np.mean([getattr(row, name) for row in rows])) for name in names}
    return Evaluation(name=rows[0].name, frame_count=sum(row.frame_count for row in rows), **means)
