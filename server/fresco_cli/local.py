"""A restyle in this process, without a daemon."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any, cast

from fresco_engine.types import Analysed, Event, Finished, Report, Warned

from fresco_cli import destinations
from fresco_cli.choices import LookChoices
from fresco_cli.engine import Engine
from fresco_cli.options import ModelOptions
from fresco_cli.order import Order, Warnings, checked
from fresco_cli.output import Output


def run(engine: Engine, order: Order, channel: Output) -> tuple[float, Report]:
    """Carries out an order, passing its events on; returns its seconds and its report.

    What can be found wrong at once is found before the model is loaded.
    """
    ready = checked(order, engine)
    wanted = order.wanted
    began = time.perf_counter()
    model = load(engine, order.model, order.choices)
    if wanted.save_keyframes is not None:
        destinations.clear_keyframes(wanted.save_keyframes, ready.originals)
    events = engine.render(
        ready.clip,
        wanted.output,
        ready.settings,
        model,
        codec=order.codec,
        overwrite=wanted.overwrite,
        save_keyframes=wanted.save_keyframes,
        originals=ready.originals,
    )
    with closing(cast(Any, events)):
        report = _follow(events, channel)
    if wanted.report is not None:
        ready.originals.check(wanted.report)
        engine.save_report(report, wanted.report)
    return time.perf_counter() - began, report


def load(engine: Engine, options: ModelOptions, choices: LookChoices) -> Any:
    """The model that the options name."""
    return engine.load_model(
        options.model,
        control=cast(Any, choices.control),
        control_source=options.control_model,
        loras=tuple(options.lora or ()),
        device=options.device,
    )


def _follow(events: Iterator[Event], channel: Output) -> Report:
    warnings = Warnings(channel)
    for event in events:
        if isinstance(event, Warned):
            warnings.say(event.message)
            continue
        channel.event(event)
        if isinstance(event, Analysed):
            warnings.say_unused(event)
        if isinstance(event, Finished):
            return event.report
    raise RuntimeError("the engine ended without a report")
