"""The bench of graphics cards runs through on a processor, in small, and says what it should."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest
from fresco_engine.settings import SamplerKind

from bench import gpu


def test_it_runs_from_end_to_end_in_small(tmp_path: Path) -> None:
    gpu.main(["--toy", "--out", str(tmp_path)])

    found = json.loads((tmp_path / "gpu.json").read_text("utf-8"))
    names = {(one["section"], one["name"]): one for one in found["figures"]}
    assert not found["left_out"]
    steps = "A denoising step of 2 frames at 64 x 64"
    assert {name for section, name in names if section == steps} >= set(gpu.ADAPTATIONS)
    assert {name for section, name in names if section == "A step by sampler"} == set(
        get_args(SamplerKind)
    )
    same = names["Agreement of latents", "float32 here, float32 on the processor"]["note"]
    half = names["Agreement of latents", "float16 here, float32 on the processor"]["note"]
    assert float(same.split()[0]) > 100
    assert float(half.split()[0]) > 30
    assert names[steps, "everything, as forecast"]["peak_bytes"] > 0
    assert f"### {steps}" in (tmp_path / "gpu.md").read_text("utf-8")


def test_without_a_graphics_card_it_says_how_to_try_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)

    with pytest.raises(SystemExit):
        gpu.main(["--out", str(tmp_path / "out")])

    assert "try it with --toy" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
