"""Places a command writes to besides the clip, checked before hours of work are spent."""

from __future__ import annotations

import os
import re
from pathlib import Path

from fresco_engine.errors import OutputExists, OutputNotWritable
from fresco_media.types import ClipInfo

from fresco_cli.options import Wanted

_SAVED_KEYFRAME = re.compile(r"\d{6}\.png")
_PICTURES = (".png", ".jpg", ".jpeg")


def check_picture(path: Path, *, overwrite: bool) -> None:
    """Raises: OutputNotWritable or OutputExists when no picture can be written to `path`."""
    if path.suffix.lower() not in _PICTURES:
        raise OutputNotWritable(path, f"pictures are written as {', '.join(_PICTURES)}")
    check_file(path, overwrite=overwrite)


def check_file(path: Path, *, overwrite: bool) -> None:
    """Raises: OutputNotWritable or OutputExists when no file can be written to `path`."""
    if not path.parent.is_dir():
        raise OutputNotWritable(
            path, f"the folder {path.parent} does not exist; create it or choose another"
        )
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise OutputNotWritable(
            path, f"the folder {path.parent} may not be written to; choose another folder"
        )
    if path.is_dir():
        raise OutputNotWritable(path, "this is a folder; give a file name")
    if path.exists() and not overwrite:
        raise OutputExists(path, "it exists already; choose another name or add --overwrite")


def make_folder(path: Path) -> None:
    """Makes a folder and those above it.

    Raises:
        OutputNotWritable: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputNotWritable(
            path, f"the folder cannot be made ({error.strerror}); choose another place"
        ) from error


def check_extras(wanted: Wanted, info: ClipInfo) -> None:
    """Raises: OutputNotWritable or OutputExists when report or keyframes cannot be written."""
    if wanted.report is not None:
        check_report(wanted.report, info.path, wanted.output)
    if wanted.save_keyframes is not None:
        check_keyframe_folder(wanted.save_keyframes, info, overwrite=wanted.overwrite)


def check_report(path: Path, clip: Path, output: Path) -> None:
    """Raises: OutputNotWritable when the report cannot be written, or would replace a clip."""
    check_file(path, overwrite=True)
    if path.resolve() in (clip.resolve(), output.resolve()):
        raise OutputNotWritable(
            path, "the report would replace the clip or the result; give it a name of its own"
        )


def check_apart(output: Path, keys: Path) -> None:
    """Raises: OutputNotWritable when a result would lie among the painted keys."""
    if output.resolve() == keys.resolve() or (
        "%" in output.name and output.parent.resolve() == keys.resolve()
    ):
        raise OutputNotWritable(
            output, "this is where the painted keys are; choose another folder for the result"
        )


def check_keyframe_folder(folder: Path, info: ClipInfo, *, overwrite: bool) -> None:
    """Looks whether keyframes can go into `folder` without harm.

    Raises:
        OutputNotWritable: it is a file, or the folder of the image sequence `info` describes.
        OutputExists: an earlier job's keyframes would lie beside the new ones.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputNotWritable(folder, "this is a file; name a folder for the keyframes")
    source = info.path if info.path.is_dir() else info.path.parent
    # Frames of a sequence may be named like keyframes, and overwriting would remove them.
    if info.is_sequence and folder.resolve() == source.resolve():
        raise OutputNotWritable(
            folder, "this is where the clip itself is; choose another folder for the keyframes"
        )
    if _saved_keyframes(folder) and not overwrite:
        raise OutputExists(
            folder,
            "it holds keyframes of an earlier job; choose another folder or add --overwrite",
        )


def clear_keyframes(folder: Path) -> None:
    """Removes an earlier job's keyframes."""
    for path in _saved_keyframes(folder):
        path.unlink()


def _saved_keyframes(folder: Path) -> list[Path]:
    paths = folder.iterdir() if folder.is_dir() else ()
    return [path for path in paths if _SAVED_KEYFRAME.fullmatch(path.name)]
