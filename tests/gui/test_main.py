"""What the desktop app is started with."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("arguments", [[""], ["--data", " "]], ids=["clip", "data"])
def test_no_name_that_it_is_given_may_be_empty(arguments: list[str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "fresco_gui", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ended.returncode == 2
    assert "the name is empty" in ended.stderr
