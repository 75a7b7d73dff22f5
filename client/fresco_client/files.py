"""Small files that are whole or not there, and the names of files while they are being written."""

from __future__ import annotations

import hashlib
import json
import os
import re
import uuid
from pathlib import Path
from typing import Any, cast

from fresco_settings.rename import rename_new, why_kept

from fresco_client.errors import FileFailed

_LONGEST_LETTERS, _LONGEST_BYTES = 80, 200
"""Of a name, so that there is room for a job's id and an ending."""


def plain_name(text: str) -> str:
    """A text as the beginning of a file's name that every file system takes."""
    plain = re.sub(r'[<>:"/\\|?*%\x00-\x1f\ud800-\udfff]', "_", text).strip(" .")
    # Names are limited in bytes, and a letter may be four of them.
    short = plain[:_LONGEST_LETTERS].encode()[:_LONGEST_BYTES].decode(errors="ignore")
    return short.strip(" .") or "untitled"


def part_name(path: Path, token: str = "") -> Path:
    """The name of a file until it is whole, in the folder it will be in.

    It is short, as names of all the bytes a file system allows are legal. `token` tells apart
    those who write one file at once.
    """
    digest = hashlib.sha256(os.fsencode(f"{path.name}/{token}")).hexdigest()[:12]
    return path.with_name(f".fresco-{digest}.part")


def taken(path: Path) -> FileFailed:
    """What to say of a result's name that something else has."""
    return FileFailed(path, "There is a file of this name already. Choose another name.")


def check_free(path: Path, *, is_overwriting: bool) -> None:
    """Insist on a result being able to have this name, from another file only if it may.

    Raises:
        FileFailed: it cannot.
    """
    why = why_kept(path)
    if why:
        raise FileFailed(path, f"{why[0].upper()}{why[1:]}. Choose another name.")
    if os.path.lexists(path) and not is_overwriting:
        raise taken(path)


def name_result(part: Path, path: Path, *, is_overwriting: bool) -> None:
    """Give a result that is whole its name, which it only takes from another file if it may.

    Raises:
        FileFailed: the name is taken; `part` stays as it is.
        OSError: it cannot be renamed.
    """
    if is_overwriting:
        part.replace(path)
        return
    try:
        rename_new(part, path)
    except FileExistsError as error:
        raise taken(path) from error


def write_whole(path: Path, content: bytes | str, *, is_synced: bool = False) -> None:
    """Put a file in the place of whatever is there, which stays if this fails.

    The folder is made if need be. `is_synced`: only once it would outlive a power cut.

    Raises:
        FileFailed: it cannot be written; nothing is left behind.
    """
    # Names that are not UTF-8 become JSON's own escapes by this.
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    part = part_name(path, uuid.uuid4().hex)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("wb") as file:
                file.write(data)
                if is_synced:
                    file.flush()
                    os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise FileFailed.from_os(path, error) from error


def make_folder(path: Path) -> None:
    """Make sure that a folder is there.

    Raises:
        FileFailed: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileFailed.from_os(path, error) from error


def write_object(path: Path, content: dict[str, Any]) -> None:
    """Put an object into a file as JSON that a person can read.

    Raises:
        FileFailed: it cannot be written; what was there stays.
    """
    write_whole(path, object_text(content), is_synced=True)


def object_text(content: dict[str, Any]) -> bytes:
    """What `write_object` writes."""
    text = json.dumps(content, indent=2, ensure_ascii=False)
    # Names that are not UTF-8 become JSON's own escapes by this.
    return f"{text}\n".encode("utf-8", "backslashreplace")


def read_object(path: Path) -> dict[str, Any]:
    """The object of a JSON file; empty if there is none.

    Raises:
        FileFailed: it cannot be read, or holds no object.
    """
    try:
        content: object = json.loads(path.read_text("utf-8-sig"))  # Editors of Windows add a mark.
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise FileFailed.from_os(path, error) from error
    except (ValueError, RecursionError) as error:
        raise FileFailed(path, f"This is no JSON ({error}). Mend it, or move it away.") from error
    if not isinstance(content, dict):
        raise FileFailed(path, "This JSON is no object. Mend it, or move it away.")
    return cast(dict[str, Any], content)
