"""Where the plugin keeps what has to outlive Resolve and itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from fresco_client import data_folder

_LONGEST_BYTES = 200
"""Of a name, so that there is room for a job's id and an ending."""


@dataclass(frozen=True, kw_only=True)
class Places:
    """Folders: `data` is Fresco's data folder, `videos` where results stay for good."""

    data: Path
    videos: Path

    @classmethod
    def usual(cls, data: Path | None = None) -> Places:
        """Fresco's data folder, and the user's folder for videos."""
        return cls(data=data_folder(data), videos=platformdirs.user_videos_path() / "Fresco")

    @property
    def own(self) -> Path:
        """What belongs to the plugin."""
        return self.data / "resolve"

    @property
    def orders(self) -> Path:
        return self.own / "orders"

    @property
    def renders(self) -> Path:
        return self.own / "renders"

    @property
    def choices(self) -> Path:
        """The last settings."""
        return self.own / "settings.json"

    @property
    def mailbox(self) -> Path:
        return self.own / "mailbox"

    @property
    def log(self) -> Path:
        return self.own / "companion.log"

    def result(self, project: str, name: str, job_id: str, ending: str) -> Path:
        """Where a result goes: named for people, with the beginning of its job's id."""
        return self.videos / _fit(project) / f"{_fit(Path(name).stem)} {job_id[:8]}{ending}"


def _fit(name: str) -> str:
    """A name that every file system takes."""
    plain = re.sub(r'[<>:"/\\|?*%\x00-\x1f\ud800-\udfff]', "_", name).strip(" .")
    # Names are limited in bytes, and a letter may be four of them.
    short = plain[:80].encode()[:_LONGEST_BYTES].decode(errors="ignore")
    return short.strip(" .") or "untitled"
