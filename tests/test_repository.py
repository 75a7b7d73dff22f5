"""The rules of the repository: format, lint, types and import directions."""

from __future__ import annotations

import ast
import importlib.util
import os
import shutil
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest
from importlinter import api as importlinter

ROOT = Path(__file__).parents[1]
PACKAGES: list[str] = importlinter.read_configuration(str(ROOT / "pyproject.toml"))[
    "session_options"
]["root_packages"]


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    """A tool of the environment the tests run in, wherever it lies."""
    folder = str(Path(sys.executable).parent)
    program = shutil.which(command[0], path=folder)
    assert program is not None, f"{command[0]} is not in {folder}; run 'bootstrap.py test'"
    return subprocess.run(
        [program, *command[1:]],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=1700,
        check=False,
    )


@pytest.mark.parametrize(
    "command", [("ruff", "format", "--check", "."), ("ruff", "check", ".")], ids=["format", "lint"]
)
def test_the_code_is_in_form(command: tuple[str, ...]) -> None:
    ended = _run(*command)

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_imports_go_only_where_they_may() -> None:
    ended = _run("lint-imports", "--no-cache")

    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize("package", PACKAGES)
def test_no_modules_import_each_other_in_a_circle(package: str) -> None:
    """Imports inside of functions count, and those for types alone."""
    graph = grimp.build_graph(package, cache_dir=None)
    imports = TopologicalSorter(
        {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    )

    try:
        imports.prepare()
    except CycleError as error:
        circle = " → ".join(error.args[1][::-1])
    else:
        circle = ""

    assert circle == ""


@pytest.mark.timeout(1800)
def test_types_are_right() -> None:
    ended = _run("pyright")

    assert ended.returncode == 0, ended.stdout


# The client's forms of what the settings and the engine declare, and words each of which says
# nothing but itself.
SHARED_NAMES = {
    *("RestyleSettings", "AttentionSettings", "OptimisationSettings", "SmoothingSettings"),
    *("ClipUnreadable", "Lora", "Model", "Output", "OutputOptions", "Stage", "Style"),
}


def test_a_public_class_has_a_name_of_its_own() -> None:
    places: dict[str, set[str]] = {}
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        assert spec is not None
        assert spec.submodule_search_locations
        folder = Path(next(iter(spec.submodule_search_locations)))
        for path in folder.rglob("*.py"):
            if path.name.endswith(("_pb2.py", "_pb2_grpc.py")):
                continue
            for node in ast.parse(path.read_text("utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places.setdefault(node.name, set()).add(package)

    shared = {name for name, packages in places.items() if len(packages) > 1}

    assert shared <= SHARED_NAMES
