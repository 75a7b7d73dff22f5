"""The examinations of `fresco doctor`, each with one line of findings."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from fresco_engine import __version__
from fresco_engine.errors import FrescoError
from fresco_engine.settings import RestyleSettings
from fresco_media.files.text import counted, sized
from fresco_server.local.engine import InProcessEngine

from fresco_cli import daemon_checks, plugin_checks
from fresco_cli.daemon_checks import LEAST_FREE_BYTES, CheckProblem
from fresco_cli.daemons import Tools
from fresco_cli.forecast import JobChoice, forecast

_LIBRARIES = ("torch", "diffusers", "transformers", "av", "opencv-python-headless", "numpy")
_ENCODERS = {"libx264": "H.264", "libx264rgb": "lossless RGB", "ffv1": "FFV1", "png": "PNG"}


@dataclass(frozen=True)
class Check:
    """One examination: its name, whether all is well, and what was found or has to be done."""

    name: str
    is_ok: bool
    detail: str


def run_all(tools: Tools, job: JobChoice, data: Path | None) -> list[Check]:
    """All examinations in the order a person reads them; one that fails stops no other."""
    engine: InProcessEngine = tools.engine

    @cache
    def loaded(source: str | None) -> Any:
        return engine.load_model(
            source, control=None, control_source=None, loras=(), device=job.device
        )

    examinations: dict[str, Callable[[], str]] = {
        "version": _version,
        "libraries": _libraries,
        "device": _devices,
        "memory": _memory,
        "disk": _disk,
        "codecs": _codecs,
        "model cache": _model_cache,
        "data folder": lambda: daemon_checks.data_folder(data),
        "daemon": lambda: daemon_checks.daemon(tools, data),
        "DaVinci Resolve": lambda: plugin_checks.resolve(data),
        "Blender": plugin_checks.of_blender,
        "sample clip": lambda: _sample_clip(engine),
        "self-test": lambda: _self_test(engine, loaded),
        "forecast": lambda: forecast(engine, job, loaded),
    }
    return [_examined(name, examine) for name, examine in examinations.items()]


def _examined(name: str, examine: Callable[[], str]) -> Check:
    try:
        return Check(name, True, examine())
    except (CheckProblem, FrescoError) as problem:
        return Check(name, False, str(problem))
    # Whatever breaks here is what the doctor is asked to find.
    except Exception as error:  # noqa: BLE001
        return Check(name, False, f"{type(error).__name__}: {error}")


def _version() -> str:
    return f"fresco {__version__}, Python {platform.python_version()}, {platform.platform()}"


def _libraries() -> str:
    found: list[str] = []
    missing: list[str] = []
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        raise CheckProblem(f"{', '.join(missing)} missing; run 'python bootstrap.py setup' again")
    return ", ".join(found)


def _devices() -> str:
    import torch

    names = [
        f"cuda:{number} {torch.cuda.get_device_name(number)}"
        for number in range(torch.cuda.device_count())
    ]
    if torch.backends.mps.is_available():
        names.append("mps")
    return ", ".join([*names, f"cpu with {os.cpu_count()} cores"])


def _memory() -> str:
    import torch

    parts = [f"{sized(total)} installed" for total in _installed_memory()]
    for number in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(number)
        parts.append(f"cuda:{number} {sized(free)} free of {sized(total)}")
    return ", ".join(parts) or "not known"


def _installed_memory() -> Iterator[int]:
    """The machine's memory in bytes, where the system tells it."""
    names = getattr(os, "sysconf_names", {})
    if {"SC_PHYS_PAGES", "SC_PAGE_SIZE"} <= set(names):
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _disk() -> str:
    free = {str(place): shutil.disk_usage(place).free for place in (Path.cwd(), _temporary())}
    if min(free.values()) < LEAST_FREE_BYTES:
        place = min(free, key=lambda name: free[name])
        raise CheckProblem(f"only {sized(free[place])} free at {place}; free some room")
    return ", ".join(f"{sized(count)} free at {place}" for place, count in free.items())


def _temporary() -> Path:
    return Path(tempfile.gettempdir())


def _codecs() -> str:
    from av.codec import Codec
    from av.codec.codec import UnknownCodecError

    missing: list[str] = []
    for name, meaning in _ENCODERS.items():
        try:
            Codec(name, "w")
        except UnknownCodecError:
            missing.append(f"{meaning} ({name})")
    if missing:
        raise CheckProblem(f"cannot write {', '.join(missing)}; install the library av again")
    return f"writes {', '.join(_ENCODERS.values())}"


def _model_cache() -> str:
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE)
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    if not os.access(nearest, os.W_OK):
        raise CheckProblem(f"{folder} cannot be written to; set HF_HOME to a folder of your own")
    return f"{folder}, {sized(shutil.disk_usage(nearest).free)} free"


def _sample_clip(engine: InProcessEngine) -> str:
    info = engine.open_clip(engine.sample_clip()).info
    sound = "with sound" if info.has_audio else "without sound"
    return f"{counted(info.frame_count, 'frame')} of {info.width} x {info.height}, {sound}"


def _self_test(engine: InProcessEngine, load: Callable[[str | None], Any]) -> str:
    """One frame, one step, with the bundled model: the whole way from file to picture."""
    began = time.perf_counter()
    clip = engine.open_clip(engine.sample_clip())
    model = load(None)
    loaded = time.perf_counter()
    settings = RestyleSettings(prompt="a watercolour", steps=1, strength=1.0, size=128)
    picture = engine.look(clip, 0, settings, model).image
    if picture.shape != (clip.info.height, clip.info.width, 3) or picture.min() == picture.max():
        raise CheckProblem("the bundled model gives no picture; install Fresco again")
    ended = time.perf_counter()
    return (
        f"the bundled model loads in {loaded - began:.1f} s, one step takes {ended - loaded:.1f} s"
    )
