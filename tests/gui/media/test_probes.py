"""A file is looked through once for all who read it, and again when it is another."""

from __future__ import annotations

from pathlib import Path

import pytest
from fresco_gui.media.probes import Probes
from fresco_gui.media.reader import open_reader

from tests.gui.counting import write_clip


def test_a_file_is_probed_again_only_when_it_is_another(tmp_path: Path) -> None:
    path, probes = write_clip(tmp_path / "a.mp4", 6), Probes()
    first = probes.get(path)
    assert first is not None

    assert probes.get(path) is first

    write_clip(path, 9)
    again = probes.get(path)
    assert again is not None
    assert again.info.frame_count == 9
    path.unlink()
    with pytest.raises(FileNotFoundError):
        probes.get(path)


def test_only_the_last_few_are_remembered(tmp_path: Path) -> None:
    paths = [write_clip(tmp_path / f"{number}.mp4", 3) for number in range(3)]
    probes = Probes(most=2)
    first, second, _ = (probes.get(path) for path in paths)

    assert probes.get(paths[1]) is second
    assert probes.get(paths[0]) is not first


def test_one_who_reads_does_not_disturb_another(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", 12)
    one, other = open_reader(path), open_reader(path)
    assert one is not None
    assert other is not None
    wanted = one.image(9)

    one.close()

    assert other.image(2) != wanted
    assert other.image(9) == wanted
    other.close()
