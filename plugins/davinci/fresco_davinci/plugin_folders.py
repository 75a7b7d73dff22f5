"""Where the plugin keeps what has to outlive Resolve and itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import platformdirs
from fresco_client import data_folder
from fresco_client.files import plain_name


@dataclass(frozen=True, kw_only=True)
class PluginFolders:
    """Folders: `data` is Fresco's data folder, `videos` where results stay for good."""

    data: Path
    videos: Path

    @classmethod
    def usual(cls, data: Path | None = None) -> PluginFolders:
        """Fresco's data folder, and the user's folder for videos."""
        return cls(data=data_folder(data), videos=platformdirs.user_videos_path() / "Fresco")

    @property
    def own(self) -> Path:
        """What belongs to the plugin."""
        return self.data / "resolve"

    @property
    def pending_jobs(self) -> Path:
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
        stem = plain_name(Path(name).stem)
        return self.videos / plain_name(project) / f"{stem} {job_id[:8]}{ending}"
