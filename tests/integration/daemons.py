"""Real daemons: processes with a data folder, a socket and workers of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from fresco_client import Session

ROOT = Path(__file__).parents[2]
FAKE_WORKER = (sys.executable, "-m", "tests.fakes.worker")
_PATIENCE_S = 300.0
_SERVE = """
import json, sys
from pathlib import Path
from fresco_server.daemon import serve
from fresco_server.errors import CannotStart
from fresco_server.settings import LimitSettings, ServerSettings

chosen = json.loads(sys.argv[1])
for name in {"worker", "cluster_worker"} & chosen.keys():
    chosen[name] = tuple(chosen[name])
for name in ("tls_certificate", "tls_key", "token_file"):
    if name in chosen:
        chosen[name] = Path(chosen[name])
for name in {"roots", "model_folders"} & chosen.keys():
    chosen[name] = tuple(Path(folder) for folder in chosen[name])
chosen["limits"] = LimitSettings(**chosen.get("limits", {}))
try:
    serve(ServerSettings(**{**chosen, "data": Path(chosen["data"])}))
except CannotStart as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
"""


def wait_for(what: str, is_so: Callable[[], Any], patience_s: float = _PATIENCE_S) -> Any:
    """What `is_so` gives once it is true; fails with `what` was waited for in vain."""
    ends = time.monotonic() + patience_s
    while time.monotonic() < ends:
        found = is_so()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {patience_s:.0f} s in vain for {what}")


@dataclass
class DaemonProcess:
    """A daemon in the folder `data`; started, killed and started again at will.

    `settings` are fields of `ServerSettings` as plain values. `most_files` is how many descriptors
    it may have.
    """

    data: Path
    settings: dict[str, Any] = field(default_factory=dict[str, Any])
    process: subprocess.Popen[bytes] | None = None
    most_files: int | None = None

    def start(self) -> DaemonProcess:
        """Start it, and wait until it can be found."""
        self.begin()
        found = self.data / "daemon.json"
        assert self.process is not None

        def is_up() -> bool:
            code = self.process.poll() if self.process else None
            assert code is None, f"the daemon ended with {code}:\n{self.output}"
            # What a killed daemon announced still lies there.
            return found.exists() and self.announced["process_id"] == self.pid

        wait_for("the daemon to be found", is_up)
        return self

    def begin(self) -> None:
        """Start it without waiting."""
        self.data.mkdir(parents=True, exist_ok=True)
        chosen = json.dumps({"data": str(self.data), **self.settings})
        with (self.data.parent / "output.txt").open("ab") as output:
            self.process = subprocess.Popen(
                [*self._limits(), sys.executable, "-c", _SERVE, chosen],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def _limits(self) -> list[str]:
        if self.most_files is None:
            return []
        return ["/bin/sh", "-c", f'ulimit -n {self.most_files}; exec "$@"', "sh"]

    @property
    def pid(self) -> int:
        """The number of its process."""
        assert self.process is not None
        return self.process.pid

    @property
    def announced(self) -> dict[str, Any]:
        """What it says of itself in its data folder."""
        try:
            return json.loads((self.data / "daemon.json").read_text("utf-8"))
        except FileNotFoundError:
            return {"process_id": None}

    @property
    def output(self) -> str:
        """What it has printed, and its log."""
        files = (self.data.parent / "output.txt", self.data / "daemon.log")
        return "\n".join(file.read_text("utf-8") for file in files if file.exists())

    def session(self) -> Session:
        """A client that found it."""
        return Session.open(data=self.data, start=False)

    def workers(self) -> list[psutil.Process]:
        """Its child processes."""
        return psutil.Process(self.pid).children(recursive=True)

    def kill(self) -> None:
        """Kill it with SIGKILL, and wait until its workers have noticed."""
        assert self.process is not None
        workers = self.workers()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(60)
        _, alive = psutil.wait_procs(workers, timeout=60)
        assert not alive, "workers outlive their daemon"

    def stop(self) -> int:
        """Stop it with SIGTERM; its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def stop_whatever(self) -> None:
        """End it at the end of a test."""
        if self.process is None or self.process.poll() is not None:
            return
        try:
            self.stop()
        except subprocess.TimeoutExpired:
            self.kill()


def with_fake_worker(arguments: Sequence[str] = ()) -> dict[str, Any]:
    """Settings of a daemon whose workers have no model; `arguments` are those of the fake."""
    return {"worker": [*FAKE_WORKER, *arguments]}
