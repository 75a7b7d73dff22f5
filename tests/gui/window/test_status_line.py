"""The status line: what the daemon works on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fresco_client import Device
from fresco_gui.daemon.watcher import DaemonState, DaemonView
from fresco_gui.window.status import StatusLine
from pytestqt.qtbot import QtBot

from tests.gui.test_plain import server_with


def device(number: int, **changes: object) -> Device:
    """A device of a cluster."""
    usual = Device(
        id=f"studio{number}/cuda:0",
        name="A GPU",
        memory_bytes=0,
        state="ready",
        model_source="",
        has_model=False,
        job_id="",
        node=f"studio{number}",
    )
    return replace(usual, **changes)  # pyright: ignore[reportArgumentType]


@pytest.fixture
def status(qtbot: QtBot) -> StatusLine:
    """A status line with a daemon that is ready."""
    line = StatusLine()
    qtbot.addWidget(line)
    line.show_daemon(DaemonState.READY, "")
    return line


def shown(status: StatusLine, *devices: Device) -> tuple[str, str]:
    """The text and the tool tip for these devices."""
    server = replace(server_with("unused"), devices=devices)
    status.show_server(DaemonView(server=server, models=()))
    return status.daemon.text(), status.daemon.toolTip()


def test_the_devices_of_a_cluster_are_listed_with_what_each_does(status: StatusLine) -> None:
    busy = device(1, state="busy", job_id="3f2a", activity="keyframes 0 to 7")
    leaving = device(2, is_draining=True)

    text, tip = shown(status, busy, leaving)

    assert "1 of 2 devices at work" in text
    assert tip.splitlines() == [
        "studio1/cuda:0: A GPU, busy, works on keyframes 0 to 7 of 3f2a",
        "studio2/cuda:0: A GPU, ready, given nothing new, so that its machine can leave",
    ]


def test_the_only_device_of_a_machine_is_named_and_nothing_listed(status: StatusLine) -> None:
    text, tip = shown(status, device(1, node="", id="cpu", name="Processor"))

    assert "Processor" in text
    assert tip == ""


def test_what_was_listed_goes_with_the_devices(status: StatusLine) -> None:
    shown(status, device(1), device(2))

    text, tip = shown(status)

    assert "devices" not in text
    assert tip == ""
