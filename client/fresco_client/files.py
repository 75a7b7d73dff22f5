"""Names of files while they are being written."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def part_name(path: Path, token: str = "") -> Path:
    """The name of a file until it is whole, in the folder it will be in.

    It is short, as names of all the bytes a file system allows are legal. `token` tells apart
    those who write one file at once.
    """
    digest = hashlib.sha256(os.fsencode(f"{path.name}/{token}")).hexdigest()[:12]
    return path.with_name(f".fresco-{digest}.part")
