"""What finds structure in a picture."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from fresco_media.types import Image
from numpy.typing import NDArray
from torch import Tensor

Found = NDArray[np.float32]
"""(H, W), or (H, W, 3) in RGB."""


class Detector(Protocol):
    """Finds one kind of structure, in each picture by itself."""

    is_relative: bool
    """Whether values say something only beside those of the same shot, to which they are scaled.

    All others are in [0, 1].
    """

    def detect(self, image: Image) -> Found:
        """What is found in a picture, in its size.

        Raises:
            OutOfMemoryError: torch's own, where the device has too little.
        """
        ...


def picture_tensor(image: Image, device: torch.device) -> Tensor:
    """A picture as (1, 3, H, W), float32 in [0, 1], on `device`."""
    return torch.from_numpy(image).to(device).permute(2, 0, 1)[None].float().div_(255)


_MEAN = (0.485, 0.456, 0.406)
_SPREAD = (0.229, 0.224, 0.225)


def normalised(pictures: Tensor) -> Tensor:
    """Pictures in [0, 1] as networks trained on ImageNet see them: its mean 0, its spread 1."""
    mean, spread = (torch.tensor(one, device=pictures.device) for one in (_MEAN, _SPREAD))
    return (pictures - mean[:, None, None]) / spread[:, None, None]
