"""The rules of the repository: format, lint, types and import directions."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    """A tool of the environment the tests run in, wherever it lies."""
    folder = str(Path(sys.executable).parent)
    program = shutil.which(command[0], path=folder)
    assert program is not None, f"{command[0]} is not in {folder}; run 'bootstrap.py test'"
    return subprocess.run(
        [program, *command[1:]],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=1700,
        check=False,
    )


@pytest.mark.parametrize(
    "command", [("ruff", "format", "--check", "."), ("ruff", "check", ".")], ids=["format", "lint"]
)
def test_the_code_is_in_form(command: tuple[str, ...]) -> None:
    ended = _run(*command)

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_imports_go_only_where_they_may() -> None:
    ended = _run("lint-imports", "--no-cache")

    assert ended.returncode == 0, ended.stdout


@pytest.mark.timeout(1800)
def test_types_are_right() -> None:
    ended = _run("pyright")

    assert ended.returncode == 0, ended.stdout
