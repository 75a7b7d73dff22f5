"""How well the exported model restyles frames it was not trained on, by the stock pipeline."""

import json
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from diffusers import AutoencoderTiny, ControlNetModel, StableDiffusionControlNetImg2ImgPipeline
from fresco_engine.evaluation.likeness import psnr

from fresco_training import scores, sources
from fresco_training.conditions import canny
from fresco_training.data import STYLE_NAMES, to_pixels
from fresco_training.perception import Perception
from fresco_training.styles import Image, apply_style

_log = logging.getLogger(__name__)

GRID = 16
CARD = (256, 192)
STRENGTHS = (0.3, 0.5, 0.75, 1.0)
TONE_PRESERVING = 0.9
"""Looks whose filter keeps brightness so well on photographs are called tone-preserving."""


@dataclass(frozen=True, kw_only=True)
class Preset:
    """How one look is asked for, as `fresco.json` has it."""

    name: str
    prompt: str
    negative_prompt: str
    strength: float
    guidance_scale: float
    steps: int
    control: str = "tile"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is measured: frames of every clip, seeds for each, and the short side of the frames."""

    frames: int = 5
    seeds: int = 3
    side: int = 256


@dataclass(frozen=True, kw_only=True)
class Score:
    """Figures of one restyled frame, or of a style over all frames; PSNR in dB.

    `psnr` is against what the style's filter makes of the frame, `photo_psnr` that of the
    untouched frame; `structure` and `filter_structure` compare brightness with the frame's;
    `away` and `filter_away` say how far from it the judge sees result and filter, `perceived` and
    `filter_perceived` how different from it they look to a network (`perception`).
    """

    psnr: float
    photo_psnr: float
    recognised: float
    filter_recognised: float
    structure: float
    filter_structure: float
    edges: float
    filter_edges: float
    away: float
    filter_away: float
    perceived: float
    filter_perceived: float


@dataclass(frozen=True)
class Judges:
    """What tells looks apart and says how far from the photograph they are."""

    classifier: scores.StyleClassifier
    perception: Perception

    @staticmethod
    def of(photos: Path, perception: Path) -> "Judges":
        """Learnt from a folder of photographs, and read from a file of `perception`."""
        classifier = scores.StyleClassifier.fit(sources.folder_photographs(photos))
        return Judges(classifier, Perception.load(perception))


def read_presets(folder: Path) -> dict[str, Preset]:
    """The styles of an exported model with the settings that suit them."""
    card = json.loads((folder / "fresco.json").read_text(encoding="utf-8"))
    defaults = card["defaults"]
    return {
        style["name"]: Preset(
            name=style["name"],
            prompt=style["prompt"],
            negative_prompt=style.get("negative_prompt", ""),
            strength=style.get("strength", defaults["strength"]),
            guidance_scale=style.get("guidance_scale", defaults["guidance_scale"]),
            steps=defaults["steps"],
        )
        for style in card["styles"]
    }


def load_pipeline(folder: Path) -> StableDiffusionControlNetImg2ImgPipeline:
    """The exported folder as an image-to-image pipeline in float32."""
    pipeline = StableDiffusionControlNetImg2ImgPipeline.from_pretrained(
        folder,
        controlnet=ControlNetModel.from_pretrained(folder / "controlnet"),
        safety_checker=None,
        requires_safety_checker=False,
        torch_dtype=torch.float32,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def read_frames(clip: Path, side: int, count: int) -> list[Image]:
    """`count` frames evenly taken from `clip`, short side `side`, cut to multiples of 16."""
    return [resized(frame, side) for frame in sources.clip_frames(clip, count)]


def resized(frame: Image, side: int) -> Image:
    """The picture with a short side of `side`, cut to multiples of 16."""
    ratio = side / min(frame.shape[:2])
    kind = cv2.INTER_AREA if ratio < 1 else cv2.INTER_CUBIC
    small = np.clip(cv2.resize(frame, None, fx=ratio, fy=ratio, interpolation=kind), 0, 1)
    height, width = (length // GRID * GRID for length in small.shape[:2])
    return np.ascontiguousarray(small[:height, :width])


def restyle(
    pipeline: StableDiffusionControlNetImg2ImgPipeline,
    frames: list[Image],
    preset: Preset,
    seed: int,
) -> list[Image]:
    """The frames restyled in one batch, all from the same noise."""
    images = _tensor(frames)
    control = images
    if preset.control == "canny":
        control = _tensor([canny(to_pixels(f), (100, 200)) / np.float32(255) for f in frames])
    result = pipeline(
        prompt=[preset.prompt] * len(frames),
        negative_prompt=[preset.negative_prompt] * len(frames),
        image=images * 2 - 1,
        control_image=control,
        strength=preset.strength,
        guidance_scale=preset.guidance_scale,
        num_inference_steps=preset.steps,
        controlnet_conditioning_scale=0.0 if preset.control == "none" else 1.0,
        generator=[torch.Generator().manual_seed(seed) for _ in frames],
        output_type="np",
    ).images
    return list(np.asarray(result, np.float32))


def _tensor(frames: list[Image]) -> torch.Tensor:
    return torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).float()


def evaluate(folder: Path, clips: list[Path], judges: Judges, out: Path, wanted: Wanted) -> None:
    """Restyles frames of every clip in every style and writes the figures to `out`/scores.json.

    Goes on where it stopped: what is in `out`/frames.jsonl is not measured again.
    """
    out.mkdir(parents=True, exist_ok=True)
    presets, pipeline = read_presets(folder), load_pipeline(folder)
    notes = out / "frames.jsonl"
    done = [json.loads(line) for line in notes.read_text().splitlines()] if notes.exists() else []
    known = {(row["clip"], row["style"], row["seed"]) for row in done}
    for clip in clips:
        frames = read_frames(clip, wanted.side, wanted.frames)
        for style, preset in presets.items():
            for seed in range(wanted.seeds):
                if (clip.stem, style, seed) in known:
                    continue
                results = restyle(pipeline, frames, preset, seed)
                rows = list(_rows(clip.stem, style, seed, frames, results, judges))
                with notes.open("a") as file:
                    file.writelines(json.dumps(row) + "\n" for row in rows)
                done += rows
            _log.info("%s: %s", clip.stem, style)
    _report(done, out / "scores.json")


def _rows(
    clip: str,
    style: str,
    seed: int,
    frames: list[Image],
    results: list[Image],
    judges: Judges,
) -> Iterator[dict[str, Any]]:
    classifier, perception = judges.classifier, judges.perception
    for frame, result in zip(frames, results, strict=True):
        target = apply_style(style, frame, 1.0)
        score = Score(
            psnr=psnr(result, target, peak=1),
            photo_psnr=psnr(frame, target, peak=1),
            recognised=float(classifier.name(result, frame) == style),
            filter_recognised=float(classifier.name(target, frame) == style),
            structure=scores.structure(result, frame),
            filter_structure=scores.structure(target, frame),
            edges=scores.edge_f_score(result, frame),
            filter_edges=scores.edge_f_score(target, frame),
            away=classifier.distance(result, frame),
            filter_away=classifier.distance(target, frame),
            perceived=perception.distance(result, frame),
            filter_perceived=perception.distance(target, frame),
        )
        yield {"clip": clip, "style": style, "seed": seed, **asdict(score)}


def strengths(folder: Path, frames: list[Image], photos: Path, out: Path) -> None:
    """How far from the photograph each look goes at several strengths, to `out`/strengths.json.

    A look is monotone if no step up takes it back, whatever its own strength is.
    """
    out.mkdir(parents=True, exist_ok=True)
    pipeline = load_pipeline(folder)
    classifier = scores.StyleClassifier.fit(sources.folder_photographs(photos))
    table: dict[str, dict[str, Any]] = {}
    for style, preset in read_presets(folder).items():
        away: dict[str, float] = {}
        for strength in STRENGTHS:
            chosen = replace(preset, strength=strength)
            results = [restyle(pipeline, [frame], chosen, seed=0)[0] for frame in frames]
            distances = map(classifier.distance, results, frames)
            away[str(strength)] = round(float(np.mean(list(distances))), 2)
        ordered = list(away.values())
        table[style] = {"away": away, "monotone": ordered == sorted(ordered)}
        _log.info("%-14s %s", style, table[style])
    (out / "strengths.json").write_text(json.dumps(table, indent=2) + "\n")


def _report(rows: list[dict[str, Any]], path: Path) -> None:
    """Means by style and over all looks, and which bars they clear."""
    names = [field.name for field in fields(Score)]

    def mean(chosen: list[dict[str, Any]]) -> dict[str, float]:
        return {name: round(float(np.mean([row[name] for row in chosen])), 3) for name in names}

    styles = [name for name in STYLE_NAMES if any(row["style"] == name for row in rows)]
    table = {name: mean([row for row in rows if row["style"] == name]) for name in styles}
    looks = [row for row in rows if row["style"] != "photo"]
    tonal = [s for s, row in table.items() if row["filter_structure"] >= TONE_PRESERVING]
    bars = {
        "frames restyled": len(rows),
        "every style nearer its target than the photo": all(
            row["psnr"] > row["photo_psnr"] for style, row in table.items() if style != "photo"
        ),
        "least structure of tone-preserving styles": min(table[s]["structure"] for s in tonal),
        "recognised": mean(looks)["recognised"],
    }
    for style, row in table.items():
        _log.info("%-12s %s", style, row)
    _log.info("mean without photo %s", mean(looks))
    _log.info("bars %s", bars)
    result = {"styles": table, "mean": mean(looks), "tone_preserving": tonal, "bars": bars}
    path.write_text(json.dumps(result, indent=2) + "\n")


def evaluate_autoencoder(
    folder: Path, pictures: dict[str, Image], styles: Sequence[str], out: Path
) -> None:
    """PSNR in dB of pictures, in each of `styles`, through the autoencoder alone."""
    out.mkdir(parents=True, exist_ok=True)
    autoencoder = AutoencoderTiny.from_pretrained(folder / "vae").float()
    table: dict[str, dict[str, float]] = {}
    for name, picture in pictures.items():
        table[name] = {
            style: round(_round_trip(autoencoder, apply_style(style, picture, 1.0)), 2)
            for style in styles
        }
        _log.info("%-16s %s", name, table[name])
    values = [(s == "photo", value) for row in table.values() for s, value in row.items()]
    kinds = {"photographs": [v for is_photo, v in values if is_photo]}
    kinds["styled"] = [v for is_photo, v in values if not is_photo]
    mean = {kind: round(float(np.mean(found)), 2) for kind, found in kinds.items() if found}
    _log.info("mean %s", mean)
    (out / "autoencoder.json").write_text(json.dumps({**table, "mean": mean}, indent=2) + "\n")


@torch.no_grad()
def _round_trip(autoencoder: AutoencoderTiny, picture: Image) -> float:
    pixels = _tensor([picture]) * 2 - 1
    again = autoencoder.decode(autoencoder.encode(pixels).latents).sample
    restored = (again[0].permute(1, 2, 0).numpy() / 2 + 0.5).clip(0, 1)
    return psnr(restored, picture, peak=1)


def sheet(folder: Path, pictures: list[Image], path: Path, width: int) -> None:
    """A contact sheet: a column for each picture, the pictures and then every style as rows."""
    pipeline, presets = load_pipeline(folder), read_presets(folder)
    rows = [[_labelled(_thumbnail(picture, width), "source") for picture in pictures]]
    for style, preset in presets.items():
        began = time.monotonic()
        made = [restyle(pipeline, [picture], preset, seed=0)[0] for picture in pictures]
        rows.append([_labelled(_thumbnail(image, width), style) for image in made])
        _log.info("%s in %.0f s", style, time.monotonic() - began)
    lines = [np.concatenate(row, axis=1) for row in rows]
    half = (len(lines) + 1) // 2  # Two blocks of rows beside each other.
    lines += [np.full_like(lines[0], 255)] * (2 * half - len(lines))
    blocks = [np.concatenate(part, axis=0) for part in (lines[:half], lines[half:])]
    cv2.imwrite(str(path), np.concatenate(blocks, axis=1)[..., ::-1])


def cards(folder: Path, pictures: list[Image]) -> None:
    """Writes a small picture of every style to `folder`/cards and names it in the description.

    A card shows the pictures in the style beside each other, a strip of each.
    """
    pipeline, presets = load_pipeline(folder), read_presets(folder)
    path = folder / "fresco.json"
    description = json.loads(path.read_text(encoding="utf-8"))
    (folder / "cards").mkdir(exist_ok=True)
    for style in description["styles"]:
        name = style["name"]
        made = [restyle(pipeline, [picture], presets[name], seed=0)[0] for picture in pictures]
        strips = [_strip(image, CARD[0] // len(pictures)) for image in made]
        style["picture"] = f"cards/{name.replace(' ', '-')}.jpg"
        card = np.concatenate(strips, axis=1)[..., ::-1]
        cv2.imwrite(str(folder / style["picture"]), card, [cv2.IMWRITE_JPEG_QUALITY, 86])
        _log.info("%s", name)
    path.write_text(json.dumps(description, indent=2) + "\n")


def _strip(image: Image, width: int) -> np.ndarray:
    """The middle of a picture, as high as a card and so wide."""
    ratio = max(CARD[1] / image.shape[0], width / image.shape[1])
    small = cv2.resize(image, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA)
    top, left = (small.shape[0] - CARD[1]) // 2, (small.shape[1] - width) // 2
    return to_pixels(small[top : top + CARD[1], left : left + width])


def _thumbnail(image: Image, width: int) -> np.ndarray:
    """As wide as wished and three quarters as high, the middle kept."""
    height = width * 3 // 4
    ratio = max(width / image.shape[1], height / image.shape[0])
    small = cv2.resize(image, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA)
    top, left = (small.shape[0] - height) // 2, (small.shape[1] - width) // 2
    return to_pixels(small[top : top + height, left : left + width])


def _labelled(pixels: np.ndarray, text: str) -> np.ndarray:
    shown = np.ascontiguousarray(pixels)
    for colour, thick in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(
            shown, text, (6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, thick, cv2.LINE_AA
        )
    return shown
