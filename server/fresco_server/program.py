"""What clients start a daemon with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from fresco_media.files.disk import write_whole


def note_program(data: Path, command: Sequence[str]) -> None:
    """Keep the command in a data folder, where clients look for it; the folder is made.

    Raises:
        OutputNotWritable, DiskFull: it cannot be written.
    """
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    text = json.dumps({"command": list(command)})
    write_whole(data / "program.json", text.encode(), is_private=True, is_durable=True)
