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
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from fresco_cli.faults import FAILED, WRONG_INPUT, CommandFailed

NAME = "fresco_blender"
OLDEST = (3, 4)
_EXTENSIONS_SINCE = (4, 2)
_LARGEST = 1 << 30
_RECORD = "RECORD"
# Beside what the archive brings: Python's own, and packages that the add-on unpacks.
_MADE_BY_PYTHON = {"__pycache__", "bundled"}


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
    """Versions of Blender that have run for this user and that Fresco works in, oldest first.

    Where none has, those that are installed.
    """
    root = _root(system, home or Path.home(), environment)
    names = [path.name for path in root.iterdir() if path.is_dir()] if root.is_dir() else []
    matches = [re.fullmatch(r"(\d+)\.(\d+)", name) for name in names]
    versions = {(int(match[1]), int(match[2])) for match in matches if match}
    usable = {version for version in versions or _installed_programs(system) if version >= OLDEST}
    return [
        BlenderFolder(version=version, path=root / f"{version[0]}.{version[1]}")
        for version in sorted(usable)
    ]


def _installed_programs(system: str) -> Iterator[tuple[int, int]]:
    """Versions of Blender that are installed, though they may never have run."""
    program = shutil.which("blender")
    if system == "darwin":
        bundled = Path("/Applications/Blender.app/Contents/MacOS/Blender")
        program = str(bundled) if bundled.exists() else program
    if system == "win32":
        programs = Path(os.environ.get("PROGRAMFILES", "C:/Program Files"), "Blender Foundation")
        for path in programs.glob("Blender *.*"):
            yield from _version_in(path.name)
    if program is not None:
        with suppress(OSError, subprocess.SubprocessError):
            command = [program, "--background", "--version"]
            told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            yield from _version_in(told.stdout)


def _version_in(text: str) -> Iterator[tuple[int, int]]:
    found = re.search(r"Blender (\d+)\.(\d+)", text)
    if found:
        yield int(found[1]), int(found[2])


def _root(system: str, home: Path, environment: Mapping[str, str]) -> Path:
    if system == "darwin":
        return home / "Library" / "Application Support" / "Blender"
    if system == "win32":
        roaming = Path(environment.get("APPDATA") or home / "AppData" / "Roaming")
        return roaming / "Blender Foundation" / "Blender"
    return Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "blender"


def archive_in(folder: Path) -> Path | None:
    """What the plugin's build has put into a folder, the newest of several; None without one."""
    paths = folder.glob("fresco-blender-*.zip")
    return max(paths, key=lambda path: path.stat().st_mtime, default=None)


def install(folder: BlenderFolder, archive: Path) -> Path:
    """Unpack the archive, in the place of an earlier one; gives where it is.

    Files that somebody put into its folder stay there.

    Raises:
        CommandFailed: the archive is none of ours, the folder is another add-on's, or it cannot be
            written to.
    """
    target = folder.plugin
    fresh = target.with_name(f".{NAME}-{uuid.uuid4().hex[:8]}")
    try:
        fresh.mkdir(parents=True)
        _unpack(archive, fresh)
        _check_ours(target)
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
    if not was_there:
        return
    for path in _foreign_files(old):
        kept = target / path.relative_to(old)
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            path.rename(kept)
    shutil.rmtree(old, ignore_errors=True)


def _check_ours(target: Path) -> None:
    """Raises `CommandFailed` where a folder of the plugin's name does not say what is its own."""
    if target.exists() and not (target / _RECORD).is_file():
        raise CommandFailed(
            "InstallFailed",
            f"{target} was not put there by Fresco's installer or its zip file. Move it away, or "
            "remove it in Blender's preferences, then try again.",
            FAILED,
        )


def _foreign_files(target: Path) -> list[Path]:
    """What somebody put into the plugin's folder."""
    own = set((target / _RECORD).read_text("utf-8").splitlines())
    files = (path for path in sorted(target.rglob("*")) if path.is_symlink() or path.is_file())
    return [
        path
        for path in files
        if (name := path.relative_to(target)).as_posix() not in own
        and not _MADE_BY_PYTHON.intersection(name.parts)
    ]


def remove(folder: BlenderFolder) -> bool:
    """Take Fresco away, but for files that somebody put into its folder; whether it was there.

    Raises:
        CommandFailed: it cannot be removed, or is another add-on.
    """
    if not folder.is_installed:
        return False
    _check_ours(folder.plugin)
    try:
        foreign = set(_foreign_files(folder.plugin))
        if not foreign:
            shutil.rmtree(folder.plugin)
            return True
        for path in sorted(folder.plugin.rglob("*"), reverse=True):
            if path.is_dir() and not path.is_symlink():
                with suppress(OSError):  # It is not empty.
                    path.rmdir()
            elif path not in foreign:
                path.unlink()
    except OSError as error:
        raise CommandFailed(
            "InstallFailed",
            f"{folder.plugin} cannot be removed ({error.strerror}). Close Blender and try again.",
            FAILED,
        ) from error
    return True


def _unpack(archive: Path, target: Path) -> None:
    with zipfile.ZipFile(archive) as content:
        members = list(_members(content))
        if not any(place == PurePosixPath("__init__.py") for _, place in members):
            raise zipfile.BadZipFile("it does not hold Fresco's plugin")
        for member, place in members:
            path = target.joinpath(*place.parts)
            path.parent.mkdir(parents=True, exist_ok=True)
            with content.open(member) as source, path.open("wb") as copy:
                shutil.copyfileobj(source, copy)


def _members(content: zipfile.ZipFile) -> Iterator[tuple[zipfile.ZipInfo, PurePosixPath]]:
    """Files and where they go, which is never outside of the plugin's folder."""
    if sum(member.file_size for member in content.infolist()) > _LARGEST:
        raise zipfile.BadZipFile("it is too large")
    for member in content.infolist():
        place = PurePosixPath(member.filename)
        parts: Sequence[str] = place.parts
        if place.is_absolute() or ".." in parts or "\\" in member.filename or ":" in parts[0]:
            raise zipfile.BadZipFile(f"{member.filename} leads out of its folder")
        if not member.is_dir() and parts[0] == NAME:
            yield member, PurePosixPath(*parts[1:])


@contextmanager
def found_archive(given: Path | None, checkout: Path, packaged: Path) -> Iterator[Path]:
    """The plugin's archive: that in the folder `given`, else built in a clone, else packaged.

    What is built here is gone afterwards. A clone's packaged one may be older than the clone.

    Raises:
        CommandFailed: there is none.
    """
    if given is not None:
        found = archive_in(given)
        if found is None:
            raise CommandFailed(
                "PluginNotFound",
                f"{given} holds no fresco-blender-*.zip; give the folder that "
                "plugins/blender/build.py wrote to.",
                WRONG_INPUT,
            )
        yield found
        return
    with TemporaryDirectory(prefix="fresco-blender-") as folder:
        found = _built(checkout, Path(folder), packaged) or archive_in(packaged)
        if found is None:
            raise CommandFailed(
                "PluginNotFound",
                "This installation of Fresco brings no plugin for Blender. Build it in a clone of "
                "the repository with 'python plugins/blender/build.py -o FOLDER', then give --from "
                "FOLDER.",
                FAILED,
            )
        yield found


def _built(checkout: Path, folder: Path, packaged: Path) -> Path | None:
    """Built now, in a clone of the repository; None where that cannot be and there is another."""
    build = checkout / "plugins" / "blender" / "build.py"
    if not build.is_file():
        return None
    ended = subprocess.run(
        [sys.executable, str(build), "-o", str(folder)], capture_output=True, text=True, check=False
    )
    if ended.returncode != 0 and archive_in(packaged) is None:
        lines = (ended.stderr or ended.stdout).strip().splitlines()
        raise CommandFailed(
            "PluginNotBuilt",
            f"{build} failed: {lines[-1] if lines else 'it said nothing'}. Check the network, then "
            "try again.",
            FAILED,
        )
    return archive_in(folder)
