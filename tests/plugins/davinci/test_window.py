"""The window, with a real daemon behind it and the stand-in at the other end of its bridge."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PyQt6.QtWidgets", reason="PyQt6 does not run here", exc_type=ImportError)
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from fresco_davinci.bridge.mailbox import Mailbox
from fresco_davinci.bridge.remote import Bridge
from fresco_davinci.choices import StoredChoices, load_choices, save_choices
from fresco_davinci.controller import Connect, ResolveController
from fresco_davinci.errors import HostGone
from fresco_davinci.folders import resolve_folders
from fresco_davinci.install import FREE_EDITION, Scripts
from fresco_davinci.plugin_folders import PluginFolders
from fresco_davinci.window.form import ResolveSettingsForm
from fresco_davinci.window.window import FrescoWindow
from PyQt6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

from tests.fakes.resolve import World
from tests.fakes.resolve.lua import LuaSide, in_thread, patient
from tests.fakes.settings import MoreSettings
from tests.integration.daemons import DaemonProcess
from tests.plugins.davinci.conftest import PROGRAM, DirectLink, MakeMedia, OpenWorld, clip_of, put

OpenWindow = Callable[..., FrescoWindow]
_PATIENCE_MS = 120_000


@pytest.fixture
def open_window(
    qtbot: QtBot, daemon: DaemonProcess, plugin_folders: PluginFolders
) -> Iterator[OpenWindow]:
    """Opens windows on a stand-in, or on a mailbox."""
    controllers: list[ResolveController] = []
    windows: list[FrescoWindow] = []

    def make(
        world: World | None,
        command: str = "restyle",
        mailbox: Mailbox | None = None,
        connect: Connect = daemon.session,
    ) -> FrescoWindow:
        controllers.append(ResolveController(plugin_folders, connect))
        if world is not None:
            controllers[-1].attach(Bridge(DirectLink(world)))
        windows.append(FrescoWindow(controllers[-1], command, mailbox))
        qtbot.addWidget(windows[-1])
        windows[-1].show()
        return windows[-1]

    yield make
    for window in windows:
        window.close()
    for controller in controllers:
        controller.close()


@pytest.fixture
def world(open_resolve: OpenWorld, media: MakeMedia) -> World:
    """A clip of eight frames under the playhead."""
    world = open_resolve()
    put(world, clip_of(media(Fraction(24))), at=2, left=3, count=8)
    world.timeline.playhead = 4
    return world


def test_a_clip_is_restyled_and_its_result_comes_in_by_itself(
    open_window: OpenWindow, world: World, qtbot: QtBot, plugin_folders: PluginFolders
) -> None:
    window = open_window(world)
    qtbot.waitUntil(lambda: window.before.has_picture, timeout=_PATIENCE_MS)
    assert "8 frames" in window.heading.text()
    assert not window.restyle.isEnabled()

    window.form.fields["prompt"].set_value("ink on paper")
    assert window.restyle.isEnabled()
    window.restyle.click()

    qtbot.waitUntil(lambda: len(world.timeline.video) == 2, timeout=_PATIENCE_MS)
    qtbot.waitUntil(lambda: "is on track V2" in window.status.text(), timeout=_PATIENCE_MS)
    (item,) = world.timeline.video[1].items
    assert (item.start, item.duration) == (86402, 8)
    assert load_choices(plugin_folders.choices).prompt == "ink on paper"


def test_a_job_is_listed_with_its_newest_keyframe_and_can_be_cancelled(
    open_window: OpenWindow,
    world: World,
    qtbot: QtBot,
    tmp_path: Path,
    plugin_folders: PluginFolders,
) -> None:
    from tests.integration.daemons import with_fake_worker

    slow = DaemonProcess(tmp_path / "slow" / "data", with_fake_worker(["--step-s", "0.5"]))
    slow.start()
    try:
        before = world.snapshot()
        save_choices(plugin_folders.choices, StoredChoices(prompt="ink"))
        window = open_window(world, connect=slow.session)
        qtbot.waitUntil(lambda: window.before.has_picture, timeout=_PATIENCE_MS)
        window.restyle.click()
        qtbot.waitUntil(lambda: window.jobs.rowCount() == 1, timeout=_PATIENCE_MS)
        qtbot.waitUntil(lambda: window.after.has_picture, timeout=_PATIENCE_MS)
        assert "keyframe" in window.after._caption  # pyright: ignore[reportPrivateUsage]
        assert window.jobs.index(0, 1).data() == "ink"
        assert window.jobs.index(0, 2).data().startswith("keyframes ")

        window.table.selectRow(0)
        window.cancel.click()

        qtbot.waitUntil(lambda: window.jobs.rowCount() == 0, timeout=_PATIENCE_MS)
        assert world.snapshot() == before
        window.close()
        window._controller.close()  # pyright: ignore[reportPrivateUsage]
    finally:
        slow.stop_whatever()


def test_a_look_shows_the_frame_restyled(
    open_window: OpenWindow, world: World, qtbot: QtBot, plugin_folders: PluginFolders
) -> None:
    save_choices(plugin_folders.choices, StoredChoices(prompt="ink"))
    before = world.snapshot()

    window = open_window(world, "look")

    qtbot.waitUntil(lambda: window.after.has_picture, timeout=_PATIENCE_MS)
    assert world.snapshot() == before


def test_the_models_styles_can_be_chosen_without_a_prompt(
    open_window: OpenWindow, world: World, qtbot: QtBot
) -> None:
    window = open_window(world)
    field = window.form.fields["style"]
    box = field.findChild(QComboBox)
    qtbot.waitUntil(lambda: box.count() > 5, timeout=_PATIENCE_MS)

    field.set_value("watercolour")
    field.changed.emit()

    assert window.form.choices().style == "watercolour"
    assert window.restyle.isEnabled()


def test_what_goes_wrong_is_a_sentence_in_the_window(
    open_window: OpenWindow, open_resolve: OpenWorld, qtbot: QtBot
) -> None:
    window = open_window(open_resolve())

    qtbot.waitUntil(
        lambda: "There is no clip under the playhead" in window.status.text(), timeout=_PATIENCE_MS
    )
    assert window.update_results.isEnabled()


def test_when_resolve_is_gone_nothing_can_be_clicked(
    open_window: OpenWindow, world: World, qtbot: QtBot
) -> None:
    window = open_window(world)
    qtbot.waitUntil(lambda: window.before.has_picture, timeout=_PATIENCE_MS)

    class Gone:
        def send(self, message: dict[str, Any]) -> dict[str, Any]:
            raise HostGone("the script in Resolve has ended")

        def close(self) -> None: ...

    window._controller.attach(Bridge(Gone()))  # pyright: ignore[reportPrivateUsage]
    window.refresh.click()

    qtbot.waitUntil(lambda: "gone" in window.heading.text(), timeout=_PATIENCE_MS)
    assert not window.refresh.isEnabled()
    assert "jobs go on meanwhile" in window.status.text()


def test_a_click_in_the_free_edition_connects_the_window(
    open_window: OpenWindow,
    world: World,
    qtbot: QtBot,
    plugin_folders: PluginFolders,
    tmp_path: Path,
) -> None:
    folders = resolve_folders("linux", tmp_path / "home", {})
    mailbox = Mailbox(plugin_folders.mailbox, folders.preferences, heartbeat_s=0.1)
    mailbox.open()
    window = open_window(None, "restyle", mailbox)
    assert window.heading.text() == "Waiting for DaVinci Resolve"
    assert "Workspace ▸ Scripts" in window.before._words  # pyright: ignore[reportPrivateUsage]
    script = Scripts(program=PROGRAM, mailbox=plugin_folders.mailbox).contents()[
        f"{FREE_EDITION}.lua"
    ]

    side = LuaSide(world, folders.profiles / "Default/Fusion.prefs")
    close = in_thread(side, patient(script))

    qtbot.waitUntil(lambda: "8 frames" in window.heading.text(), timeout=_PATIENCE_MS)
    qtbot.waitUntil(lambda: not window.background.is_busy, timeout=_PATIENCE_MS)
    window.close()
    mailbox.close()
    close()


@pytest.mark.parametrize(
    "choices",
    [
        StoredChoices(),
        StoredChoices(prompt="a", strength=0.35, preset="draft", pixels="render", seed=4),
        StoredChoices(style="oil", place="take"),
        StoredChoices(prompt="a", place="track", track=3, conflict="replace"),
    ],
    ids=str,
)
def test_the_form_gives_the_choices_it_was_given(qtbot: QtBot, choices: StoredChoices) -> None:
    form = ResolveSettingsForm(choices)
    qtbot.addWidget(form)
    form.set_styles(["oil", "ink"])

    assert form.choices() == choices


def test_a_setting_that_is_declared_has_a_field(qtbot: QtBot) -> None:
    form = ResolveSettingsForm(StoredChoices(prompt="ink"), MoreSettings)
    qtbot.addWidget(form)

    box = form.fields["paint_depth"].input
    assert box.accessibleName() == "Paint depth"
    assert form.fields["paint_depth"].toolTip() == "How thick the paint lies"


def test_only_what_belongs_to_the_mode_is_shown(qtbot: QtBot) -> None:
    form = ResolveSettingsForm(StoredChoices(prompt="ink"))
    qtbot.addWidget(form)
    form.show()
    told = form.fields["source_prompt"]

    assert not told.isVisible()
    form.set_choices(StoredChoices(prompt="ink", mode="edit", source_prompt="a road"))

    assert told.isVisible()
    assert form.choices().look()["source_prompt"] == "a road"
