"""Styles of one's own: a Python file that adds to the tables of looks, words and presets.

    from fresco_training.presets import PRESETS, StylePreset
    from fresco_training.prompts import STYLE_WORDS
    from fresco_training.styles import STYLES
    from fresco_training.styles.parts import gradient, luma

    def night(image, scale):
        return gradient(luma(image), [(0, (0, 0, 0.1)), (1, (0.5, 0.6, 0.9))])

    STYLES["night"] = night
    STYLE_WORDS["night"] = ("night", "by moonlight", "dark night")
    PRESETS["night"] = StylePreset(prompt="by moonlight", strength=0.75)

A filter must look only at the neighbourhood of each pixel (a crop is all that is seen in training)
and be the same every time it is asked.
"""

import runpy
from pathlib import Path

from fresco_training.prompts import STYLE_WORDS
from fresco_training.styles import STYLES


def load(path: Path | None) -> None:
    """Runs the file, before anything asks which styles there are.

    Raises:
        ValueError: a style has no words, or words have no style.
    """
    if path is not None:
        runpy.run_path(str(path))
    unequal = sorted(set(STYLES) ^ set(STYLE_WORDS))
    if unequal:
        raise ValueError(f"{', '.join(unequal)}: give every style both a filter and words")
