"""Makes the small pictures by which Blender's panel shows the bundled model's styles.

    python -m tests.blender.style_pictures

writes a frame of the sample clip in every style to plugins/blender/fresco_blender/styles.
"""

from __future__ import annotations

from pathlib import Path

from fresco_engine import RestyleSettings, load_model, look, open_clip
from fresco_engine.sample import sample_clip_path
from PIL import Image

FOLDER = Path(__file__).parents[2] / "plugins" / "blender" / "fresco_blender" / "styles"
SIDE = 128
_FRAME = 40


def main() -> None:
    """Make them all anew."""
    model, clip = load_model(), open_clip(sample_clip_path())
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.jpg"):
        old.unlink()
    for style in model.styles:
        settings = RestyleSettings(prompt="", style=style.name, seed=1, size=256)
        picture = Image.fromarray(look(clip, _FRAME, settings, model))
        side = min(picture.size)
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        square = picture.crop((left, top, left + side, top + side))
        square.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(
            FOLDER / f"{style.name}.jpg", quality=85
        )


if __name__ == "__main__":
    main()
