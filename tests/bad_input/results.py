"""Results that cannot be written where they were asked for, and work that is stopped."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from fresco_engine.errors import DiskFull
from fresco_media.files.output_folders import alone_with

from tests.bad_input.situations import Stage, Table

TABLE = Table()
_TO_OUT = "restyle clip.mp4 -o out.mp4 -p ink --local"


class _Usage(NamedTuple):
    total: int
    used: int
    free: int


@TABLE.situation(
    "a full disk, known before the work",
    _TO_OUT,
    "…: the disk is full (1 MB free); free some room or write to another disk, then run again",
    code=1,
)
def _full(stage: Stage) -> None:
    stage.clip()
    stage.patch.setattr(shutil, "disk_usage", lambda _: _Usage(10**9, 10**9, 5 * 10**5 + 1))


@TABLE.situation(
    "a disk that fills up while working",
    _TO_OUT + " --quiet",
    "…: the disk is full (1 MB free); free some room or write to another disk, then run again",
    code=1,
)
def _fills_up(stage: Stage) -> None:
    stage.clip()
    stage.engine.failure = DiskFull("out.mp4", 1_000_000)


@TABLE.situation(
    "an output that is there already",
    _TO_OUT,
    "…: it exists already; choose another name or add --overwrite",
)
def _taken(stage: Stage) -> None:
    stage.clip()
    (stage.folder / "out.mp4").write_bytes(b"mine")


TABLE.plain(
    "an output in a folder that is not there",
    "restyle clip.mp4 -o nowhere/out.mp4 -p ink --local",
    "…: the folder … does not exist; create it or choose another",
)
TABLE.plain(
    "an output of a type that cannot be written",
    "restyle clip.mp4 -o out.gif -p ink --local",
    "…: videos of this type cannot be written; name the file .mp4…",
)


@TABLE.situation(
    "an output in a folder that may not be written to",
    _TO_OUT,
    "…: the folder … may not be written to; choose another folder",
)
def _read_only(stage: Stage) -> None:
    stage.clip()
    # Permissions do not bind every user that runs tests, so the system's answer is replaced.
    stage.patch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)


TABLE.plain(
    "an output onto the clip",
    "restyle clip.mp4 -o clip.mp4 -p ink --local --overwrite",
    "…: this is where the clip itself is; choose another name or folder for the result",
)
TABLE.plain(
    "a report onto the clip",
    _TO_OUT + " --report clip.mp4",
    "…: this is where the clip itself is; choose another name or folder for the result",
)


TABLE.plain(
    "a report onto the result",
    _TO_OUT + " --report out.mp4",
    "…: the report would replace the result; give it a name of its own",
)


@TABLE.situation(
    "a report onto a file that is there already",
    _TO_OUT + " --report notes.json",
    "notes.json: it exists already; choose another name or add --overwrite",
)
def _report_taken(stage: Stage) -> None:
    stage.clip()
    (stage.folder / "notes.json").write_bytes(b"mine")


_INTO = {
    "keyframes": _TO_OUT + " --save-keyframes maps",
    "error maps": "propagate clip.mp4 keys -o out.mp4 --fast --error-maps maps",
    "finished parts": "propagate clip.mp4 keys -o out.mp4 --fast --resume maps",
}
"""What is written into a folder of its own beside the result."""

for _what, _run in _INTO.items():

    @TABLE.situation(f"{_what} into what is a file", _run, "maps: this is a file; name a folder")
    def _is_file(stage: Stage) -> None:
        stage.clip()
        stage.keys("key_0002.png", "key_0009.png")
        (stage.folder / "maps").write_bytes(b"mine")

    @TABLE.situation(
        f"{_what} into a folder that may not be written to",
        _run,
        "maps: this folder may not be written to; choose another folder",
    )
    def _may_not(stage: Stage) -> None:
        stage.clip()
        stage.keys("key_0002.png", "key_0009.png")
        stage.patch.setattr(os, "access", lambda path, mode: Path(path).name != "maps")

    @TABLE.situation(
        f"{_what} into a folder that another run writes into",
        _run,
        "maps: another run writes into this folder now; choose another folder, or wait until that "
        "one has ended",
    )
    def _taken_folder(stage: Stage) -> None:
        stage.clip()
        stage.keys("key_0002.png", "key_0009.png")
        other = ExitStack()
        other.enter_context(alone_with(stage.folder / "maps"))
        stage.ends(other.close)


@TABLE.situation(
    "keyframes onto the clip's pictures",
    "restyle shot -o out.mp4 -p ink --local --save-keyframes shot --overwrite",
    "…: this is where the clip itself is; choose another name or folder for the result",
)
def _onto_pictures(stage: Stage) -> None:
    stage.pictures(range(6))


@TABLE.situation(
    "keyframes over pictures that no job has saved",
    _TO_OUT + " --save-keyframes shot --overwrite",
    "…: no job has saved this picture, or it was painted over since; choose another folder, or "
    "move it elsewhere",
)
def _over_pictures(stage: Stage) -> None:
    stage.clip()
    (stage.pictures([3]) / "0003.png").rename(stage.folder / "shot" / "000003.png")


@TABLE.situation(
    "keyframes among painted ones",
    _TO_OUT + " --save-keyframes keys",
    "…: with key_0003.png in it, the keyframes would be taken for painted ones and that one for "
    "theirs; choose another folder for the keyframes",
)
def _among_keys(stage: Stage) -> None:
    stage.clip()
    stage.keys("key_0003.png")


@TABLE.situation(
    "Ctrl-C, or a request to end",
    _TO_OUT + " --quiet",
    "Stopped; nothing half-written was left behind.",
    code=130,
)
def _stopped(stage: Stage) -> None:
    stage.clip()
    stage.engine.failure = KeyboardInterrupt()


@TABLE.situation(
    "the clip itself, under another name",
    "restyle clip.mp4 -o link.mp4 -p ink --local --overwrite",
    "…: this is where the clip itself is; choose another name or folder for the result",
)
def _another_name(stage: Stage) -> None:
    os.link(stage.clip(), stage.folder / "link.mp4")


TABLE.plain(
    "a report in the place of the result",
    "restyle clip.mp4 -o out.mp4 -p ink --local --report out.mp4",
    "…the report would replace the result; give it a name of its own",
)
