"""Looks: one frame restyled now, each in place of the one before."""

from __future__ import annotations

import queue
import threading
import uuid
from pathlib import Path

from fresco_client import (
    Cancelled,
    ClipSource,
    Look,
    Session,
    SessionClosed,
)
from fresco_client.files import write_whole
from fresco_client.pictures import WITH_ALPHA

from . import files
from .faults import PluginFault, fault_of
from .messages import LookFault, LookFile, LookProgressed, WorkerMessage
from .request import RestyleRequest


class LookRunner:
    """The looks of this Blender."""

    def __init__(self, inbox: queue.SimpleQueue[WorkerMessage]) -> None:
        self._inbox = inbox
        # Two Blenders at one daemon must not take each other's place.
        self._client_id = uuid.uuid4().hex
        self._look: Look | None = None

    def fail(self, fault: PluginFault) -> None:
        """Tell that a look failed."""
        self._inbox.put(LookFault(fault))

    def begin(
        self, session: Session, request: RestyleRequest, clip: ClipSource, first_number: int
    ) -> None:
        """Start a look at frame `request.start`."""
        self.close()
        self._look = session.look(
            clip,
            request.start - first_number,
            request.restyle_settings(first_number),
            model=request.model_choice,
            options=WITH_ALPHA,
            client_id=self._client_id,
        )
        threading.Thread(
            target=self._run, args=(self._look, request), daemon=True, name="fresco-look"
        ).start()

    def close(self) -> None:
        """End the look that is being made."""
        if self._look is not None:
            self._look.close()

    def _run(self, look: Look, request: RestyleRequest) -> None:
        try:
            picture = look.picture(self._tell)
            if picture is not None:
                path = Path(request.folder) / "looks" / f"look_{request.job_id[:12]}.png"
                write_whole(path, picture.data)
                self._inbox.put(LookFile(request, path))
        except (Cancelled, SessionClosed):
            return  # a newer one is made
        except Exception as error:
            self.fail(fault_of(error))
        finally:
            if request.is_rendered:
                files.remove_work(Path(request.folder), request.job_id)

    def _tell(self, done: int, total: int) -> None:
        self._inbox.put(LookProgressed(done / max(total, 1)))
