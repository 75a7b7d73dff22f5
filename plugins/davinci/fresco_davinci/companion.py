"""The process of our own that does the work: started by a menu script, or by the user.

With a window where there is one; else with a form of Fusion's; and with neither for "Restyle with
last settings" and "Update results".
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import IO, Literal

from fresco_client import ClientError

from fresco_davinci.bridge.mailbox import Mailbox
from fresco_davinci.bridge.pipe import PipeLink
from fresco_davinci.bridge.remote import Bridge
from fresco_davinci.choices import Choices
from fresco_davinci.desk import Connect, Desk, Scope, sentences
from fresco_davinci.errors import HostGone, HostRefused, NotReady, ResolveError
from fresco_davinci.folders import ResolveFolders
from fresco_davinci.forms import choices_from, form_of
from fresco_davinci.places import Places

Command = Literal["restyle", "restyle-marked", "restyle-last", "look", "jobs", "update"]
Say = Callable[[str], None]
_POLL_S = 0.2


def run_over_pipe(
    command: Command,
    places: Places,
    connect: Connect,
    streams: tuple[IO[str], IO[str]],
    *,
    with_window: bool | None = None,
) -> int:
    """Do what one click in Resolve's menu asks for; the exit code.

    `streams` are those of the script: its answers, and where messages to it go. `with_window` None:
    if there can be one.
    """
    bridge = Bridge(PipeLink(*streams))
    desk = Desk(places, connect)
    desk.attach(bridge)
    try:
        if has_window() if with_window is None else with_window:
            return _in_window(command, desk, bridge)
        return _told(lambda: _perform(command, desk, bridge), bridge.say)
    except HostGone:
        return 1
    finally:
        desk.close()


def run_at_mailbox(
    places: Places,
    connect: Connect,
    folders: ResolveFolders,
    say: Say,
    *,
    command: Command | None = None,
    with_window: bool | None = None,
    is_to_end: Callable[[], bool] = lambda: False,
) -> int:
    """Serve the script of the free edition until it is to end; the exit code.

    Raises:
        InstallFailed: the mailbox cannot be used.
    """
    mailbox = Mailbox(places.mailbox, folders.preferences)
    mailbox.open()
    try:
        if command is None and (has_window() if with_window is None else with_window):
            from fresco_davinci.window import run_window

            desk = Desk(places, connect)
            try:
                return run_window(desk, "restyle", mailbox=mailbox)
            finally:
                desk.close()
        say("Waiting for a click on Workspace > Scripts > Fresco > Fresco (free edition).")
        _serve_clicks(mailbox, places, connect, say, command or "restyle-last", is_to_end)
        return 0
    finally:
        mailbox.close()


def _serve_clicks(
    mailbox: Mailbox,
    places: Places,
    connect: Connect,
    say: Say,
    command: Command,
    is_to_end: Callable[[], bool],
) -> None:
    while not is_to_end():
        link = mailbox.newcomer()
        if link is None:
            time.sleep(_POLL_S)
            continue
        bridge = Bridge(link)
        desk = Desk(places, connect)
        desk.attach(bridge)
        try:
            _told(lambda: _perform(command, desk, bridge, say), say)  # noqa: B023 - called at once
        except HostGone as error:
            say(str(error))
        finally:
            with suppress(HostGone):
                desk.close()


def has_window() -> bool:
    """Whether a window can be opened here: PyQt6 is there and loads, and there is a screen."""
    try:
        import_module("PyQt6.QtWidgets")
    except ImportError:  # It is not there, or a library of the system that it needs.
        return False
    if sys.platform in ("win32", "darwin"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def _in_window(command: Command, desk: Desk, bridge: Bridge) -> int:
    from fresco_davinci.window import run_window, show_sentence

    if command not in ("restyle-last", "update"):
        return run_window(desk, command)
    told: list[str] = []
    code = _told(lambda: _perform(command, desk, bridge, told.append), told.append)
    for sentence in told:
        bridge.say(sentence)
    if code != 0:
        show_sentence("\n".join(told))
    return code


def _told(body: Callable[[], None], say: Say) -> int:
    """Run something; what goes wrong is told in a sentence."""
    try:
        body()
    except HostGone:
        raise
    except (ResolveError, ClientError) as error:
        say(str(error))
        return 1
    return 0


def _perform(command: Command, desk: Desk, bridge: Bridge, say: Say | None = None) -> None:
    """A command without a window."""
    say = say or bridge.say
    if command in ("update", "jobs"):
        for sentence in sentences(desk.update()):
            say(sentence)
        return
    if command == "look":
        path = desk.places.own / "look.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(desk.look(_asked(desk, bridge)))
        say(f"{path} is the frame, restyled.")
        return
    choices = desk.choices() if command == "restyle-last" else _asked(desk, bridge)
    if not choices.is_complete:
        raise NotReady("There are no last settings yet. Choose “Restyle current clip” first.")
    for sentence in sentences(done) if (done := desk.update()) else []:
        say(sentence)
    scope: Scope = "marks" if command == "restyle-marked" else "clip"
    orders = desk.restyle(scope, choices)
    for note in desk.notes:
        say(note)
    for order in orders:
        say(f"“{order.title}” is being restyled. “Update results” brings it in when it is done.")


def _asked(desk: Desk, bridge: Bridge) -> Choices:
    """Choices from a form of Fusion's, where this Resolve shows forms.

    Raises:
        NotReady: it shows none, or it was cancelled.
    """
    last = desk.choices()
    try:
        filled = bridge.form(form_of(last, [style.name for style in desk.styles()]))
    except HostRefused:
        raise NotReady(
            "No window can be opened: install PyQt6 beside Fresco, or use “Restyle with last "
            "settings” with settings chosen before."
        ) from None
    if filled is None:
        raise NotReady("Nothing was restyled.")
    return choices_from(last, filled)
