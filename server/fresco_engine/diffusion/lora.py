"""LoRA files: small corrections added to a model's weights when it is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fresco_media.files.numbers import decimal_of

from fresco_engine.errors import InvalidSettings


@dataclass(frozen=True)
class Lora:
    """A LoRA file and how strongly it is applied; 1 is as its maker meant it."""

    path: Path
    weight: float = 1.0

    @classmethod
    def parse(cls, text: str) -> Lora:
        """A LoRA from `FILE` or `FILE:WEIGHT`; a drive letter's colon is part of FILE.

        Raises:
            InvalidSettings: FILE is empty or the weight is no finite number.
        """
        file, colon, weight = text.rpartition(":")
        if not colon or not _could_be_weight(file, weight):
            file, weight = text, "1"
        try:
            value = decimal_of(weight)
        except ValueError as error:
            raise InvalidSettings("lora", f"{weight!r} is no number; use FILE:0.8") from error
        if not file:
            raise InvalidSettings("lora", f"{text!r} is not of the form FILE or FILE:WEIGHT")
        return cls(Path(file).expanduser(), value)


def _could_be_weight(file: str, weight: str) -> bool:
    is_drive = len(file) == 1 and file.isalpha() and weight[:1] in ("\\", "/")
    is_name = "/" in weight or "\\" in weight or weight.lower().endswith(".safetensors")
    return not is_drive and not is_name
