"""What daemons of this machine keep, for those who write files beside them."""

from __future__ import annotations

import os
from pathlib import Path

from fresco_server.jobs.claim import FOLDERS, is_established, is_file_of_ours
from fresco_server.jobs.marker_files import marker_of


def data_folder_of(path: Path) -> Path | None:
    """The data folder of which `path` would be a part: by its name, or below a folder of ours.

    Whatever else is kept in a data folder belongs to its user.
    """
    place = Path(os.path.realpath(path))
    for folder in place.parents:
        first = place.relative_to(folder).parts[0].casefold()
        is_ours = first in FOLDERS or is_file_of_ours(first)
        if is_ours and (marker_of(folder) is not None or is_established(folder)):
            return folder
    return None
