"""Files that are whole or not there."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from fresco_client.files import part_name


def write_text(path: Path, text: str) -> None:
    """Write a file so that nobody ever sees a part of it.

    Raises:
        OSError: it cannot be written; nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = part_name(path, uuid.uuid4().hex)
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
