"""RestyleSettings and ModelChoice to what the engine and the worker take."""

from __future__ import annotations

import math
from collections.abc import Sized
from typing import Any

from fresco.v1 import settings_pb2
from fresco_settings import InvalidSettings, RestyleSettings, chosen_settings
from google.protobuf.descriptor import FieldDescriptor

from fresco_server.errors import BadRequest
from fresco_server.jobs.job import ModelOrder
from fresco_server.jobs.path_policy import PathPolicy

_LONGEST_TEXT = 4000
_MOST_KEYFRAMES = 10_000
_MOST_LORAS = 16
_MOST_FOLDERS = 16
_MOST_LORA = 10.0


def restyle_settings(message: settings_pb2.RestyleSettings) -> RestyleSettings:
    """What to do: the prompt, with the costs of the preset, and what was set by hand.

    Raises:
        InvalidSettings: a value is out of range or the prompt is missing.
    """
    by_hand = _set_by_hand(message)
    _check_lengths(by_hand)
    return chosen_settings(by_hand)


def _set_by_hand(message: Any) -> dict[str, Any]:
    """The fields that the client has set, as plain values named like the engine's."""
    return {field.name: _plain(field, value) for field, value in message.ListFields()}


def _plain(field: FieldDescriptor, value: Any) -> Any:
    kind = field.message_type
    if kind is None:
        return tuple(sorted(set(value))) if field.is_repeated else value
    return dict(value) if kind.GetOptions().map_entry else _set_by_hand(value)


def _check_lengths(by_hand: dict[str, Any]) -> None:
    """What the engine checks only once a model is loaded, or never has to."""
    for name, value in by_hand.items():
        if isinstance(value, str):
            _check_length(name, value)
        elif isinstance(value, Sized) and len(value) > _MOST_KEYFRAMES:
            raise InvalidSettings(name, f"more than {_MOST_KEYFRAMES} keyframes; give fewer")
    for words in by_hand.get("keyframe_prompts", {}).values():
        _check_length("keyframe_prompts", words)


def _check_length(name: str, text: str) -> None:
    if len(text) > _LONGEST_TEXT:
        raise InvalidSettings(
            name, f"{len(text)} characters are more than {_LONGEST_TEXT}; use fewer words"
        )


def model_order(message: settings_pb2.ModelChoice, path_policy: PathPolicy) -> ModelOrder:
    """The model to use, with every path checked.

    Raises:
        BadRequest, Forbidden, ModelNotFound, ModelUnusable: as `PathPolicy.model`.
    """
    if len(message.loras) > _MOST_LORAS:
        raise BadRequest("model.loras", f"more than {_MOST_LORAS} LoRAs; give fewer")
    if len(message.folders) > _MOST_FOLDERS:
        raise BadRequest("model.folders", f"more than {_MOST_FOLDERS} folders; give fewer")
    return ModelOrder(
        source=path_policy.model(message.source),
        control_source=path_policy.model(message.control_source, "model.control_source"),
        loras=tuple((path_policy.lora(lora.path), _weight(lora)) for lora in message.loras),
        vae=path_policy.vae(message.vae),
        folders=(
            *(path_policy.folder(text) for text in message.folders),
            *map(str, path_policy.model_folders),
        ),
    )


def _weight(lora: settings_pb2.Lora) -> float:
    weight = lora.weight if lora.HasField("weight") else 1.0
    if not math.isfinite(weight) or abs(weight) > _MOST_LORA:
        raise BadRequest(
            "model.loras.weight", f"{weight} is outside {-_MOST_LORA:g} to {_MOST_LORA:g}"
        )
    return weight
