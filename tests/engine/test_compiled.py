"""Compiled loops."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import loops
print(loops.double(21))
"""
LOOPS = """
from fresco_engine.compiled import compiled

@compiled
def double(x):
    return 2 * x
"""


@pytest.mark.skipif(
    not hasattr(os, "geteuid"), reason="folders are made read-only in another way there"
)
def test_loops_run_where_nothing_may_be_stored(tmp_path: Path) -> None:
    (tmp_path / "loops.py").write_text(LOOPS)
    # Files in place of the folders that code would be stored in: not even root can write there.
    (tmp_path / "__pycache__").write_text("")
    blocked = tmp_path / "home"
    blocked.write_text("")
    environment = {**os.environ, "HOME": str(blocked), "XDG_CACHE_HOME": str(blocked)}
    environment.pop("NUMBA_CACHE_DIR", None)

    ended = subprocess.run(
        [sys.executable, "-B", "-c", PROGRAM, str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert ended.stdout == "42\n", ended.stderr
