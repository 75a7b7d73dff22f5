"""How a command ends: exit codes, one sentence instead of a traceback.

0 done, 1 failed, 2 wrong usage or input, 130 cancelled.
"""

from __future__ import annotations

import logging
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from fresco_media.files.interrupts import CANCELLED, NOTHING_LEFT

from fresco_cli.faults import fault_of
from fresco_cli.output import Output


@contextmanager
def told(output: Output, *, debug: bool) -> Iterator[None]:
    """Runs a command's body; what goes wrong in it becomes a sentence and an exit code.

    Libraries' warnings and log lines are kept from the user unless `debug` asks for them.
    """
    with warnings.catch_warnings():
        if debug:
            logging.basicConfig(level=logging.DEBUG)
        else:
            warnings.simplefilter("ignore")
        try:
            yield
        except KeyboardInterrupt as stop:
            output.cancelled(str(stop) or NOTHING_LEFT)
            raise typer.Exit(CANCELLED) from None
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        # The last line of defence: a person at a terminal has no use for a traceback.
        except Exception as error:  # noqa: BLE001
            fault = fault_of(error)
            output.failed(fault.kind, fault.text)
            if debug:
                traceback.print_exception(error)
            raise typer.Exit(fault.code) from None
        finally:
            output.close()
