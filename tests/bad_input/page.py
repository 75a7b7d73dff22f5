"""The page `docs/bad-input.md`, made of the tables; `python -m tests.bad_input.page` writes it."""

from __future__ import annotations

from pathlib import Path

from tests.bad_input import clips, daemons, keys, media, models, orders, results
from tests.bad_input.situations import Situation

PAGE = Path(__file__).parents[2] / "docs" / "bad-input.md"
TABLES = {
    "Clips": clips.TABLE,
    "Clips of all kinds": media.TABLE,
    "Painted keys": keys.TABLE,
    "Orders": orders.TABLE,
    "Models": models.TABLE,
    "Results": results.TABLE,
    "The daemon": daemons.TABLE,
}
_HEAD = """\
# What happens with bad or unusual input

Every refusal is one sentence on stderr that says what to do, found before the model loads wherever
it can be, and leaves nothing half-written. Exit code 2 means that the input or the usage is wrong,
1 that the machine lacks something (room on the disk, memory), 130 that the work was stopped.

This page is made by `python -m tests.bad_input.page` from the tables in `tests/bad_input`, and each
of its rows is run as a test. `…` stands for a path, a name or a number. Which files are taken at
all is in [formats.md](formats.md).
"""
_FOOT = """\

A process that is killed without notice (`kill -9`, power cut) cannot clean up, though a job at a
daemon goes on: a hidden file or folder `.fresco-….partial` may stay beside the
output. It can be deleted; the next run works without that. Keyframes saved until then are whole.
"""


def situations() -> list[Situation]:
    """All rows."""
    return [row for table in TABLES.values() for row in table]


def page() -> str:
    """The text of the page."""
    parts = [_HEAD]
    for title, table in TABLES.items():
        parts += [f"\n## {title}\n", "| input | command | what is said or done | code |"]
        parts += ["| --- | --- | --- | --- |", *(_row(row) for row in table)]
    return "\n".join(parts) + "\n" + _FOOT


def _row(row: Situation) -> str:
    happens = [f"`{line}`" for line in row.says] + ([row.does] if row.does else [])
    cells = (row.of, f"`fresco {row.run}`", "; ".join(happens), str(row.code))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
