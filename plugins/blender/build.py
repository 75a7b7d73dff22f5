"""Builds what Blender installs, from the one tree in fresco_blender:

    python plugins/blender/build.py [-o FOLDER]

makes fresco-blender-VERSION.zip, which is an extension for Blender 4.2 and later and an add-on for
3.4 to 4.1. It carries Fresco's client and the pure-Python packages that needs (bundled.txt pins
them by hash), so that one file serves every system and every Python.

Needs nothing but Python and its pip, and a network the first time: packages are kept in
build/wheels.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NAME = "fresco_blender"
SOURCE = HERE / NAME
PINS = HERE / "bundled.txt"
KEPT = ROOT / "build" / "wheels"
MODEL = ROOT / "server" / "fresco_engine" / "models" / "fresco-small" / "fresco.json"
CLIENT = {
    "fresco_client": ROOT / "client" / "fresco_client",
    "fresco_settings": ROOT / "settings" / "fresco_settings",
    "fresco": ROOT / "protos" / "fresco",
}
"""What the client's wheel has, by the names of its packages; as in client/pyproject.toml."""
_LEFT_OUT = {"__pycache__", "bundled", "wheels"}
# Files in a zip have times; with one time the same tree gives the same zip.
_TIME = (2026, 1, 1, 0, 0, 0)
_PIN = re.compile(
    r"^(?P<name>[\w-]+)==(?P<version>\S+) --hash=sha256:(?P<digest>\w+)$", re.MULTILINE
)


def pinned_wheels() -> list[Path]:
    """The pinned packages, which run on every Python and system; fetched if they are not kept."""
    found = _kept()
    if found is None:
        KEPT.mkdir(parents=True, exist_ok=True)
        pure = ("--platform", "any", "--implementation", "py", "--abi", "none")
        pins = ("--only-binary=:all:", "--require-hashes", "--requirement", str(PINS))
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download"]
        command += ["--no-deps", "--quiet", *pure, *pins, "--dest", str(KEPT)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        found = _kept()
        if ended.returncode != 0 or found is None:
            sys.exit(f"the packages that the plugin carries cannot be fetched: {ended.stderr}")
    return found


def _kept() -> list[Path] | None:
    """The wheels that were fetched before; None if one of them is missing, or another one."""
    wheels = []
    for pin in _PIN.finditer(PINS.read_text(encoding="utf-8")):
        stem = f"{pin['name'].replace('-', '_')}-{pin['version']}-"
        path = next(
            (p for p in sorted(KEPT.glob("*-none-any.whl")) if p.name.startswith(stem)), None
        )
        if path is None or hashlib.sha256(path.read_bytes()).hexdigest() != pin["digest"]:
            return None
        wheels.append(path)
    return wheels


def client_wheel(folder: Path) -> Path:
    """Fresco's client as a wheel. No build system is asked: what a user has holds none."""
    number = version(ROOT / "client" / "pyproject.toml")
    info = f"fresco_client-{number}.dist-info"
    entries = [
        (f"{package}/{path.relative_to(source).as_posix()}", path.read_bytes())
        for package, source in CLIENT.items()
        for path in sorted(source.rglob("*"))
        if path.is_file() and not _LEFT_OUT.intersection(path.parts)
    ]
    about = f"Metadata-Version: 2.1\nName: fresco-client\nVersion: {number}\n"
    kind = "Wheel-Version: 1.0\nGenerator: fresco\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    entries += [(f"{info}/METADATA", about.encode()), (f"{info}/WHEEL", kind.encode())]
    record = "".join(f"{name},{_digest(data)},{len(data)}\n" for name, data in entries)
    entries.append((f"{info}/RECORD", f"{record}{info}/RECORD,,\n".encode()))
    return write_zip(folder / f"fresco_client-{number}-py3-none-any.whl", iter(entries))


def _digest(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest())
    return f"sha256={digest.rstrip(b'=').decode()}"


def version(path: Path) -> str:
    """As a TOML file says."""
    text = path.read_text(encoding="utf-8")
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


def styles() -> Iterator[tuple[str, bytes]]:
    """The looks of the bundled model and their pictures: they are there before any daemon is."""
    known = json.loads(MODEL.read_text(encoding="utf-8"))["styles"]
    kept = [{"name": one["name"], "words": ", ".join(one["words"])} for one in known]
    yield "styles.json", json.dumps(kept, ensure_ascii=False, indent=1).encode()
    for one in known:
        yield f"styles/{one['name']}.jpg", (MODEL.parent / one["picture"]).read_bytes()


def entries(wheels: list[Path]) -> Iterator[tuple[str, bytes]]:
    """Everything in a folder, which is the module's name: so both kinds of Blender take it.

    An extension's wheels are installed by Blender; the add-on unpacks them itself.
    """
    for name, data in tree():
        content = manifest_with(wheels, data) if name == "blender_manifest.toml" else data
        yield f"{NAME}/{name}", content
    for name, content in styles():
        yield f"{NAME}/{name}", content
    for wheel in wheels:
        yield f"{NAME}/wheels/{wheel.name}", wheel.read_bytes()


def build(folder: Path) -> Path:
    """The plugin, in this folder."""
    with tempfile.TemporaryDirectory() as temporary:
        wheels = [client_wheel(Path(temporary)), *pinned_wheels()]
        stem = f"fresco-blender-{version(SOURCE / 'blender_manifest.toml')}"
        return write_zip(folder / f"{stem}.zip", recorded(list(entries(wheels))))


def recorded(files: list[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """With a list of them, by which an update and a removal tell them from a user's own."""
    yield from files
    names = sorted(name.partition("/")[2] for name, _ in files)
    yield f"{NAME}/RECORD", "".join(f"{name}\n" for name in (*names, "RECORD")).encode()


def main() -> None:
    """Build, and say where it is."""
    parser = argparse.ArgumentParser(description="Builds Fresco's extension for Blender.")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "dist", metavar="FOLDER")
    path = build(parser.parse_args().output)
    print(f"{path} ({path.stat().st_size / 1000:.0f} kB)")


if __name__ == "__main__":
    main()
