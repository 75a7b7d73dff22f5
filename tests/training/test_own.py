"""Styles from a file of one's own take part in everything."""

import subprocess
import sys
from pathlib import Path

import pytest
from fresco_training import own, presets
from fresco_training.styles import STYLES

EXAMPLE = (own.__doc__ or "").split("\n\n", 1)[1].rsplit("\n\n", 1)[0]
ASKED = """
import sys
from pathlib import Path
from fresco_training import own
own.load(Path(sys.argv[1]))
from fresco_training import data, prompts
from fresco_training.export import _description
print(data.STYLE_NAMES[-1], _description(1)["styles"][-1])
"""


def test_the_example_in_the_documentation_adds_a_style(tmp_path: Path) -> None:
    path = tmp_path / "own_styles.py"
    path.write_text("\n".join(line[4:] for line in EXAMPLE.splitlines()), encoding="utf-8")

    told = subprocess.run(
        [sys.executable, "-c", ASKED, str(path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(own.__file__).parents[1],
        timeout=120,
    )

    assert told.stdout.startswith("night {'name': 'night', 'words': ['night', 'by moonlight',")
    assert "'prompt': 'by moonlight', 'strength': 0.75}" in told.stdout


def test_a_style_without_words_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STYLES, "fog", STYLES["photo"])

    with pytest.raises(ValueError, match="fog: give every style both"):
        own.load(None)


def test_every_style_has_a_prompt_and_presets_name_styles_there_are() -> None:
    assert set(presets.PRESETS) <= set(STYLES)
    assert all(presets.preset_of(name).prompt for name in STYLES)
