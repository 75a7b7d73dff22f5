"""Where Resolve looks for scripts, and where Fusion keeps its preferences, per system."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

System = Literal["linux", "darwin", "win32"]


@dataclass(frozen=True, kw_only=True)
class ResolveFolders:
    """Folders of one user's Resolve, whether they exist or not."""

    user_scripts: Path
    """Scripts of this user."""
    all_scripts: tuple[Path, ...]
    """Scripts of all users."""
    profiles: Path
    """A folder for every profile of Fusion's, with its preferences."""
    programs: tuple[Path, ...]
    """Where Resolve itself usually is."""

    @property
    def menu(self) -> Path:
        """Workspace > Scripts > Fresco."""
        return self.user_scripts / "Utility" / "Fresco"

    @property
    def is_there(self) -> bool:
        """Whether Resolve seems to be installed, or to have run."""
        # Not the user's scripts: that folder may be there because Fresco made it.
        return any(path.exists() for path in (self.profiles, *self.programs))

    def preferences(self) -> Iterable[Path]:
        """Files of Fusion's preferences, those of every profile."""
        return sorted(self.profiles.glob("*/Fusion.prefs"))


def resolve_folders(
    system: str = sys.platform,
    home: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> ResolveFolders:
    """The folders of Resolve; Linux's for a system that is not known."""
    home = home or Path.home()
    if system == "darwin":
        inside = Path("Library/Application Support/Blackmagic Design/DaVinci Resolve/Fusion")
        return ResolveFolders(
            user_scripts=home / inside / "Scripts",
            all_scripts=(Path("/") / inside / "Scripts",),
            profiles=home / inside / "Profiles",
            programs=(Path("/Applications/DaVinci Resolve"),),
        )
    if system == "win32":
        roaming = Path(environment.get("APPDATA") or home / "AppData" / "Roaming")
        shared = Path(environment.get("PROGRAMDATA") or "C:/ProgramData")
        inside = Path("Blackmagic Design/DaVinci Resolve")
        programs = Path(environment.get("PROGRAMFILES") or "C:/Program Files")
        return ResolveFolders(
            user_scripts=roaming / inside / "Support" / "Fusion" / "Scripts",
            all_scripts=(shared / inside / "Fusion" / "Scripts",),
            profiles=roaming / inside / "Support" / "Fusion" / "Profiles",
            programs=(programs / inside,),
        )
    own = home / ".local" / "share" / "DaVinciResolve" / "Fusion"
    return ResolveFolders(
        user_scripts=own / "Scripts",
        all_scripts=(Path("/opt/resolve/Fusion/Scripts"), Path("/home/resolve/Fusion/Scripts")),
        profiles=own / "Profiles",
        programs=(Path("/opt/resolve"), Path("/home/resolve")),
    )
