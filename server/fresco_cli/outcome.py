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
from fresco_engine.errors import DiskFull, FrescoError, OutOfDeviceMemory

from fresco_cli.output import Output

FAILED = 1
WRONG_INPUT = 2
CANCELLED = 130
_NOTHING_LEFT = "Stopped; nothing half-written was left behind."


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
        except KeyboardInterrupt:
            output.cancelled(_NOTHING_LEFT)
            raise typer.Exit(CANCELLED) from None
        except FrescoError as error:
            _tell(output, error, str(error), debug)
            raise typer.Exit(_code_of(error)) from None
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        # The last line of defence: a person at a terminal has no use for a traceback.
        except Exception as error:  # noqa: BLE001
            _tell(output, error, _unexpected(error), debug)
            raise typer.Exit(FAILED) from None
        finally:
            output.close()


def _code_of(error: FrescoError) -> int:
    """What the machine lacks is a failure; everything else the user can put right is input."""
    return FAILED if isinstance(error, DiskFull | OutOfDeviceMemory) else WRONG_INPUT


def _tell(output: Output, error: Exception, text: str, debug: bool) -> None:
    output.failed(type(error).__name__, text)
    if debug:
        traceback.print_exception(error)


def _unexpected(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "the memory is full; close other programs, or use a smaller --size or --batch"
    text = str(error).strip().split("\n")[0]
    return (
        f"something Fresco did not expect happened ({type(error).__name__}: {text}); "
        "run the command again with --debug and report what it prints"
    )
