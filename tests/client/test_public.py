"""What the package offers, and what it loads."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import fresco_client

SOURCES = Path(fresco_client.__file__).parent
ALLOWED = {
    "fresco",
    "fresco_client",
    "fresco_settings",
    "google",
    "grpc",
    "h2",
    "hyperframe",
    "platformdirs",
}


def test_the_public_names_are_listed_in_order() -> None:
    assert fresco_client.__all__ == sorted(fresco_client.__all__)
    assert len(set(fresco_client.__all__)) == len(fresco_client.__all__)


def test_all_that_is_public_is_listed() -> None:
    public = {
        name
        for name, value in vars(fresco_client).items()
        if not name.startswith("_") and not inspect.ismodule(value) and name != "annotations"
    }

    assert public == set(fresco_client.__all__)


def test_all_errors_events_and_values_are_public() -> None:
    from fresco_client import errors, events, server_info, settings, values

    for module in (errors, events, server_info, settings, values):
        for name, value in vars(module).items():
            if inspect.isclass(value) and value.__module__ == module.__name__:
                assert name in fresco_client.__all__


def test_only_the_standard_library_settings_protobuf_and_the_transports_are_imported() -> None:
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                root = name.partition(".")[0]
                assert root in ALLOWED or root in sys.stdlib_module_names, f"{path}: {name}"


def test_importing_it_loads_neither_transport() -> None:
    code = "import sys, fresco_client; print([m for m in ('grpc', 'h2') if m in sys.modules])"

    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )

    assert shown.stdout.strip() == "[]"
