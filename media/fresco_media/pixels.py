"""How many pixels a picture may have: a file of two megabytes can hold a thousand million."""

from __future__ import annotations

import io
import warnings

import PIL
from PIL import Image as Pillow

MOST_PIXELS = 180_000_000
"""Five times those of a frame of 8K."""


def has_too_many_pixels(data: bytes) -> bool:
    """Whether the picture in `data` has more than `MOST_PIXELS`, as its header says.

    One whose header is not understood has not; whoever decodes it knows better.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
            with Pillow.open(io.BytesIO(data)) as picture:
                width, height = picture.size
    except Pillow.DecompressionBombError:
        return True
    except (PIL.UnidentifiedImageError, OSError, SyntaxError, ValueError):
        return False
    return width * height > MOST_PIXELS
