"""Daemons that cannot be had, are lost, or refuse; jobs that are not there."""

from __future__ import annotations

from pathlib import Path

import fresco_client as client

from tests.bad_input.situations import Stage, Table

TABLE = Table()
_RESTYLE = "restyle clip.mp4 -o out.mp4 -p ink"


@TABLE.situation(
    "no daemon can be started",
    _RESTYLE,
    "The Fresco daemon ended with exit code 1. Its log is … Its last lines:",
    "…",
    "To work without a daemon, add --local.",
    code=1,
)
def _cannot_start(stage: Stage) -> None:
    stage.clip()
    stage.connect.error = client.DaemonFailedToStart(
        "ended with exit code 1", Path("daemon.log"), "why"
    )


@TABLE.situation(
    "a daemon that is lost for good",
    _RESTYLE,
    "… cannot be reached …",
    code=1,
)
def _lost(stage: Stage) -> None:
    stage.clip()
    stage.connect.session.lost = client.DaemonUnreachable("127.0.0.1:7400", "connection refused")


@TABLE.situation(
    "a clip that the daemon cannot read",
    _RESTYLE,
    code=0,
    does="sent to it",
    then=lambda ended: ended.result().info.frame_count == 12,
)
def _sent(stage: Stage) -> None:
    stage.clip()
    stage.connect.session.has_file_access = False


@TABLE.situation(
    "pictures that the daemon cannot read",
    "restyle shot -o out.mp4 -p ink",
    "…only single files can be sent to it…",
)
def _not_sent(stage: Stage) -> None:
    stage.pictures(range(6))
    stage.connect.session.has_file_access = False


@TABLE.situation(
    "a wrong token", _RESTYLE, "The Fresco daemon at … does not accept this token. …", code=2
)
def _wrong_token(stage: Stage) -> None:
    stage.clip()
    stage.connect.error = client.NotAuthorised("127.0.0.1:7400", "unknown")


TABLE.plain(
    "an id of no job",
    "jobs show 123abc",
    "there is no job '123abc'; 'fresco jobs' lists those there are",
)
