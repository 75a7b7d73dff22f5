"""Takes the pictures of the documentation; see scripts/blender-pictures."""

from __future__ import annotations

import os
import subprocess
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


def take_first_minutes(folder: Path) -> None:
    """A Blender that has just got Fresco, by the steps of the documentation."""
    with tempfile.TemporaryDirectory() as temporary:
        home, out = Path(temporary, "home"), Path(temporary, "out")
        home.mkdir()
        os.environ["HOME"] = str(home)
        subprocess.run(
            [sys.executable, "-m", "fresco_cli", "install-plugin", "blender"], check=True
        )
        try:
            with window(None, home, SCALES[1.0]) as blender:
                blender.begin(
                    "fresh", "first_strip", None, clip=sample_clip_path(), out=out, size=256
                ).result(1500)
        finally:
            subprocess.run([sys.executable, "-m", "fresco_cli", "stop"], check=False)
        for name in ("first", "styles", "restyled"):
            target = folder / f"blender-{name}-100.jpg"
            Image.open(out / f"{name}.png").convert("RGB").save(target, quality=88)


def main(folder: Path) -> None:
    """Take them at both scales, and put them into the folder as JPEG."""
    os.environ["FRESCO_PATIENCE_S"] = "900"
    missing = what_is_missing()
    if missing:
        sys.exit(missing)
    folder.mkdir(parents=True, exist_ok=True)
    take_first_minutes(folder)
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
