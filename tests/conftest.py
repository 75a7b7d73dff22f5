"""What every test runs under."""

import gc
import os

import hypothesis
import pytest

from tests.system_packages import PACKAGES

# The tests' networks and pictures are tiny: a second thread only waits for the first, and on a
# busy machine it does so by spinning.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(name, "1")

# A busy machine is no fault of the code.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

# The window is drawn into memory, and Qt's own plugin is loaded only where Qt itself loads: on a
# machine without its system libraries all other tests are to run.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("PYTEST_QT_API", "pyqt6")
try:
    import PyQt6.QtGui  # noqa: F401  # pyright: ignore[reportUnusedImport]
except ImportError:
    pytest_plugins = []
else:
    pytest_plugins = ["pytestqt.plugin"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as there are cores: many tests wait for another process."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(2, (cores or 2) * 3 // 2)


_LONG = (
    "tests/integration/test_killing.py",
    "tests/test_repository.py",
    "tests/test_docs.py",
    "tests/test_bootstrap.py",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin what takes long by itself first: begun last, all cores but one would wait for it."""
    items.sort(key=lambda item: not item.nodeid.startswith(_LONG))


def pytest_collection_finish() -> None:
    """Let the collector pass over what stays: thousands of tests and what they import.

    It would go through all of that again and again, which took a tenth of the engine's tests' time.
    """
    gc.collect()
    gc.freeze()


_IN_CI = bool(os.environ.get("CI"))
_OF_WINDOWS = ("tests/gui/", "tests/blender/")


def _skipped_windows(terminal: pytest.TerminalReporter) -> list[str]:
    skipped = terminal.stats.get("skipped", [])
    return [one.nodeid for one in skipped if one.nodeid.startswith(_OF_WINDOWS)]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how to have the tests that were skipped for want of the system's packages."""
    skipped = _skipped_windows(terminalreporter)
    if not skipped:
        return
    terminalreporter.section("not run here")
    for test in skipped:
        terminalreporter.line(test)
    terminalreporter.line("On Debian or Ubuntu this adds what they need:")
    terminalreporter.line(f"    sudo apt-get install {' '.join(PACKAGES)}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI, a test of a window that was skipped is one that failed."""
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if _IN_CI and isinstance(terminal, pytest.TerminalReporter) and _skipped_windows(terminal):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
