"""Takes the pictures of the documentation; see scripts/blender-pictures."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from fresco_engine.sample import sample_clip_path
from PIL import Image

from tests.blender.blenders import build_plugin
from tests.blender.windows import what_is_missing, window
from tests.integration.daemons import DaemonProcess

SCALES = {1.0: (1600, 1200), 2.0: (2880, 2160)}
_AT_EVERY_SCALE = ("during", "after")


def main(folder: Path) -> None:
    """Take them at both scales, and put them into the folder as JPEG."""
    os.environ["FRESCO_PATIENCE_S"] = "900"
    missing = what_is_missing()
    if missing:
        sys.exit(missing)
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        plugin = build_plugin(work / "plugin")
        daemon = DaemonProcess(work / "daemon" / "data").start()
        try:
            for scale, size in SCALES.items():
                out = work / f"{scale:.0%}".rstrip("%")
                with window(plugin, work / f"home {scale}", size) as blender:
                    blender.begin(
                        "shows",
                        "pictures",
                        daemon.data,
                        clip=sample_clip_path(),
                        out=out,
                        scale=scale,
                    ).result(1500)
                for picture in sorted(out.glob("*.png")):
                    if scale > 1.0 and picture.stem not in _AT_EVERY_SCALE:
                        continue
                    name = f"blender-{picture.stem}-{out.name}.jpg"
                    Image.open(picture).convert("RGB").save(folder / name, quality=88)
                    print(folder / name)
        finally:
            daemon.stop_whatever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
