"""The process for a cluster, with workers that have the troubles their machine's environment names.

FRESCO_TEST_FAR       files are not where they are at the daemon
FRESCO_TEST_VERSION   another Fresco is installed
FRESCO_TEST_NO_MODEL  files of models are missing
FRESCO_TEST_FULL      there is no room for files
FRESCO_TEST_DIES      the process ends in the middle of every part
"""

from __future__ import annotations

import os
from collections.abc import Generator
from dataclasses import replace

from fresco_client.values import Failure
from fresco_engine.errors import ModelNotFound
from fresco_media.errors import DiskFull
from fresco_server.cluster import files, part_worker
from fresco_server.cluster.orders import Answer, PartOrder, SourceFile, Stepped, WorkerFacts
from fresco_server.cluster.part_worker import PartWorker
from fresco_server.cluster.program import main
from fresco_server.worker.faults import failure_of


class TroubledWorker(PartWorker):
    """A worker on a machine that is not as it should be."""

    def __init__(self, device: str, token: str) -> None:
        super().__init__(device, token)
        if os.environ.get("FRESCO_TEST_FAR"):
            files._is_here = lambda _: False
        if os.environ.get("FRESCO_TEST_NO_MODEL"):
            part_worker.check_models = _no_model

    def receive(self, file: SourceFile, offset: int, data: bytes) -> Failure | None:
        """Take in a piece of a file, if there is room."""
        if os.environ.get("FRESCO_TEST_FULL"):
            return failure_of(DiskFull(file.path, 0))
        return super().receive(file, offset, data)

    def facts(self) -> WorkerFacts:
        """What it is, or is not."""
        facts = super().facts()
        version = os.environ.get("FRESCO_TEST_VERSION")
        if version is None:
            return facts
        return replace(facts, installed=replace(facts.installed, version=version))

    def make(self, order: PartOrder) -> Generator[Answer, None, None]:
        """Make a part, or begin to."""
        for answer in super().make(order):
            yield answer
            if os.environ.get("FRESCO_TEST_DIES") and isinstance(answer, Stepped):
                os._exit(1)


def _no_model(*_: object) -> None:
    raise ModelNotFound("a model", "it is missing on a machine of the cluster")


if __name__ == "__main__":
    main(TroubledWorker)
