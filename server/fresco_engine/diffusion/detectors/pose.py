"""How people stand.

RT-DETR (arXiv:2304.08069) finds them, ViTPose (arXiv:2204.12484) their joints.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from fresco_media.types import Image
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from transformers import RTDetrForObjectDetection, VitPoseForPoseEstimation

from fresco_engine.diffusion.detectors.detector import Found, normalised, picture_tensor
from fresco_engine.diffusion.detectors.skeleton import Joints, draw_people, joints_of
from fresco_engine.diffusion.folders import load_part

_PERSON = "person"
_FINDER_SIDE = 640
"""Of the squares that RT-DETR is trained on."""
_LEAST_PERSON, _LEAST_JOINT = 0.3, 0.3
_MOST_PEOPLE = 20
_MARGIN = 1.25
"""How much larger than a person the part of the picture is in which joints are looked for."""
_LEAST_HEAT = 1e-6
_JOINTS = 17


class PoseDetector:
    """People as coloured skeletons on black."""

    is_relative = False

    def __init__(
        self,
        finder: RTDetrForObjectDetection,
        network: VitPoseForPoseEstimation,
        device: torch.device,
    ) -> None:
        self._finder = finder.to(device).eval().requires_grad_(False)  # pyright: ignore[reportArgumentType]
        self._network = network.to(device).eval().requires_grad_(False)  # pyright: ignore[reportArgumentType]
        self._device = device

    @classmethod
    def load(cls, finder: Path, network: Path, device: torch.device) -> PoseDetector:
        """The networks in two folders with config.json and weights; raises as `load_part`."""
        return cls(
            load_part(RTDetrForObjectDetection, finder),
            load_part(VitPoseForPoseEstimation, network),
            device,
        )

    def detect(self, image: Image) -> Found:
        """As the protocol says."""
        people = [self._joints(image, box) for box in self._people(image)]
        return draw_people(people, *image.shape[:2]).astype(np.float32) / np.float32(255)

    def _people(self, image: Image) -> NDArray[np.float32]:
        """Boxes of people (n, 4) as x, y, width, height in pixels, the most certain last."""
        config = self._finder.config
        square = (_FINDER_SIDE, _FINDER_SIDE)
        squares = functional.interpolate(
            picture_tensor(image, self._device), square, mode="bilinear", antialias=True
        )
        found = self._finder(pixel_values=squares)
        person = (config.label2id or {}).get(_PERSON, 0)
        certainty = found.logits[0, :, person].float().sigmoid().cpu().numpy()
        boxes = found.pred_boxes[0].float().cpu().numpy()
        order = np.argsort(certainty, kind="stable")[-_MOST_PEOPLE:]
        boxes = boxes[[one for one in order if certainty[one] >= _LEAST_PERSON]]
        height, width = image.shape[:2]
        corners = np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, 2:]], axis=1)
        return corners * np.array([width, height, width, height], np.float32)

    def _joints(self, image: Image, box: NDArray[np.float32]) -> Joints:
        backbone: Any = self._network.config.backbone_config
        height, width = backbone.image_size
        onto = placement(box, width, height)
        part = cv2.warpAffine(image, onto, (width, height), flags=cv2.INTER_LINEAR).astype(np.uint8)
        heat = self._heat(normalised(picture_tensor(part, self._device)))
        points, certainty = peaks(heat)
        # Corner pixels of the maps of heat lie on corner pixels of the part that was seen.
        points *= (np.array([width, height]) - 1) / (np.array(heat.shape[:0:-1]) - 1)
        back = cv2.invertAffineTransform(onto)
        there = points @ back[:, :2].T + back[:, 2]
        return joints_of(there.astype(np.float32), certainty, _LEAST_JOINT)

    def _heat(self, parts: Tensor) -> NDArray[np.float32]:
        """Where each of COCO's points may be, (17, h, w)."""
        options: dict[str, Any] = {}
        backbone: Any = self._network.config.backbone_config
        if backbone.num_experts > 1:
            # Of the data sets that such a network knows, COCO is the first.
            options["dataset_index"] = torch.zeros(
                len(parts), dtype=torch.long, device=self._device
            )
        heat = self._network(pixel_values=parts, **options).heatmaps
        return heat[0, :_JOINTS].float().cpu().numpy()


def placement(box: NDArray[np.float32], width: int, height: int) -> NDArray[np.float64]:
    """The map (2, 3) of a picture onto one of `width` by `height` that shows a box with a margin.

    The box, widened to that proportion, spans from the first to the last pixel's centre.
    """
    centre = box[:2] + box[2:] / 2
    wide = max(float(box[2]), float(box[3]) * width / height, 1.0) * _MARGIN
    high = wide * height / width
    across, down = (width - 1) / wide, (height - 1) / high
    left, top = centre - np.array([wide, high]) / 2
    return np.array([[across, 0, -left * across], [0, down, -top * down]], np.float64)


def peaks(heat: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Where maps of heat (n, h, w) are greatest, as x and y (n, 2), and how great they are.

    Between the pixels by a parabola through the logarithm, which is exact for the Gaussian that
    such networks are trained to draw (as in distribution-aware decoding, arXiv:1910.06278).
    """
    count, height, width = heat.shape
    places = heat.reshape(count, -1).argmax(axis=1)
    rows, columns = np.divmod(places, width)
    logarithm = np.log(np.maximum(heat.astype(np.float64), _LEAST_HEAT))
    each = np.arange(count)

    def between(at: NDArray[np.intp], most: int, *, is_row: bool) -> NDArray[np.float64]:
        inner = at.clip(1, most - 2)
        before, here, after = (
            logarithm[each, inner + step, columns]
            if is_row
            else logarithm[each, rows, inner + step]
            for step in (-1, 0, 1)
        )
        bend = before - 2 * here + after
        is_peak = (bend < 0) & (inner == at)
        shift = (before - after) / (2 * np.where(is_peak, bend, 1))
        return (at + np.where(is_peak, shift.clip(-0.5, 0.5), 0.0)).astype(np.float64)

    points = np.stack(
        [between(columns, width, is_row=False), between(rows, height, is_row=True)], 1
    )
    return points, heat[each, rows, columns]
