"""The generated code is that of the .proto files."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PINNED = "1.74.0"


def generated(folder: Path) -> dict[str, bytes]:
    """Generated files by their path."""
    paths = [path for path in folder.rglob("*_pb2*.py*") if path.suffix in {".py", ".pyi"}]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_the_committed_code_is_what_the_pinned_tools_make(tmp_path: Path) -> None:
    if version("grpcio-tools") != PINNED:
        pytest.skip(f"only grpcio-tools {PINNED} makes the same bytes")

    subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "stubs"), str(tmp_path)], check=True, timeout=120
    )

    made, committed = generated(tmp_path), generated(ROOT / "protos")
    assert sorted(made) == sorted(committed)
    stale = [name for name, content in made.items() if committed[name] != content]
    assert stale == [], "run scripts/stubs"


def test_the_pinned_tools_are_those_of_the_project() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")

    assert f'"grpcio-tools=={PINNED}"' in project
