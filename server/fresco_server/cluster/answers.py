"""What workers have stored, put into the job's own folder."""

from __future__ import annotations

import json
from collections.abc import Iterable

from fresco_engine.checkpoint import PLAN, File, FolderCheckpoint, StoredPlan, store_file

from fresco_server.cluster.files import FILE_SETTINGS
from fresco_server.jobs.job import Values


def take_in(checkpoint: FolderCheckpoint, files: Iterable[File], settings: Values) -> None:
    """Store what a worker has stored; pictures that are there already stay.

    `settings` are those of the job, which name its files by their places here.

    Raises:
        DiskFull, OutputNotWritable: it cannot be stored.
        ValueError: it is no file of a checkpoint.
    """
    for name, data in files:
        if name == PLAN:
            checkpoint.save_plan(_with_own_places(data, settings))
        elif not (name.endswith(".png") and checkpoint.own.has(name)):
            store_file(checkpoint, name, data)


def _with_own_places(data: bytes, settings: Values) -> StoredPlan:
    values = json.loads(data)
    values["settings"] |= {name: settings.get(name) for name in FILE_SETTINGS}
    return StoredPlan.from_dict(values)
