"""Fresco's wheel brings all that Resolve's menu needs."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

PROGRAM = """
import sys
from pathlib import Path
import fresco_davinci
from fresco_davinci.folders import resolve_folders
from fresco_davinci.install import Scripts, install, state

here, home = sys.argv[1], Path(sys.argv[2])
assert fresco_davinci.__file__.startswith(here), fresco_davinci.__file__
folders = resolve_folders("linux", home, {})
scripts = Scripts(program=[sys.executable], mailbox=home / "mailbox")
for path in install(folders, scripts):
    print(path.name)
assert state(folders, scripts) == "current"
"""


def test_the_scripts_are_installed_from_a_wheel(tmp_path: Path) -> None:
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("hatchling is not there")
    options = ["--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", str(tmp_path)]
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, str(ROOT)], check=True, timeout=180
    )
    (wheel,) = tmp_path.glob("fresco-*.whl")
    site, home = tmp_path / "site packages", tmp_path / "Žofie"
    with zipfile.ZipFile(wheel) as archive:
        ours = ("fresco/", "fresco_client/", "fresco_davinci/")
        archive.extractall(site, [name for name in archive.namelist() if name.startswith(ours)])

    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(site), str(home)],
        env={**os.environ, "PYTHONPATH": str(site)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert "Fresco (free edition).lua" in ended.stdout
    menu = home / ".local/share/DaVinciResolve/Fusion/Scripts/Utility/Fresco"
    assert str(site) in (menu / "Show jobs.py").read_text("utf-8")
