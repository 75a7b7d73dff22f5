"""From a strip to a restyled strip with the model that comes with Fresco, in sync."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.blender.blenders import Blender
from tests.blender.numbers import read_number
from tests.integration.conftest import StartDaemon


@pytest.mark.timeout(1200)
def test_a_strip_is_restyled_by_a_style_alone_and_still_shows_its_numbers(
    blender: Blender, start_daemon: StartDaemon, numbered_clip: Path, tmp_path: Path
) -> None:
    daemon = start_daemon()

    found = blender.play(
        "sync", "bundled_model", daemon.data, clip=numbered_clip, out=tmp_path / "out"
    )

    assert "watercolour" in found["styles"]
    assert [read_number(path) for path in found["source_files"]] == list(range(4, 20))
    restyled = [read_number(path, is_restyled=True) for path in found["result_files"]]
    assert restyled == list(range(4, 20))
    for source, result in zip(found["source_files"], found["result_files"], strict=True):
        pictures = [np.asarray(Image.open(path), dtype=float) for path in (source, result)]
        assert np.abs(pictures[0] - pictures[1]).mean() > 4
    assert (found["result"]["left"], found["result"]["right"]) == (9, 25)
