"""The documentation: a site without broken links, and true where it names places in the code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_PLACE = re.compile(r"`((?:[\w.]+/)+[\w.]*)`")
_TOPS = {one.name for one in ROOT.iterdir()}


def test_the_site_builds_without_a_broken_link_or_missing_name(tmp_path: Path) -> None:
    command = ["-m", "sphinx", "-q", "-W", "--keep-going", "-c", "docs", ".", str(tmp_path)]

    ended = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "docs" / "architecture.html").exists()


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_places_that_a_page_names_exist(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    named = {one for one in _PLACE.findall(text) if one.split("/")[0] in _TOPS - {"build"}}

    missing = sorted(one for one in named if not (ROOT / one).exists())

    assert named
    assert missing == []
