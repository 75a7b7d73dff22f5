"""Places a command writes to besides the clip, checked before hours of work are spent."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from fresco_engine.errors import OutputExists, OutputNotWritable
from fresco_media.files.disk import check_replaceable, storing
from fresco_media.stills.numbered import parse_pattern
from fresco_media.writing.originals import Originals, is_same_place

from fresco_cli.options import DestinationOptions

_PICTURES = (".png", ".jpg", ".jpeg")


def check_picture(path: Path, *, overwrite: bool) -> None:
    """Raises: OutputNotWritable or OutputExists when no picture can be written to `path`.

    What may not be replaced is checked by `Originals` when the clip is known.
    """
    if path.suffix.lower() not in _PICTURES:
        raise OutputNotWritable(path, f"pictures are written as {', '.join(_PICTURES)}")
    check_file(path, overwrite=overwrite)


def check_not_the_daemons(*paths: Path) -> None:
    """Raises: OutputNotWritable where a daemon, of whatever data folder, keeps what is its own.

    It would lose its way or its jobs, and remove what lies among them.
    """
    from fresco_server.local.data_folders import data_folder_of

    for path in paths:
        data = data_folder_of(path)
        if data is not None:
            raise OutputNotWritable(
                path,
                f"this is where a Fresco daemon keeps its own files (in {data}); "
                "choose another name or folder for the result",
            )


def check_file(path: Path, *, overwrite: bool) -> None:
    """Raises: OutputNotWritable or OutputExists when no file can be written to `path`."""
    with storing(path):  # Asking after a name fails where that is too long.
        _check_folder_of(path)
        check_not_the_daemons(path)
        if path.is_dir():
            raise OutputNotWritable(path, "this is a folder; give a file name")
        check_replaceable(path)
        if path.exists() and not overwrite:
            raise OutputExists(path)


def _check_folder_of(path: Path) -> None:
    if not path.parent.is_dir():
        raise OutputNotWritable(
            path, f"the folder {path.parent} does not exist; create it or choose another"
        )
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise OutputNotWritable(
            path, f"the folder {path.parent} may not be written to; choose another folder"
        )


def check_extras(wanted: DestinationOptions, originals: Originals) -> None:
    """Raises: OutputNotWritable or OutputExists when report or keyframes cannot be written.

    Of the result itself it is only looked whether it would lie among a daemon's files.
    """
    check_not_the_daemons(wanted.output)
    if wanted.report is not None:
        check_report(wanted.report, wanted.output, originals, overwrite=wanted.overwrite)
    if wanted.save_keyframes is not None:
        check_keyframe_folder(
            wanted.save_keyframes, wanted.output, originals, overwrite=wanted.overwrite
        )


def check_report(path: Path, output: Path, originals: Originals, *, overwrite: bool) -> None:
    """Raises: OutputNotWritable or OutputExists when no report can be written to `path`."""
    check_file(path, overwrite=True)
    originals.check(path)
    if is_same_place(path, output):
        raise OutputNotWritable(
            path, "the report would replace the result; give it a name of its own"
        )
    check_file(path, overwrite=overwrite)


def check_folder(folder: Path, output: Path, originals: Originals) -> None:
    """Raises: OutputNotWritable when `folder` is not one to put more than the result into."""
    check_not_the_daemons(folder)
    originals.check(folder)
    if is_same_place(folder, output) and not folder.is_dir():
        raise OutputNotWritable(folder, "this is where the result goes; choose another folder")


def check_keyframe_folder(
    folder: Path, output: Path, originals: Originals, *, overwrite: bool
) -> None:
    """Looks whether keyframes can go into `folder` without harm.

    Raises:
        OutputNotWritable: what is in it belongs to the clip, was painted, or would be taken for
            keyframes together with those that are saved.
        OutputExists: an earlier job's keyframes would lie beside the new ones.
    """
    from fresco_media.stills.numbered_folder import check_own, numbered_pictures

    with storing(folder):
        check_not_the_daemons(folder)
        saved = numbered_pictures(folder)
        # Frames of a sequence may be named like keyframes, and overwriting would remove them.
        originals.check(folder, *saved)
        check_own(*saved)
        _check_others(folder, output, saved)
        if saved and not overwrite:
            raise OutputExists(folder, "it holds keyframes of an earlier job", "folder")


def _check_others(folder: Path, output: Path, saved: Collection[Path]) -> None:
    """Raises `OutputNotWritable` where pictures lie that count as painted keys in this folder."""
    from fresco_media.painted.keys import is_numbered_key

    results = parse_pattern(output.name) if is_same_place(folder, output.parent) else None
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        is_result = results is not None and results.number_of(path.name) is not None
        if path not in saved and not is_result and is_numbered_key(path):
            raise OutputNotWritable(
                folder,
                f"with {path.name} in it, the keyframes would be taken for painted ones and that "
                "one for theirs; choose another folder for the keyframes",
            )


def clear_keyframes(folder: Path, originals: Originals) -> None:
    """Removes an earlier job's keyframes; raises where they are not a job's any more."""
    from fresco_media.stills.numbered_folder import check_own, numbered_pictures

    saved = numbered_pictures(folder)
    originals.check(folder, *saved)
    check_own(*saved)
    for path in saved:
        path.unlink()
