"""A process may be killed at any moment; the next one goes on, and nothing shows it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.conftest import scene, write_clip, write_tiny_model
from tests.engine.runs import JOBS, contents

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(sys.platform != "linux", reason="forks after the libraries are loaded")
@pytest.mark.parametrize("job", JOBS)
def test_a_job_killed_at_random_moments_ends_with_the_same_bytes(job: str, tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "model")
    clip = write_clip(tmp_path / "clip.mp4", scene(18, cut_at=12))
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}

    done = subprocess.run(
        [sys.executable, "-m", "tests.engine.killed", *map(str, (model, clip, tmp_path, 1)), job],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 3
    undisturbed, killed = contents(tmp_path / "undisturbed"), contents(tmp_path / "killed")
    # It names the folder the output is in.
    del undisturbed["kept/delivery.json"], killed["kept/delivery.json"]
    assert killed == undisturbed
    assert "out/result.mkv" in killed
