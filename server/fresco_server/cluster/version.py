"""What tells the Fresco of one machine from that of another: they have to be the same."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import torch
from fresco_engine import __version__

from fresco_server.cluster.orders import Installed

_PACKAGES = ("fresco_settings", "fresco_media", "fresco_engine", "fresco_server")


@cache
def installed() -> Installed:
    """What this machine has; the digest is of the code and of the bundled model."""
    digest = hashlib.sha256()
    for package in _PACKAGES:
        found = find_spec(package)
        assert found is not None
        assert found.origin is not None
        folder = Path(found.origin).parent
        for path in filter(_counts, sorted(folder.rglob("*"))):
            digest.update(f"{package}/{path.relative_to(folder).as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    torch_version = torch.__version__.partition("+")[0]
    return Installed(
        version=f"Fresco {__version__} with torch {torch_version}", code=digest.hexdigest()
    )


def _counts(path: Path) -> bool:
    return path.suffix in (".py", ".safetensors", ".json") and path.is_file()
