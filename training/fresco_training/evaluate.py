"""How well the exported model restyles unseen frames, by the stock diffusers pipeline."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from diffusers import ControlNetModel, StableDiffusionControlNetImg2ImgPipeline
from numpy.typing import NDArray

from fresco_training import sources
from fresco_training.conditions import canny
from fresco_training.data import STYLE_NAMES, to_pixels
from fresco_training.prompts import STYLE_WORDS
from fresco_training.styles import Image, apply_style

_log = logging.getLogger(__name__)

GRID = 16
NEGATIVE = "lowres, worst quality"


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How frames are restyled."""

    strength: float = 0.75
    guidance: float = 1.0
    steps: int = 10
    control: str = "tile"
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Score:
    """Figures of one style over all frames, PSNR in dB."""

    style: str
    psnr: float
    photo_psnr: float
    recognised: float
    target_recognised: float
    structure: float


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
    capture = cv2.VideoCapture(str(clip))
    total = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    frames = []
    for index in np.linspace(0, total - 1, count + 2)[1:-1].round():
        capture.set(cv2.CAP_PROP_POS_FRAMES, int(index))
        good, frame = capture.read()
        if good:
            frames.append(_resize(frame[..., ::-1].astype(np.float32) / 255.0, side))
    return frames


def _resize(frame: Image, side: int) -> Image:
    ratio = side / min(frame.shape[:2])
    small = cv2.resize(frame, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA)
    height, width = (length // GRID * GRID for length in small.shape[:2])
    return np.ascontiguousarray(small[:height, :width])


def restyle(
    pipeline: StableDiffusionControlNetImg2ImgPipeline,
    frames: list[Image],
    prompts: list[str],
    sampling: Sampling,
) -> list[Image]:
    """Each frame by its own prompt, all in one batch and from the same noise."""
    images = _tensor(frames)
    control = images
    if sampling.control == "canny":
        control = _tensor([canny(to_pixels(f), (100, 200)) / np.float32(255) for f in frames])
    generators = [torch.Generator().manual_seed(sampling.seed) for _ in frames]
    result = pipeline(
        prompt=prompts,
        negative_prompt=[NEGATIVE] * len(prompts),
        image=images * 2 - 1,
        control_image=control,
        strength=sampling.strength,
        guidance_scale=sampling.guidance,
        num_inference_steps=sampling.steps,
        controlnet_conditioning_scale=0.0 if sampling.control == "none" else 1.0,
        generator=generators,
        output_type="np",
    ).images
    return list(np.asarray(result, np.float32))


def _tensor(frames: list[Image]) -> torch.Tensor:
    return torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).float()


def evaluate(folder: Path, clips: list[Path], photos: Path, out: Path, sampling: Sampling) -> None:
    """Restyles two frames of every clip in every style; writes a sheet per clip and the scores."""
    out.mkdir(parents=True, exist_ok=True)
    pipeline = load_pipeline(folder)
    means, spread = style_means([_resize(p, 256) for p in sources.folder_photographs(photos)[::3]])
    found: dict[str, list[Score]] = {name: [] for name in STYLE_NAMES}
    for clip in clips:
        frames = read_frames(clip, 256, 2)
        rows = []
        for style in STYLE_NAMES:
            prompt = f"a scene, {STYLE_WORDS[style][0]}"
            results = restyle(pipeline, frames, [prompt] * len(frames), sampling)
            targets = [apply_style(style, frame, 1.0) for frame in frames]
            for frame, target, result in zip(frames, targets, results, strict=True):
                found[style].append(_score(style, frame, target, result, means, spread))
            rows.append(np.concatenate([frames[0], targets[0], results[0]], axis=1))
        write_sheet(out / f"{clip.stem}.png", rows)
    _report(found, out / "scores.json")


def _score(
    style: str, frame: Image, target: Image, result: Image, means: NDArray, spread: NDArray
) -> Score:
    def nearest(image: Image) -> str:
        return STYLE_NAMES[int((((features(image) - means) / spread) ** 2).sum(axis=1).argmin())]

    return Score(
        style=style,
        psnr=psnr(result, target),
        photo_psnr=psnr(frame, target),
        recognised=float(nearest(result) == style),
        target_recognised=float(nearest(target) == style),
        structure=_correlation(result, target),
    )


def psnr(first: Image, second: Image) -> float:
    """Peak signal-to-noise ratio in dB of two images in [0, 1]."""
    return float(-10 * np.log10(np.mean((first - second) ** 2) + 1e-10))


def _correlation(first: Image, second: Image) -> float:
    """How alike two images' blurred brightness is, -1 to 1."""
    blurred = (cv2.GaussianBlur(image.mean(axis=2), (0, 0), 4) for image in (first, second))
    return float(np.corrcoef(*(image.ravel() for image in blurred))[0, 1])


def features(image: Image) -> NDArray[np.float64]:
    """Colour and sharpness statistics by which styles are told apart."""
    lab = cv2.cvtColor(np.clip(image, 0, 1), cv2.COLOR_RGB2LAB) / np.float32([100, 60, 60])
    flat = lab.reshape(-1, 3)
    gradient = np.abs(np.diff(lab[..., 0], axis=1))
    chroma = np.hypot(flat[:, 1], flat[:, 2])
    quantiles = np.quantile(flat, (0.1, 0.5, 0.9), axis=0).ravel()
    edges = [gradient.mean() * 10, (gradient > 0.08).mean() * 5, (gradient < 0.004).mean()]
    return np.array([*flat.mean(0), *flat.std(0), *quantiles, chroma.mean(), *edges])


def style_means(photographs: list[Image]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean features of every style over `photographs`, and their spread within styles."""
    rows = np.array([[features(apply_style(s, p, 1.0)) for p in photographs] for s in STYLE_NAMES])
    return rows.mean(axis=1), rows.std(axis=1).mean(axis=0) + 1e-3


def write_sheet(path: Path, rows: list[Image]) -> None:
    """Frame, filter and model beside each other, three styles a line."""
    while len(rows) % 3:
        rows.append(np.zeros_like(rows[0]))
    lines = [np.concatenate(rows[i : i + 3], axis=1) for i in range(0, len(rows), 3)]
    sheet = to_pixels(np.concatenate(lines, axis=0))[..., ::-1]
    cv2.imwrite(str(path), cv2.resize(sheet, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))


def _report(found: dict[str, list[Score]], path: Path) -> None:
    table = {}
    for style, scores in found.items():
        table[style] = {
            field: round(float(np.mean([getattr(s, field) for s in scores])), 2)
            for field in ("psnr", "photo_psnr", "recognised", "target_recognised", "structure")
        }
        _log.info("%-12s %s", style, table[style])
    looks = [row for style, row in table.items() if style != "photo"]
    overall = {
        field: round(float(np.mean([row[field] for row in looks])), 3)
        for field in ("psnr", "photo_psnr", "recognised", "target_recognised", "structure")
    }
    _log.info("mean without photo %s", overall)
    path.write_text(json.dumps({"styles": table, "mean": overall}, indent=2) + "\n")
