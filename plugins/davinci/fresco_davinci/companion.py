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
from fresco_davinci.choices import StoredChoices
from fresco_davinci.controller import Connect, ResolveController, Scope, outcome_sentences
from fresco_davinci.errors import HostGone, HostRefused, NotReady, ResolveError
from fresco_davinci.folders import ResolveFolders
from fresco_davinci.forms import choices_from, form_of
from fresco_davinci.plugin_folders import PluginFolders
from fresco_davinci.remedies import in_resolve

Command = Literal["restyle", "restyle-marked", "restyle-last", "look", "jobs", "update"]
Say = Callable[[str], None]
_POLL_S = 0.2


def run_over_pipe(
    command: Command,
    plugin_folders: PluginFolders,
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
    controller = ResolveController(plugin_folders, connect)
    controller.attach(bridge)
    try:
        if has_window() if with_window is None else with_window:
            return _in_window(command, controller, bridge)
        return _reporting(lambda: _perform(command, controller, bridge), bridge.say)
    except HostGone:
        return 1
    finally:
        controller.close()


def run_at_mailbox(
    plugin_folders: PluginFolders,
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
    mailbox = Mailbox(plugin_folders.mailbox, folders.preferences)
    mailbox.open()
    try:
        if command is None and (has_window() if with_window is None else with_window):
            from fresco_davinci.window import run_window

            controller = ResolveController(plugin_folders, connect)
            try:
                return run_window(controller, "restyle", mailbox=mailbox)
            finally:
                controller.close()
        say("Waiting for a click on Workspace > Scripts > Fresco > Fresco (free edition).")
        _serve_clicks(mailbox, plugin_folders, connect, say, command or "restyle-last", is_to_end)
        return 0
    finally:
        mailbox.close()


def _serve_clicks(
    mailbox: Mailbox,
    plugin_folders: PluginFolders,
    connect: Connect,
    say: Say,
    command: Command,
    is_to_end: Callable[[], bool],
) -> None:
    while not is_to_end():
        link = mailbox.new_link()
        if link is None:
            time.sleep(_POLL_S)
            continue
        bridge = Bridge(link)
        controller = ResolveController(plugin_folders, connect)
        controller.attach(bridge)
        try:
            _reporting(lambda: _perform(command, controller, bridge, say), say)  # noqa: B023 - called at once
        except HostGone as error:
            say(in_resolve(error))
        finally:
            with suppress(HostGone):
                controller.close()


def has_window() -> bool:
    """Whether a window can be opened here: PyQt6 is there and loads, and there is a screen."""
    try:
        import_module("PyQt6.QtWidgets")
    except ImportError:  # It is not there, or a library of the system that it needs.
        return False
    if sys.platform in ("win32", "darwin"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def _in_window(command: Command, controller: ResolveController, bridge: Bridge) -> int:
    from fresco_davinci.window import run_window, show_sentence

    if command not in ("restyle-last", "update"):
        return run_window(controller, command)
    told: list[str] = []
    code = _reporting(lambda: _perform(command, controller, bridge, told.append), told.append)
    for sentence in told:
        bridge.say(sentence)
    if code != 0:
        show_sentence("\n".join(told))
    return code


def _reporting(body: Callable[[], None], say: Say) -> int:
    """Run something; what goes wrong is told in a sentence."""
    try:
        body()
    except HostGone:
        raise
    except (ResolveError, ClientError) as error:
        say(in_resolve(error))
        return 1
    return 0


def _perform(
    command: Command, controller: ResolveController, bridge: Bridge, say: Say | None = None
) -> None:
    """A command without a window."""
    say = say or bridge.say
    if command in ("update", "jobs"):
        for sentence in outcome_sentences(controller.update()):
            say(sentence)
        return
    if command == "look":
        path = controller.plugin_folders.own / "look.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(controller.look(_ask_choices(controller, bridge)))
        say(f"{path} is the frame, restyled.")
        return
    choices = (
        controller.choices() if command == "restyle-last" else _ask_choices(controller, bridge)
    )
    if not choices.is_complete:
        raise NotReady("There are no last settings yet. Choose “Restyle current clip” first.")
    for sentence in outcome_sentences(done) if (done := controller.update()) else []:
        say(sentence)
    scope: Scope = "marks" if command == "restyle-marked" else "clip"
    pending_jobs = controller.restyle(scope, choices)
    for note in controller.notes:
        say(note)
    for pending in pending_jobs:
        say(f"“{pending.title}” is being restyled. “Update results” brings it in when it is done.")


def _ask_choices(controller: ResolveController, bridge: Bridge) -> StoredChoices:
    """Choices from a form of Fusion's, where this Resolve shows forms.

    Raises:
        NotReady: it shows none, or it was cancelled.
    """
    last = controller.choices()
    try:
        filled = bridge.form(form_of(last, [style.name for style in controller.styles()]))
    except HostRefused:
        raise NotReady(
            "No window can be opened: install PyQt6 beside Fresco, or use “Restyle with last "
            "settings” with settings chosen before."
        ) from None
    if filled is None:
        raise NotReady("Nothing was restyled.")
    return choices_from(last, filled)
