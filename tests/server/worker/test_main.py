"""The real worker process, where what it needs is broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


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


@pytest.mark.skipif(not hasattr(os, "nice"), reason="this system has no such priorities")
def test_a_worker_gives_way_only_once_it_has_started(tmp_path: Path) -> None:
    """On a busy machine it would never get there."""
    (tmp_path / "torch.py").write_text("import os\nraise ImportError(f'by {os.nice(0)}')")
    usual = os.nice(0)

    with _worker("--device", "cpu", PYTHONPATH=str(tmp_path)) as broken:
        assert broken.stdout is not None
        said = json.loads(broken.stdout.readline())
    with _worker("--media") as ready:
        assert ready.stdout is not None
        ready.stdout.readline()
        given = os.getpriority(os.PRIO_PROCESS, ready.pid)
        ready.kill()

    assert said["message"] == f"ImportError: by {usual}"
    assert given > usual


def _worker(*arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "fresco_server.worker", *arguments],
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


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
