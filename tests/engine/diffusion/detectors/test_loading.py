"""Where detectors come from, and what is said where they are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from fakes.hub import COMMIT
from fakes.tiny_detectors import tiny_depth, tiny_finder, tiny_joints, write_network
from fresco_engine.diffusion.detectors.depth import DepthDetector
from fresco_engine.diffusion.detectors.detector import Detector
from fresco_engine.diffusion.detectors.line_drawing import LineDetector, LineNetwork
from fresco_engine.diffusion.detectors.loading import PARTS, load_detector
from fresco_engine.diffusion.detectors.places import DetectorPlaces
from fresco_engine.diffusion.detectors.pose import PoseDetector
from fresco_engine.diffusion.detectors.soft_edges import SoftEdgeDetector, SoftEdgeNetwork
from fresco_engine.errors import ControlUnavailable, WrongModelKind
from fresco_engine.settings import ControlKind

KINDS: list[ControlKind] = ["hed", "depth", "openpose", "lineart"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a detector of every kind below it."""
    folder = tmp_path_factory.mktemp("model")
    detectors = folder / "detectors"
    for kind, name, network in (
        ("hed", "ControlNetHED.pth", SoftEdgeNetwork()),
        ("lineart", "sk_model.pth", LineNetwork()),
    ):
        (detectors / kind).mkdir(parents=True)
        torch.save(network.state_dict(), detectors / kind / name)
    write_network(tiny_depth(), detectors / "depth")
    write_network(tiny_finder(), detectors / "openpose" / "person")
    write_network(tiny_joints(), detectors / "openpose" / "joints")
    return folder


def load(kind: ControlKind, *folders: Path) -> Detector | None:
    return load_detector(kind, DetectorPlaces(folders, offline=True), torch.device("cpu"))


@pytest.mark.parametrize(
    ("kind", "made"),
    [
        ("hed", SoftEdgeDetector),
        ("depth", DepthDetector),
        ("openpose", PoseDetector),
        ("lineart", LineDetector),
    ],
)
def test_each_kind_is_found_beside_the_model(
    tmp_path: Path, folder: Path, kind: ControlKind, made: type
) -> None:
    assert isinstance(load(kind, tmp_path, folder), made)


@pytest.mark.parametrize("kind", ["tile", "canny", "none"])
def test_what_pixels_alone_tell_needs_no_network(kind: ControlKind) -> None:
    assert load(kind) is None


@pytest.mark.parametrize("kind", KINDS)
def test_where_there_is_none_one_is_told_its_size_and_how_to_get_it(
    tmp_path: Path, kind: ControlKind
) -> None:
    with pytest.raises(ControlUnavailable, match="not on this machine") as caught:
        load(kind, tmp_path)

    said = str(caught.value)
    assert f"({sum(part.megabytes for part in PARTS[kind])} MB)" in said
    assert all(f"'hf download {part.hub_id} {part.files[0]}" in said for part in PARTS[kind])
    assert f"detectors/{kind}" in said
    assert "choose none for “Structure”" in said


def test_the_hubs_cache_is_enough(cache: Path) -> None:
    (part,) = PARTS["depth"]
    repository = cache / f"models--{part.hub_id.replace('/', '--')}"
    write_network(tiny_depth(), repository / "snapshots" / COMMIT)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT, encoding="utf-8")

    detector = load("depth")

    assert detector is not None
    assert detector.detect(np.zeros((64, 64, 3), np.uint8)).shape == (64, 64)


def test_what_is_wrong_with_a_detector_is_wrong_with_the_control(
    tmp_path: Path,
) -> None:
    place = tmp_path / "detectors" / "hed"
    place.mkdir(parents=True)
    torch.save(LineNetwork().state_dict(), place / "ControlNetHED.pth")

    with pytest.raises(WrongModelKind, match="not the weights of ControlNetHED") as caught:
        load("hed", tmp_path)

    assert caught.value.field == "control"
