"""What every test runs under."""

import os

# The tests' networks and pictures are tiny: a second thread only waits for the first, and on a
# busy machine it does so by spinning.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(name, "1")

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
