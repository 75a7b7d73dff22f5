"""What is handed over with a job reaches the daemon, wherever it may read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fresco_media.stills.images import write_image

from tests.gui.conftest import App
from tests.integration.daemons import DaemonProcess


@pytest.mark.parametrize("is_near", [True, False], ids=["by path", "sent"])
def test_a_mask_and_a_reference_picture_reach_the_daemon(
    app: App,
    start_daemon: Callable[..., DaemonProcess],
    clip: Path,
    tmp_path: Path,
    is_near: bool,
) -> None:
    files = {"subject_mask": tmp_path / "mask.png", "reference": tmp_path / "look.png"}
    for level, file in enumerate(files.values(), 254):
        write_image(file, np.full((64, 80, 3), level, np.uint8))
    app.connect(start_daemon() if is_near else start_daemon(roots=[str(tmp_path / "elsewhere")]))
    app.open(clip)
    app.write_prompt("ink")
    for name, file in files.items():
        field = app.window.views.inspector.form.field(name)
        assert field is not None
        field.set_value(str(file))
        field.changed.emit()

    app.restyle()
    job = app.wait("the job", app.controller.shown_job.job)

    assert job.settings is not None
    for name, file in files.items():
        sent = getattr(job.settings, name) or ""
        assert sent == str(file) if is_near else sent.startswith("upload:")
