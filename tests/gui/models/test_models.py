"""The model manager: downloads from a hub over HTTP, loading and freeing, with a real worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from fresco_gui.models import ModelManager
from fresco_media.stills.images import write_image
from PyQt6.QtCore import QSize
from PyQt6.QtWidgets import QLabel

from tests.fakes.hub import serving
from tests.fakes.tiny_models import write_lora
from tests.gui.conftest import App
from tests.integration.daemons import DaemonProcess

HUB_ID = "somebody/tiny-model"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A hub with one small model, and an empty cache."""
    from tests.fakes.tiny_models import write_model_folder

    folder = write_model_folder(tmp_path / "repository", controlnet=False)
    with serving({HUB_ID: folder}) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
        yield


@pytest.fixture
def manager(app: App, hub: None, start_daemon: Callable[..., DaemonProcess]) -> ModelManager:
    """The manager of a window whose daemon has a real worker."""
    app.connect(start_daemon(worker=None))
    app.press("Ctrl+M")
    manager = app.window.daemon_views.models
    app.wait("the bundled model", lambda: manager.table.rowCount() > 0)
    return manager


def cells(manager: ModelManager, name: str) -> list[str]:
    """A row of the table; empty if the model is not listed."""
    for row in range(manager.table.rowCount()):
        items = [manager.table.item(row, column) for column in range(5)]
        texts = [item.text() if item else "" for item in items]
        if texts[0] == name:
            return texts
    return []


def choose(manager: ModelManager, name: str) -> None:
    """Select a row."""
    for row in range(manager.table.rowCount()):
        item = manager.table.item(row, 0)
        if item is not None and item.text() == name:
            manager.table.setCurrentCell(row, 0)


def written_to(label: QLabel, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All that is written into a label from now on: looked at, it may have changed twice."""
    written: list[str] = []
    write = label.setText
    monkeypatch.setattr(label, "setText", lambda text: (written.append(text), write(text)))
    return written


def test_the_bundled_model_is_loaded_and_its_memory_freed(app: App, manager: ModelManager) -> None:
    before = cells(manager, "fresco-small")
    assert before[1] == "bundled"
    assert before[2].endswith("MB")
    assert "watercolour" in before[4]
    choose(manager, "fresco-small")

    assert manager.load.isEnabled()
    assert not manager.free.isEnabled()
    manager.load.click()
    app.wait("it to be loaded", lambda: "loaded on" in cells(manager, "fresco-small")[1])
    assert not manager.load.isEnabled()

    manager.free.click()
    app.wait("it to be freed", lambda: cells(manager, "fresco-small")[1] == "bundled")
    assert app.problems == []


def test_a_model_is_downloaded_with_progress_and_can_be_chosen(
    app: App, manager: ModelManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = written_to(manager.note, monkeypatch)
    manager.source.setText(HUB_ID)
    assert manager.download.isEnabled()

    manager.download.click()
    assert manager.is_downloading
    assert not manager.download.isEnabled()
    assert manager.stop.isEnabled()
    app.wait("the model", lambda: cells(manager, HUB_ID))

    assert cells(manager, HUB_ID)[1] == "installed"
    assert cells(manager, HUB_ID)[2].endswith("B")
    assert any(" / " in note for note in notes), notes
    assert manager.note.text() == f"{HUB_ID} is here."
    assert not manager.is_downloading
    box = app.window.views.inspector.model_box
    app.wait("it to be offered", lambda: box.findData(HUB_ID) >= 0)


def test_a_model_that_is_not_there_is_said_no_to_and_another_can_be_tried(
    app: App, manager: ModelManager
) -> None:
    manager.source.setText("nobody/nothing")
    manager.download.click()
    app.wait("the refusal to be told", lambda: app.problems)

    assert "nobody/nothing" in app.problems[-1].message
    assert app.window.views.problems.problem is not None
    assert not manager.is_downloading
    assert manager.download.isEnabled()


def test_a_download_is_stopped_and_goes_on(app: App, manager: ModelManager) -> None:
    manager.source.setText(HUB_ID)
    manager.download.click()
    manager.stop.click()

    assert not manager.is_downloading
    assert "again goes on" in manager.note.text()
    manager.download.click()
    app.wait("the model", lambda: cells(manager, HUB_ID))
    assert cells(manager, HUB_ID)[1] == "installed"


def test_models_show_what_they_make_and_the_words_that_call_it(
    app: App, tmp_path: Path, start_daemon: Callable[..., DaemonProcess]
) -> None:
    (tmp_path / "models").mkdir()
    write_lora(tmp_path / "models" / "inky.safetensors")
    write_image(tmp_path / "models" / "inky.preview.png", np.full((300, 600, 3), 200, np.uint8))
    write_lora(tmp_path / "models" / "broken.safetensors")
    (tmp_path / "models" / "broken.png").write_bytes(b"no picture")
    (tmp_path / "models" / "inky.json").write_text('{"activation text": "inkwash"}')
    app.connect(start_daemon(worker=None, model_folders=[str(tmp_path / "models")]))
    app.press("Ctrl+M")
    manager = app.window.daemon_views.models

    def sizes() -> dict[str, tuple[int, int]]:
        items = [manager.table.item(row, 0) for row in range(manager.table.rowCount())]
        shown = {item.text(): item.icon() for item in items if item is not None}
        found = {name: icon.actualSize(QSize(999, 999)) for name, icon in shown.items()}
        return {name: (size.width(), size.height()) for name, size in found.items()}

    app.wait("pictures", lambda: sum(size > (0, 0) for size in sizes().values()) == 2)
    bundled = next(iter(sizes()))
    assert sizes()["inky"] == (56, 28)
    assert max(sizes()[bundled]) == 56
    assert sizes()["broken"] < (0, 0)
    assert cells(manager, "inky")[1::3] == ["LoRA", "inkwash"]
