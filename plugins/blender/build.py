"""Builds what Blender installs, from the one tree in fresco_blender:

    python plugins/blender/build.py [-o FOLDER]

    fresco-blender-VERSION.zip           the extension, for Blender 4.2 and later
    fresco-blender-VERSION-classic.zip   the add-on, for Blender 3.4 to 4.1

Both carry Fresco's client and the pure-Python packages it needs (bundled.txt pins them by hash), so
that one file serves every system and every Python. Needs the environment of `bootstrap.py test`.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SOURCE = HERE / "fresco_blender"
PINS = HERE / "bundled.txt"
_LEFT_OUT = {"__pycache__", "bundled", "wheels"}
# Files in a zip have times; with one time the same tree gives the same zip.
_TIME = (2026, 1, 1, 0, 0, 0)


def pip(*arguments: str) -> None:
    """Run pip of this environment."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        sys.exit(f"pip {arguments[0]} failed:\n{ended.stdout}{ended.stderr}")


def collect_wheels(folder: Path) -> list[Path]:
    """Fresco's client, made here, and the pinned packages, which run on every Python and system."""
    where = ("--no-deps", "--quiet")
    pip("wheel", *where, "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT / "client"))
    pure = ("--platform", "any", "--implementation", "py", "--abi", "none")
    pins = ("--only-binary=:all:", "--require-hashes", "--requirement", str(PINS))
    pip("download", *where, *pure, *pins, "--dest", str(folder))
    wheels = sorted(folder.glob("*.whl"))
    assert all(wheel.name.endswith("-none-any.whl") for wheel in wheels), wheels
    return wheels


def version() -> str:
    """As the manifest says."""
    text = (SOURCE / "blender_manifest.toml").read_text(encoding="utf-8")
    found = re.search(r'^version = "(.+)"$', text, re.MULTILINE)
    assert found is not None
    return found[1]


def tree() -> Iterator[tuple[str, bytes]]:
    """The add-on's own files, by their path inside it."""
    for path in sorted(SOURCE.rglob("*")):
        name = path.relative_to(SOURCE)
        if path.is_file() and not _LEFT_OUT.intersection(name.parts):
            yield name.as_posix(), path.read_bytes()


def manifest_with(wheels: list[Path], manifest: bytes) -> bytes:
    """The manifest that also names the wheels; top-level keys come before the first table."""
    names = "".join(f'  "./wheels/{wheel.name}",\n' for wheel in wheels)
    head, table, rest = manifest.decode("utf-8").partition("\n[permissions]")
    return f"{head}wheels = [\n{names}]\n{table}{rest}".encode()


def write_zip(path: Path, entries: Iterator[tuple[str, bytes]]) -> Path:
    """A zip of these files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            info = zipfile.ZipInfo(name, _TIME)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(info, data)
    return path


def extension_entries(wheels: list[Path]) -> Iterator[tuple[str, bytes]]:
    """Files at the root, wheels as they are: Blender installs them."""
    for name, data in tree():
        yield name, manifest_with(wheels, data) if name == "blender_manifest.toml" else data
    for wheel in wheels:
        yield f"wheels/{wheel.name}", wheel.read_bytes()


def classic_entries(wheels: list[Path]) -> Iterator[tuple[str, bytes]]:
    """Everything in a folder, which is the module's name, and the wheels unpacked inside it."""
    for name, data in tree():
        if name != "blender_manifest.toml":
            yield f"fresco_blender/{name}", data
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if not name.endswith("/"):
                    yield f"fresco_blender/bundled/{name}", archive.read(name)


def build(folder: Path) -> tuple[Path, Path]:
    """The extension and the classic add-on, in this folder."""
    with tempfile.TemporaryDirectory() as temporary:
        wheels = collect_wheels(Path(temporary))
        stem = f"fresco-blender-{version()}"
        return (
            write_zip(folder / f"{stem}.zip", extension_entries(wheels)),
            write_zip(folder / f"{stem}-classic.zip", classic_entries(wheels)),
        )


def main() -> None:
    """Build, and say where it is."""
    parser = argparse.ArgumentParser(description="Builds Fresco's extension for Blender.")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "dist", metavar="FOLDER")
    for path in build(parser.parse_args().output):
        print(f"{path} ({path.stat().st_size / 1000:.0f} kB)")


if __name__ == "__main__":
    main()
