"""Finding how people stand, on pictures whose truth is known."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from fakes.tiny_detectors import tiny_finder, tiny_joints, write_network
from fresco_engine.diffusion.detectors.pose import PoseDetector, peaks, placement
from fresco_engine.diffusion.detectors.skeleton import COLOURS
from torch import Tensor, nn

CPU = torch.device("cpu")
HEIGHT, WIDTH = 240, 320


class KnownPeople(nn.Module):
    """Finds people where it was told; boxes are x, y, width, height in pixels."""

    def __init__(self, *boxes: tuple[float, float, float, float], certainty: float = 0.9) -> None:
        super().__init__()
        self.config = SimpleNamespace(label2id={"bicycle": 0, "person": 1})
        x, y, width, height = np.array(boxes, np.float32).reshape(-1, 4).T
        middles = np.stack([(x + width / 2) / WIDTH, (y + height / 2) / HEIGHT], 1)
        sizes = np.stack([width / WIDTH, height / HEIGHT], 1)
        self.boxes = torch.from_numpy(np.concatenate([middles, sizes], 1))
        self.logit = float(np.log(certainty / (1 - certainty)))

    def forward(self, pixel_values: Tensor) -> Any:
        assert pixel_values.shape == (1, 3, 640, 640)
        logits = torch.tensor([-9.0, self.logit]).expand(1, len(self.boxes), 2)
        return SimpleNamespace(logits=logits, pred_boxes=self.boxes[None])


class SeesWhite(nn.Module):
    """Takes the brightest spot for every joint."""

    def __init__(self) -> None:
        super().__init__()
        backbone = SimpleNamespace(image_size=[256, 192], num_experts=1)
        self.config = SimpleNamespace(backbone_config=backbone)

    def forward(self, pixel_values: Tensor) -> Any:
        bright = pixel_values.mean(dim=1)[0].numpy()
        weights = np.where(bright > bright.max() - 0.5, bright - bright.min(), 0)
        rows, columns = np.indices(bright.shape)
        y, x = ((weights * one).sum() / weights.sum() for one in (rows, columns))
        heat = gaussian(x * 47 / 191, y * 63 / 255)
        return SimpleNamespace(heatmaps=torch.from_numpy(heat).expand(1, 17, 64, 48))


def gaussian(x: float, y: float) -> np.ndarray:
    rows, columns = np.indices((64, 48))
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 2.0**2)).astype(np.float32)


def picture_with_dot(x: int, y: int) -> np.ndarray:
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    cv2.circle(picture, (x, y), 3, (255, 255, 255), -1)
    return picture


@pytest.mark.parametrize(("x", "y"), [(20.0, 30.0), (20.3, 29.6), (11.49, 50.5)])
def test_peaks_are_found_between_pixels(x: float, y: float) -> None:
    points, heights = peaks(np.stack([gaussian(x, y), 0.5 * gaussian(5, 6)]))

    np.testing.assert_allclose(points, [(x, y), (5, 6)], atol=1e-3)
    assert heights[1] == 0.5


@pytest.mark.parametrize(("x", "y"), [(0.0, 0.0), (47.0, 63.0)])
def test_peaks_at_the_border_stay_there(x: float, y: float) -> None:
    points, _ = peaks(gaussian(x, y)[None])

    np.testing.assert_array_equal(points, [(x, y)])


def test_maps_without_heat_give_points_inside() -> None:
    points, heights = peaks(np.zeros((17, 64, 48), np.float32))

    assert np.isfinite(points).all()
    assert heights.max() == 0


@pytest.mark.parametrize("box", [(40, 30, 60, 150), (10, 90, 200, 20), (5, 5, 0, 0)])
def test_a_box_comes_into_the_middle_whole_with_equal_scales(
    box: tuple[float, float, float, float],
) -> None:
    onto = placement(np.array(box, np.float32), 192, 256)

    x, y, width, height = box
    middle = onto @ (x + width / 2, y + height / 2, 1)
    corners = [onto @ (a, b, 1) for a in (x, x + width) for b in (y, y + height)]
    np.testing.assert_allclose(middle, (95.5, 127.5), atol=1e-3)
    assert all(0 <= a <= 191 and 0 <= b <= 255 for a, b in corners)
    assert onto[0, 0] / onto[1, 1] == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(("x", "y"), [(100, 120), (131, 77)])
def test_joints_are_drawn_where_they_are_in_the_picture(x: int, y: int) -> None:
    detector = PoseDetector(KnownPeople((60, 40, 100, 160)), SeesWhite(), CPU)  # pyright: ignore[reportArgumentType]

    found = detector.detect(picture_with_dot(x, y))

    rows, columns = np.nonzero(found.max(axis=2) > 0.5)
    assert (columns.mean(), rows.mean()) == pytest.approx((x, y), abs=0.6)
    # All joints lie on each other; the last is in front.
    np.testing.assert_allclose(found[y, x] * 255, COLOURS[-1], atol=0.5)


def test_whoever_is_not_certain_is_not_drawn() -> None:
    finder = KnownPeople((60, 40, 100, 160), certainty=0.2)
    detector = PoseDetector(finder, SeesWhite(), CPU)  # pyright: ignore[reportArgumentType]

    assert detector.detect(picture_with_dot(100, 120)).max() == 0


def test_a_picture_without_people_is_black() -> None:
    detector = PoseDetector(KnownPeople(), SeesWhite(), CPU)  # pyright: ignore[reportArgumentType]

    found = detector.detect(picture_with_dot(100, 120))

    assert found.shape == (HEIGHT, WIDTH, 3)
    assert found.max() == 0


def test_networks_of_the_librarys_classes_are_loaded_from_folders(tmp_path: Path) -> None:
    finder = write_network(tiny_finder(), tmp_path / "person")
    joints = write_network(tiny_joints(), tmp_path / "joints")
    picture = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8)

    found = PoseDetector.load(finder, joints, CPU).detect(picture)

    made = PoseDetector(tiny_finder(), tiny_joints(), CPU).detect(picture)
    assert found.shape == (HEIGHT, WIDTH, 3)
    np.testing.assert_array_equal(found, made)
