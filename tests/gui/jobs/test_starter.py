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
def test_a_mask_of_the_subject_reaches_the_daemon(
    app: App,
    start_daemon: Callable[..., DaemonProcess],
    clip: Path,
    tmp_path: Path,
    is_near: bool,
) -> None:
    mask = tmp_path / "mask.png"
    write_image(mask, np.full((64, 80, 3), 255, np.uint8))
    app.connect(start_daemon() if is_near else start_daemon(roots=[str(tmp_path / "elsewhere")]))
    app.open(clip)
    app.write_prompt("ink")
    field = app.window.views.inspector.form.field("subject_mask")
    assert field is not None
    field.set_value(str(mask))
    field.changed.emit()

    app.restyle()
    job = app.wait("the job", app.controller.shown_job.job)

    assert job.settings is not None
    sent = job.settings.subject_mask or ""
    assert sent == str(mask) if is_near else sent.startswith("upload:")
