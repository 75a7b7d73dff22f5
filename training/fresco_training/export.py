"""The bundled model's folder: stock diffusers files in half precision, and a description."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import torch
from diffusers import AutoencoderTiny, StableDiffusionControlNetPipeline
from diffusers.models.attention_processor import AttnProcessor2_0
from safetensors.torch import load_file, save_file
from transformers import CLIPTokenizer

from fresco_training.networks import build_scheduler
from fresco_training.presets import preset_of
from fresco_training.prompts import STYLE_WORDS
from fresco_training.text import LENGTH
from fresco_training.train import averaged

NAME = "fresco-small"
DEFAULTS = {
    "guidance_scale": 1.0,
    "strength": 0.75,
    "steps": 4,
    "draft_steps": 3,
    "best_steps": 6,
    "control_scale": 1.0,
    "control": "tile",
}


def build_pipeline(work: Path) -> StableDiffusionControlNetPipeline:
    """The averaged networks of `work` with its autoencoder and tokenizer, in float32."""
    networks, _ = averaged(work)
    networks.unet.set_attn_processor(AttnProcessor2_0())
    networks.controlnet.set_attn_processor(AttnProcessor2_0())
    return StableDiffusionControlNetPipeline(
        vae=AutoencoderTiny.from_pretrained(work / "vae"),
        text_encoder=networks.text_encoder,
        tokenizer=CLIPTokenizer.from_pretrained(work / "tokenizer"),
        unet=networks.unet,
        controlnet=networks.controlnet,
        scheduler=build_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def export(work: Path, folder: Path, version: int) -> int:
    """Writes the model to `folder` (its model card stays) and returns the size in bytes."""
    pipeline = build_pipeline(work).to(torch.float16)
    folder.mkdir(parents=True, exist_ok=True)
    for part in ("unet", "controlnet", "vae", "text_encoder", "tokenizer", "scheduler"):
        shutil.rmtree(folder / part, ignore_errors=True)
    pipeline.save_pretrained(folder, safe_serialization=True)
    for name in ("vocab.json", "merges.txt"):
        shutil.copyfile(work / "tokenizer" / name, folder / "tokenizer" / name)
    _prefix_text_weights(folder / "text_encoder" / "model.safetensors")
    _forget_paths(folder)
    (folder / "fresco.json").write_text(json.dumps(_description(version), indent=2) + "\n")
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _prefix_text_weights(path: Path) -> None:
    """Names the weights as transformers 4 does, which every later release reads as well."""
    prefix = "text_model."
    weights = {prefix + name.removeprefix(prefix): w for name, w in load_file(path).items()}
    save_file(weights, path, metadata={"format": "pt"})


def _forget_paths(folder: Path) -> None:
    """Removes where the parts were loaded from: it means nothing on another machine."""
    for file in [*folder.rglob("*config*.json"), folder / "model_index.json"]:
        stored = json.loads(file.read_text())
        stored.pop("_name_or_path", None)
        stored.pop("name_or_path", None)
        file.write_text(json.dumps(stored, indent=2) + "\n")


def _description(version: int) -> dict[str, object]:
    return {
        "name": NAME,
        "version": version,
        "controls": {"tile": "controlnet", "canny": "controlnet"},
        "defaults": DEFAULTS,
        "max_prompt_tokens": LENGTH,  # The marks of begin and end included.
        "knows_only_styles": True,
        "styles": [_style(name, list(words)) for name, words in STYLE_WORDS.items()],
    }


def _style(name: str, words: list[str]) -> dict[str, object]:
    preset = {k: v for k, v in asdict(preset_of(name)).items() if v not in (None, "")}
    return {"name": name, "words": words, **preset}
