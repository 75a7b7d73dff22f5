"""Clients of a daemon in processes of their own, so that they do not slow each other down.

    python -m bench.crowd ORDER

is what `bench.load` starts. The process says "ready", begins when it is told to on its standard
input, is to come to an end when that is closed, and prints what it has seen as one line of JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import grpc
from fresco_client import (
    Event,
    FrameReady,
    KeyframeReady,
    PictureEncoding,
    PictureOptions,
    Session,
    TransferProgress,
    TransportKind,
)
from grpc_health.v1 import health_pb2, health_pb2_grpc

ROOT = Path(__file__).parents[1]
PROBE_S = 0.02
_PROBE_PATIENCE_S = 10.0
_LOOK_AGAIN_S = 0.25


@dataclass(frozen=True, kw_only=True)
class Watcher:
    """A client that watches a job.

    It joins when `joins_at` frames are there, closes its connection after every `drops_every`
    events and comes back where it was, and takes `pause_s` over each event until it is hurried.
    """

    job: str
    pictures: PictureEncoding | None = None
    transport: TransportKind = "grpcio"
    joins_at: int = 0
    drops_every: int = 0
    pause_s: float = 0.0


@dataclass
class Seen:
    """What a watcher has seen: sequence numbers and kinds of events, in the order they came."""

    watcher: Watcher
    events: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    announced: int = 0
    """Keyframes and frames that were told of."""
    pictures: int = 0
    picture_bytes: int = 0
    drops: int = 0
    when_hurried: int = 0
    """How many events a slow one had when it was told to hurry."""

    def add(self, event: Event) -> None:
        """Note an event."""
        self.events.append((event.sequence, type(event).__name__))
        if isinstance(event, KeyframeReady | FrameReady):
            self.announced += 1
            if event.picture is not None:
                self.pictures += 1
                self.picture_bytes += len(event.picture.data)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Seen:
        """What `asdict` and JSON have made plain values of."""
        events = [(sequence, kind) for sequence, kind in values["events"]]
        return cls(**{**values, "watcher": Watcher(**values["watcher"]), "events": events})


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the daemon is."""

    address: str
    token: str

    def session(self, transport: TransportKind = "grpcio") -> Session:
        """A client there."""
        return Session.connect(self.address, token=self.token, transport=transport)


class Role:
    """A process with clients in it, as the one who starts it sees it; ends with the context."""

    def __init__(self, kind: str, place: Place, order: Any) -> None:
        text = json.dumps({"kind": kind, "place": asdict(place), "order": order})
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.crowd", text],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Role:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.__exit__(kind, error, trace)

    def wait_until_ready(self) -> None:
        """Wait until it can begin."""
        self._line()

    def go(self) -> None:
        """Let it begin."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def hurry(self) -> None:
        """Let it come to an end."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def result(self) -> Any:
        """What it has seen, once it has ended by itself."""
        return json.loads(self._line())

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"a client's process ended with {self._process.wait()}")
        return line


def watch_all(place: Place, watchers: list[Watcher], hurry: threading.Event) -> list[Seen]:
    """Watch until every job has ended, each watcher in a thread with a connection of its own."""
    with ThreadPoolExecutor(len(watchers)) as pool:
        return list(pool.map(lambda watcher: _watch(place, watcher, hurry), watchers))


def _watch(place: Place, watcher: Watcher, hurry: threading.Event) -> Seen:
    seen = Seen(watcher)
    _wait_to_join(place, watcher)
    while not _follow(place, watcher, seen, hurry):
        seen.drops += 1
    return seen


def _wait_to_join(place: Place, watcher: Watcher) -> None:
    with place.session(watcher.transport) as session:
        while watcher.joins_at and session.job(watcher.job).ready_frames < watcher.joins_at:
            time.sleep(_LOOK_AGAIN_S)


def _follow(place: Place, watcher: Watcher, seen: Seen, hurry: threading.Event) -> bool:
    """Watch over one connection; whether the job has ended."""
    after = seen.events[-1][0] if seen.events else 0
    options = PictureOptions(encoding=watcher.pictures) if watcher.pictures else None
    with place.session(watcher.transport) as session:
        for number, event in enumerate(session.watch(watcher.job, after, options), 1):
            seen.add(event)
            if watcher.pause_s and not hurry.is_set():
                seen.when_hurried = len(seen.events)
                hurry.wait(watcher.pause_s)
            if watcher.drops_every and number >= watcher.drops_every:
                return False
    return True


def upload(place: Place, path: Path) -> dict[str, float]:
    """Send a clip; its bytes, and the seconds that took without reading it first."""
    begun: list[float] = []

    def note(progress: TransferProgress) -> None:
        if progress.stage == "sending" and not begun:
            begun.append(time.perf_counter())

    with place.session() as session:
        session.upload(path, note)
    return {"bytes": path.stat().st_size, "seconds": time.perf_counter() - begun[0]}


def probe(place: Place, end: threading.Event) -> dict[str, Any]:
    """Ask for health every 20 ms, also while earlier questions wait; seconds of the answers."""
    took: list[float] = []
    failed: list[str] = []
    metadata = (("authorization", f"Bearer {place.token}"),)
    with grpc.insecure_channel(place.address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        asked: list[Any] = []
        while not end.wait(PROBE_S):
            call = stub.Check.future(
                health_pb2.HealthCheckRequest(), timeout=_PROBE_PATIENCE_S, metadata=metadata
            )
            call.add_done_callback(_noting(time.perf_counter(), took, failed))
            asked.append(call)
        ends_at = time.monotonic() + _PROBE_PATIENCE_S
        while len(took) + len(failed) < len(asked) and time.monotonic() < ends_at:
            time.sleep(PROBE_S)
    return {"asked": len(asked), "seconds": took, "failed": failed}


def _noting(begun: float, took: list[float], failed: list[str]) -> Any:
    def note(call: Any) -> None:
        seconds = time.perf_counter() - begun
        if call.code() is grpc.StatusCode.OK:
            took.append(seconds)
        else:
            failed.append(f"{call.code()}: {call.details()}")

    return note


def main() -> None:
    """Play the role that is ordered."""
    chosen = json.loads(sys.argv[1])
    place, order = Place(**chosen["place"]), chosen["order"]
    hurry = threading.Event()
    print("ready", flush=True)
    sys.stdin.readline()
    threading.Thread(target=lambda: (sys.stdin.read(), hurry.set()), daemon=True).start()
    match chosen["kind"]:
        case "watchers":
            watchers = [Watcher(**watcher) for watcher in order]
            result: Any = [asdict(seen) for seen in watch_all(place, watchers, hurry)]
        case "uploader":
            result = upload(place, Path(order))
        case _:
            result = probe(place, hurry)
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
