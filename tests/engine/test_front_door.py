"""What a script imports: everything from one place, and nothing before it is used."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import fresco_engine
import pytest

from tests.engine.conftest import scene, write_clip

ROOT = Path(__file__).parents[2]
LIBRARIES = ("torch", "diffusers", "av", "cv2", "numpy", "scipy")


def example() -> str:
    """The Python example of the README."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    return code


@pytest.mark.parametrize("name", fresco_engine.__all__)
def test_every_name_is_there_and_is_no_module(name: str) -> None:
    value = getattr(fresco_engine, name)

    assert not isinstance(value, type(sys))
    assert name in dir(fresco_engine)


def test_another_name_is_refused_like_that_of_any_module() -> None:
    with pytest.raises(AttributeError, match="no attribute 'colour'"):
        getattr(fresco_engine, "colour")  # noqa: B009 - it is not there


def test_importing_the_engine_loads_no_library() -> None:
    code = f"import sys, fresco_engine; print([n for n in {LIBRARIES} if n in sys.modules])"

    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )

    assert ended.stdout.strip() == "[]"


def test_the_example_of_the_readme_imports_once_and_restyles_a_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_clip(tmp_path / "clip.mp4", scene(3))
    monkeypatch.chdir(tmp_path)
    code = example()
    quick = code.replace("seed=7", "seed=7, size=128, steps=4")
    assert quick != code

    exec(compile(quick, "README.md", "exec"), {})

    assert re.findall(r"^(?:from|import) .*", code, re.MULTILINE) == [code.splitlines()[0]]
    assert fresco_engine.open_clip("painted.mp4").info.frame_count == 3
    assert "pixel_mse" in capsys.readouterr().out
