"""The range in the inspector: shown, chosen, in step with the timeline, and undone."""

from __future__ import annotations

from PyQt6.QtCore import Qt

from tests.gui.conftest import App


def test_the_range_is_chosen_in_the_inspector_in_step_with_the_timeline_and_undone(
    ready: App,
) -> None:
    window, store = ready.window, ready.controller.project_store
    row, viewer, strip = window.views.inspector.range, window.views.viewer, window.views.filmstrip
    assert (row.first.value(), row.last.value()) == (0, 39)
    assert not row.whole.isEnabled()

    row.first.setFocus()
    row.first.selectAll()
    ready.bot.keyClicks(row.first, "12")
    ready.bot.keyClick(row.first, Qt.Key.Key_Return)
    assert (store.project.range_in, store.project.range_out) == (12, 39)
    assert viewer.range == strip.range == (12, 39)

    viewer.set_range(5, 20)
    assert (row.first.value(), row.last.value()) == (5, 20)
    row.last.setValue(3)  # before the first one, which goes along
    assert viewer.range == strip.range == (3, 3)

    ready.press("Ctrl+Z")
    assert (row.first.value(), row.last.value()) == (0, 39)
    assert viewer.range is None
    ready.press("Ctrl+Shift+Z")
    assert viewer.range == (row.first.value(), row.last.value()) == (3, 3)

    row.whole.click()
    assert viewer.range is None
    assert (store.project.range_in, store.project.range_out) == (None, None)
    assert (row.first.value(), row.last.value()) == (0, 39)
