"""What a checkpoint's U-Net predicts, as the files around it say: the noise, or the velocity (v).

A file of weights does not say it by its tensors' shapes. Its maker says it in the file's
metadata, by a tensor without content, or in a configuration beside it; taken for the wrong one,
every picture is noise or mud.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, cast

from fresco_engine.diffusion.weights import OPEN_CLIP_PREFIX, Header, read_metadata
from fresco_engine.errors import ModelCorrupt

Prediction = Literal["epsilon", "v_prediction", "sample"]

_KEYS = ("parameterization", "prediction_type", "modelspec.prediction_type")
_SAID: dict[str, Prediction] = {
    "v": "v_prediction",
    "v_pred": "v_prediction",
    "vpred": "v_prediction",
    "v_prediction": "v_prediction",
    "velocity": "v_prediction",
    "eps": "epsilon",
    "epsilon": "epsilon",
    "noise": "epsilon",
    "x0": "sample",
    "sample": "sample",
}
_YES = ("true", "1", "yes")
_DEPTH = 8
_LARGEST = 1_000_000
"""Bytes of a configuration that is looked at."""


def prediction_of(path: Path, header: Header) -> Prediction:
    """What the U-Net in the checkpoint `path` predicts.

    Where nobody says otherwise the noise; in Stable Diffusion 2.x the velocity.

    A configuration beside the file (`model.yaml`, `.yml` or `.json` for `model.safetensors`) is
    the user's own word and comes first.

    Raises:
        ModelCorrupt: such a YAML file cannot be read.
    """
    for config in _configs_beside(path):
        found = next(_predictions_in(config, 0), None)
        if found is not None:
            return found
    if "v_pred" in header:
        return "v_prediction"
    metadata = read_metadata(path)
    if str(metadata.get("ss_v_parameterization", "")).lower() in _YES:
        return "v_prediction"
    found = next(_predictions_in(metadata, 0), None)
    if found is None:
        # Of 2.x nearly all that people have is of the kind for 768 pixels, which predicts v.
        is_second = any(name.startswith(OPEN_CLIP_PREFIX) for name in header)
        return "v_prediction" if is_second else "epsilon"
    return found


def has_zero_snr(path: Path, header: Header) -> bool:
    """Whether the checkpoint was trained with a schedule that ends in pure noise."""
    said = str(read_metadata(path).get("ss_zero_terminal_snr", "")).lower()
    return "ztsnr" in header or said in _YES


def _configs_beside(path: Path) -> Iterator[Mapping[str, Any]]:
    for suffix in (".yaml", ".yml", ".json"):
        # Some put it after the whole name: model.safetensors.json.
        for config in (path.with_suffix(suffix), path.with_name(path.name + suffix)):
            if config.is_file() and config.stat().st_size <= _LARGEST:
                yield _read(config)


def _read(path: Path) -> Mapping[str, Any]:
    import yaml

    try:
        text = path.read_text(encoding="utf-8-sig")
        values = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        if path.suffix == ".json":  # Programs put notes of their own there.
            return {}
        raise ModelCorrupt(
            path,
            "this configuration beside the model cannot be read; mend it, or move it elsewhere",
        ) from error
    return cast(Mapping[str, Any], values) if isinstance(values, Mapping) else {}


def _predictions_in(values: Mapping[str, Any], depth: int) -> Iterator[Prediction]:
    """What a configuration says, the outermost entry first."""
    for key in _KEYS:
        said = str(values.get(key, "")).strip().lower().replace("-", "_")
        if said in _SAID:
            yield _SAID[said]
    for value in values.values():
        if isinstance(value, Mapping) and depth < _DEPTH:
            yield from _predictions_in(cast(Mapping[str, Any], value), depth + 1)
