"""All errors of the plugin. Each text is a sentence for the editor that says what to do.

ResolveError
├── NotReady         Resolve shows no clip, timeline or project, or a dialog is in the way
│   └── TimelineGone   the timeline of a pending job was deleted
├── CannotRestyle    this clip cannot be restyled as it is
├── CannotPlace      the result cannot go where it is wanted
├── RenderFailed     Resolve did not render the range
├── HostRefused      a call of Resolve's did nothing
├── HostGone         Resolve, or the script in it, no longer answers
└── InstallFailed    scripts could not be put into place
"""

from __future__ import annotations


class ResolveError(Exception):
    """Any error of this package."""


class NotReady(ResolveError):
    """Resolve is not in a state in which there is something to do."""


class TimelineGone(NotReady):
    """The timeline of a pending job is no longer in the project."""

    def __init__(self) -> None:
        super().__init__("The timeline of this clip is no longer in the project.")


class CannotRestyle(ResolveError):
    """A clip that cannot be restyled as it is."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        super().__init__(f"“{name}” {reason}")


class CannotPlace(ResolveError):
    """A result cannot go where it is wanted."""


class RenderFailed(ResolveError):
    """Resolve did not render the range."""


class HostRefused(ResolveError):
    """A call did nothing, or gave nothing, where it has to."""

    def __init__(self, call: str) -> None:
        self.call = call
        super().__init__(
            f"DaVinci Resolve did not do what Fresco asked for ({call}). "
            "Close its open dialogs, look whether the track is locked, and try again."
        )


class HostGone(ResolveError):
    """The other end of the bridge does not answer."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            f"DaVinci Resolve no longer answers ({detail}). Close its open dialogs and start "
            "Fresco from Workspace > Scripts again; jobs go on meanwhile."
        )


class InstallFailed(ResolveError):
    """Scripts could not be put into place or taken away."""
