"""Where Blender keeps add-ons and extensions, and putting Fresco's there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import uuid
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from fresco_cli.faults import FAILED, WRONG_INPUT, CommandFailed

NAME = "fresco_blender"
OLDEST = (3, 4)
_EXTENSIONS_SINCE = (4, 2)
_LARGEST = 1 << 30


@dataclass(frozen=True, kw_only=True)
class BlenderFolder:
    """The folder of one version of Blender's, as its user has it."""

    version: tuple[int, int]
    path: Path

    @property
    def has_extensions(self) -> bool:
        """Whether it takes extensions; before 4.2 there were add-ons only."""
        return self.version >= _EXTENSIONS_SINCE

    @property
    def plugin(self) -> Path:
        """Where Fresco goes."""
        if self.has_extensions:
            return self.path / "extensions" / "user_default" / NAME
        return self.path / "scripts" / "addons" / NAME

    @property
    def is_installed(self) -> bool:
        """Whether Fresco is there."""
        return (self.plugin / "__init__.py").is_file()

    @property
    def label(self) -> str:
        """What a person calls it."""
        return f"Blender {self.version[0]}.{self.version[1]}"


def blender_folders(
    system: str = sys.platform,
    home: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> list[BlenderFolder]:
    """Versions of Blender that have run for this user and that Fresco works in, oldest first."""
    found: list[BlenderFolder] = []
    root = _root(system, home or Path.home(), environment)
    for path in root.iterdir() if root.is_dir() else ():
        version = re.fullmatch(r"(\d+)\.(\d+)", path.name)
        if version and path.is_dir() and (int(version[1]), int(version[2])) >= OLDEST:
            found.append(BlenderFolder(version=(int(version[1]), int(version[2])), path=path))
    return sorted(found, key=lambda folder: folder.version)


def _root(system: str, home: Path, environment: Mapping[str, str]) -> Path:
    if system == "darwin":
        return home / "Library" / "Application Support" / "Blender"
    if system == "win32":
        roaming = Path(environment.get("APPDATA") or home / "AppData" / "Roaming")
        return roaming / "Blender Foundation" / "Blender"
    return Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "blender"


@dataclass(frozen=True, kw_only=True)
class Archives:
    """What the plugin's build makes: the extension, and the add-on for older versions."""

    extension: Path
    classic: Path

    @classmethod
    def of(cls, folder: Path) -> Archives | None:
        """Those in a folder, the newest of several; None if one of the two is missing."""
        paths = sorted(folder.glob("fresco-blender-*.zip"), key=lambda path: path.stat().st_mtime)
        classic = [path for path in paths if path.stem.endswith("-classic")]
        extension = [path for path in paths if not path.stem.endswith("-classic")]
        if not classic or not extension:
            return None
        return cls(extension=extension[-1], classic=classic[-1])


def install(folder: BlenderFolder, archives: Archives) -> Path:
    """Unpack the fitting archive, in the place of an earlier one; gives where it is.

    Raises:
        CommandFailed: the archive is none of ours, or the folder cannot be written to.
    """
    archive = archives.extension if folder.has_extensions else archives.classic
    target = folder.plugin
    fresh = target.with_name(f".{NAME}-{uuid.uuid4().hex[:8]}")
    try:
        fresh.mkdir(parents=True)
        _unpack(archive, fresh, prefix="" if folder.has_extensions else NAME)
        _put_in_place(fresh, target)
    except (OSError, zipfile.BadZipFile) as error:
        raise CommandFailed(
            "InstallFailed",
            f"{archive} cannot be unpacked to {target} ({error}). Check the file, the folder's "
            "rights and the space on the disk.",
            FAILED,
        ) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return target


def _put_in_place(fresh: Path, target: Path) -> None:
    """Swap folders; if that fails, the old one is where it was."""
    old = target.with_name(f".{NAME}-old-{uuid.uuid4().hex[:8]}")
    was_there = target.exists()
    if was_there:
        target.rename(old)
    try:
        fresh.rename(target)
    except OSError:
        if was_there:
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def remove(folder: BlenderFolder) -> bool:
    """Take Fresco away; whether it was there.

    Raises:
        CommandFailed: it cannot be removed.
    """
    if not folder.is_installed:
        return False
    try:
        shutil.rmtree(folder.plugin)
    except OSError as error:
        raise CommandFailed(
            "InstallFailed",
            f"{folder.plugin} cannot be removed ({error.strerror}). Close Blender and try again.",
            FAILED,
        ) from error
    return True


def _unpack(archive: Path, target: Path, prefix: str) -> None:
    with zipfile.ZipFile(archive) as content:
        members = list(_members(content, prefix))
        if not any(place == PurePosixPath("__init__.py") for _, place in members):
            raise zipfile.BadZipFile("it does not hold Fresco's plugin")
        for member, place in members:
            path = target.joinpath(*place.parts)
            path.parent.mkdir(parents=True, exist_ok=True)
            with content.open(member) as source, path.open("wb") as copy:
                shutil.copyfileobj(source, copy)


def _members(
    content: zipfile.ZipFile, prefix: str
) -> Iterator[tuple[zipfile.ZipInfo, PurePosixPath]]:
    """Files and where they go, which is never outside of the plugin's folder."""
    if sum(member.file_size for member in content.infolist()) > _LARGEST:
        raise zipfile.BadZipFile("it is too large")
    for member in content.infolist():
        place = PurePosixPath(member.filename)
        parts: Sequence[str] = place.parts
        if place.is_absolute() or ".." in parts or "\\" in member.filename or ":" in parts[0]:
            raise zipfile.BadZipFile(f"{member.filename} leads out of its folder")
        if member.is_dir() or (prefix and parts[0] != prefix):
            continue
        yield member, PurePosixPath(*parts[1:]) if prefix else place


@contextmanager
def found_archives(given: Path | None, checkout: Path, packaged: Path) -> Iterator[Archives]:
    """The plugin's archives: those in the folder `given`, else packaged ones, else a built pair.

    What is built here is gone afterwards.

    Raises:
        CommandFailed: there are none.
    """
    if given is not None:
        found = Archives.of(given)
        if found is None:
            raise CommandFailed(
                "PluginNotFound",
                f"{given} holds no fresco-blender-*.zip and fresco-blender-*-classic.zip; give the "
                "folder that plugins/blender/build.py wrote to.",
                WRONG_INPUT,
            )
        yield found
        return
    with TemporaryDirectory(prefix="fresco-blender-") as folder:
        found = Archives.of(packaged) or _built(checkout, Path(folder))
        if found is None:
            raise CommandFailed(
                "PluginNotFound",
                "This installation of Fresco brings no plugin for Blender. Build it in a clone of "
                "the repository with 'python plugins/blender/build.py -o FOLDER', then give --from "
                "FOLDER.",
                FAILED,
            )
        yield found


def _built(checkout: Path, folder: Path) -> Archives | None:
    """Built now, in a clone of the repository."""
    build = checkout / "plugins" / "blender" / "build.py"
    if not build.is_file():
        return None
    ended = subprocess.run(
        [sys.executable, str(build), "-o", str(folder)], capture_output=True, text=True, check=False
    )
    if ended.returncode != 0:
        lines = (ended.stderr or ended.stdout).strip().splitlines()
        raise CommandFailed(
            "PluginNotBuilt",
            f"{build} failed: {lines[-1] if lines else 'it said nothing'}. Check the network, then "
            "try again.",
            FAILED,
        )
    return Archives.of(folder)
