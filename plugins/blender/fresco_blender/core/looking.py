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
    LookProgress,
    Picture,
    PictureOptions,
    Session,
    SessionClosed,
)
from fresco_client.files import write_whole

from . import files
from .faults import Fault, fault_of
from .news import LookFault, LookFile, LookProgressed, News
from .order import Order


class Looker:
    """The looks of this Blender."""

    def __init__(self, inbox: queue.SimpleQueue[News]) -> None:
        self._inbox = inbox
        # Two Blenders at one daemon must not take each other's place.
        self._client_id = uuid.uuid4().hex
        self._look: Look | None = None

    def fail(self, fault: Fault) -> None:
        """Tell that a look failed."""
        self._inbox.put(LookFault(fault))

    def begin(self, session: Session, order: Order, clip: ClipSource, first_number: int) -> None:
        """Start a look at frame `order.start`."""
        self.close()
        self._look = session.look(
            clip,
            order.start - first_number,
            order.restyle_settings(first_number),
            model=order.model_choice,
            options=PictureOptions(encoding="png"),
            client_id=self._client_id,
        )
        threading.Thread(
            target=self._run, args=(self._look, order), daemon=True, name="fresco-look"
        ).start()

    def close(self) -> None:
        """End the look that is being made."""
        if self._look is not None:
            self._look.close()

    def _run(self, look: Look, order: Order) -> None:
        try:
            for item in look:
                if isinstance(item, Picture):
                    self._keep(item, order)
                else:
                    self._tell(item)
        except (Cancelled, SessionClosed):
            return  # a newer one is made
        except Exception as error:
            self.fail(fault_of(error))
        finally:
            if order.is_rendered:
                files.remove_work(Path(order.folder), order.job_id)

    def _tell(self, progress: LookProgress) -> None:
        self._inbox.put(LookProgressed(progress.done / max(progress.total, 1)))

    def _keep(self, picture: Picture, order: Order) -> None:
        path = Path(order.folder) / "looks" / f"look_{order.job_id[:12]}.png"
        write_whole(path, picture.data)
        self._inbox.put(LookFile(order, path))
