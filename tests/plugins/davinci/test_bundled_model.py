"""From a click in the menu to the restyled clip on its track, with the bundled model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fresco_client import JobState
from fresco_davinci.choices import Choices, save_choices
from fresco_davinci.install import Scripts
from fresco_davinci.places import Places
from fresco_engine.media.clip import Clip as Media

from tests.engine.conftest import scene, write_clip
from tests.fakes.resolve import Resolve
from tests.integration.daemons import DaemonProcess, wait_for
from tests.plugins.davinci.conftest import PROGRAM, RATES, OpenWorld, clip_of, put


@pytest.mark.timeout(420)
def test_a_click_restyles_a_clip_with_the_bundled_model(
    open_resolve: OpenWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    daemon = DaemonProcess(tmp_path / "a daemon" / "data").start()
    monkeypatch.setenv("FRESCO_DATA", str(daemon.data))
    monkeypatch.setenv("XDG_VIDEOS_DIR", str(tmp_path / "Vidéos"))
    places = Places.usual(daemon.data)
    save_choices(places.choices, Choices(style="watercolour", preset="draft"))
    path = write_clip(tmp_path / "shot é.mp4", scene(12), RATES["23.976"])
    world = open_resolve(RATES["23.976"])
    source = put(world, clip_of(path), at=3, left=4, count=6)
    world.timeline.playhead = 5
    scripts = Scripts(program=PROGRAM, mailbox=places.mailbox).contents()

    def click(entry: str) -> None:
        exec(compile(scripts[f"{entry}.py"], "<menu>", "exec"), {"resolve": Resolve(world)})

    try:
        click("Restyle with last settings")
        (order,) = places.orders.glob("*.json")
        with daemon.session() as session:
            job = wait_for(
                "the job",
                lambda: next((job for job in session.jobs() if job.state.is_ended), None),
                360,
            )
        assert job.state is JobState.DONE, job.failure
        assert job.id == order.stem
        click("Update results")
    finally:
        daemon.stop_whatever()

    (item,) = world.timeline.video[1].items
    assert (item.start, item.duration) == (source.start, source.duration)
    assert item.clip is not None
    result = Media.open(Path(item.clip.path))
    assert (result.info.frame_count, result.info.frame_rate) == (6, RATES["23.976"])
    before = [frame.image for frame in Media.open(path).frames(4, 10)]
    after = [frame.image for frame in result.frames(0, 6)]
    assert np.abs(np.subtract(before, after, dtype=int)).mean() > 10
