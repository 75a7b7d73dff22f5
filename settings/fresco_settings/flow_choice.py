"""Which way to find motion, and where its weights are: "dis", "gmflow" or "gmflow:FILE"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from fresco_settings.errors import InvalidSettings

FlowKind = Literal["dis", "gmflow"]
_BY_NAME: dict[str, FlowKind] = {one: one for one in get_args(FlowKind)}


@dataclass(frozen=True)
class FlowChoice:
    """A kind of optical flow; `file` holds its weights, and is empty where they are looked for."""

    kind: FlowKind
    file: str = ""

    @staticmethod
    def parse(text: str) -> FlowChoice:
        """The choice that `text` stands for; what follows the first colon is the file.

        Raises:
            InvalidSettings: the kind is unknown, or a file is named where none is wanted.
        """
        name, colon, file = text.partition(":")
        kind = _BY_NAME.get(name)
        if kind is None or (colon and (kind == "dis" or not file.strip())):
            raise InvalidSettings(
                "flow", f"{text!r} is unknown; use dis, gmflow or gmflow:FILE, the weights' file"
            )
        return FlowChoice(kind, file)

    def __str__(self) -> str:
        return f"{self.kind}:{self.file}" if self.file else self.kind
