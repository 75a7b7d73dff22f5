"""The real worker process, where what it needs is broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def test_a_worker_whose_libraries_are_broken_says_so_and_ends(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('libcudart.so.13: cannot be opened')")

    with subprocess.Popen(
        [sys.executable, "-m", "fresco_server.worker", "--device", "cpu"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as worker:
        assert worker.stdout is not None
        assert worker.stderr is not None
        # Its input stays open: it would end for that reason as well.
        said, log = worker.stdout.read(), worker.stderr.read()

    (line,) = said.splitlines()
    assert json.loads(line) == {
        "kind": "Broken",
        "message": "ImportError: libcudart.so.13: cannot be opened",
    }
    assert worker.returncode == 1
    assert b"Traceback" in log


def test_looking_at_clips_loads_no_networks() -> None:
    """They would take seconds to load and much memory, in each of several processes."""
    program = (
        "import sys, fresco_server.worker.media\n"
        "names = ('torch', 'diffusers', 'transformers')\n"
        "print([name for name in names if name in sys.modules])"
    )

    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )

    assert ended.stdout.strip() == "[]"
