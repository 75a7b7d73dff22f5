"""One device, as far as it needs no Ray."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, cast

import pytest
from fresco_media.clip import Clip
from fresco_server.cluster import files
from fresco_server.cluster.errors import PartStopped
from fresco_server.cluster.files import SourceCache, names_of, needs_of
from fresco_server.cluster.orders import Needs
from fresco_server.jobs.job import JobOrder

from tests.engine.conftest import scene, write_clip

pytest.importorskip("ray", reason="Ray is not installed: pip install 'fresco[cluster]'")

from fresco_server.cluster.devices import ClusterDevice, ClusterNode


class _FarDevice(ClusterDevice):
    """A device whose worker is here, and finds nothing where the daemon has it."""

    def __init__(self, folder: Path) -> None:
        # Without a thread, which would start a worker by Ray.
        self.node = ClusterNode("studio2", "studio2", ("cpu",))
        self.asked: list[str] = []
        self._files = threading.Lock()
        self._cache = SourceCache(folder)

    def call(self, method: str, *arguments: object, timeout_s: float = 0.0) -> Any:
        """What a method of the worker's returns."""
        del timeout_s
        self.asked.append(method)
        called = {"receive": self._cache.write}.get(method) or getattr(self._cache, method)
        return cast(Any, called)(*arguments)


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _FarDevice:
    """A device of a machine that has nothing."""
    monkeypatch.setattr(files, "_is_here", lambda _: False)
    monkeypatch.setattr(files, "CHUNK_BYTES", 1000)
    return _FarDevice(tmp_path / "cache")


@pytest.fixture
def needs(tmp_path: Path) -> Needs:
    """What a job on a clip of some kilobytes reads."""
    clip = write_clip(tmp_path / "clip.mkv", scene(4))
    return needs_of(JobOrder(clip=str(clip), settings={}), Clip.open(clip))


def test_files_are_sent_once_and_room_is_made_for_them(device: _FarDevice, needs: Needs) -> None:
    device.send_files(needs, lambda: True, lambda: names_of(needs))
    first = list(device.asked)
    device.send_files(needs, lambda: True, lambda: names_of(needs))

    assert first[:3] == ["missing", "make_room", "receive"]
    assert device.asked[len(first) :] == ["missing"]


def test_sending_stops_between_two_pieces(device: _FarDevice, needs: Needs) -> None:
    left = [True, True]

    with pytest.raises(PartStopped):
        device.send_files(needs, lambda: bool(left) and left.pop(), frozenset)

    assert device.asked.count("receive") == 2
    device.send_files(needs, lambda: True, frozenset)
    assert device.asked[-1] == "receive"


def test_whoever_waits_until_another_device_has_sent_can_be_stopped(
    device: _FarDevice, needs: Needs
) -> None:
    files_of_machine = device._files  # pyright: ignore[reportPrivateUsage]
    with files_of_machine, pytest.raises(PartStopped):
        device.send_files(needs, lambda: False, frozenset)

    assert device.asked == []
