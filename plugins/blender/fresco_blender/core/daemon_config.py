"""Which daemon to talk to."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address

from fresco_client import Forbidden, LaunchState, Session

# Grows with every failed try; a job takes hours, so a daemon may be away for a while.
PATIENCE_S = 600.0


@dataclass(frozen=True, kw_only=True)
class DaemonConfig:
    """The daemon of this machine, or one elsewhere."""

    data: str = ""
    """Its data folder; empty for the user's own."""
    program: str = ""
    """The command that starts it; empty to find it."""
    address: str = ""
    """HOST:PORT of a daemon elsewhere; empty for this machine's."""
    token: str = ""
    certificate: str = ""
    starts_daemon: bool = True
    """Whether looks and jobs start this machine's daemon if none runs."""
    is_online_allowed: bool = True
    """Whether the user lets Blender speak to other machines."""

    @property
    def is_remote(self) -> bool:
        """Whether clips have to be sent, as it may not see our files."""
        return bool(self.address)

    @property
    def is_on_this_machine(self) -> bool:
        """Whether no other machine is spoken to."""
        host = self.address.rpartition(":")[0].strip("[]")
        if not self.is_remote or host == "localhost":
            return True
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return False

    def open(self, *, start: bool, on_state: Callable[[LaunchState], None]) -> Session:
        """A session with the daemon; `start` one of this machine if none runs.

        Raises:
            ClientError: there is none, or it cannot be used.
        """
        if self.is_remote and not self.is_online_allowed and not self.is_on_this_machine:
            raise Forbidden(
                f"Blender may not speak to {self.address}: Online Access is off. Allow it in "
                "Preferences > System > Network."
            )
        if self.is_remote:
            return Session.connect(
                self.address,
                token=self.token,
                certificate=self.certificate or None,
                transport="pure",
                patience_s=PATIENCE_S,
            )
        return Session.open(
            self.data or None,
            start=start,
            command=_words(self.program) or None,
            on_state=on_state,
            transport="pure",
            patience_s=PATIENCE_S,
        )


def _words(command: str) -> list[str]:
    """A command as a list of words; a path with spaces may stand in quotes."""
    words = shlex.split(command, posix=sys.platform != "win32")
    return [word.strip('"') for word in words]
