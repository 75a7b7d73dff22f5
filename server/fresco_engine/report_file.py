"""The file that tells how a result was made; no torch."""

from __future__ import annotations

import json
from pathlib import Path

from fresco_media.files.disk import write_whole

from fresco_engine.types import Report


def save_report(report: Report, path: Path, *, is_new: bool = False) -> None:
    """Write a report as JSON; one that `is_new` replaces nothing, see `write_whole`.

    Raises:
        OutputNotWritable: the file cannot be written, or its name was taken meanwhile.
        DiskFull: the disk has no room for it.
    """
    text = json.dumps(report.as_dict(), indent=2, ensure_ascii=False) + "\n"
    # Names that are not UTF-8 become JSON's own escapes by this.
    write_whole(path, text.encode("utf-8", "backslashreplace"), is_new=is_new)
