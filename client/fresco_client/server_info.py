"""What a daemon is, has and can do, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from fresco_settings import Parameter

from fresco_client.settings import RestyleSettings

ModelState = Literal["bundled", "installed", "available"]
ModelKind = Literal["whole", "lora", "embedding", "vae", "controlnet"]
DeviceState = Literal["stopped", "starting", "ready", "busy"]


@dataclass(frozen=True, kw_only=True)
class Style:
    """A look that a model knows."""

    name: str
    words: str
    """Words of a prompt that call for it."""
    prompt: str = ""
    """What choosing it adds to the prompt."""
    negative_prompt: str = ""
    strength: float | None = None
    """As the model recommends if None."""
    guidance_scale: float | None = None
    """As the model recommends if None."""
    picture: bytes = field(default=b"", repr=False)
    """What it looks like, a JPEG or PNG file; empty if the model shows none."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model on the daemon's machine or on the hub, or a file that is used with one there."""

    source: str
    """What `ModelChoice` takes; empty for the bundled one."""
    name: str
    state: ModelState
    size_bytes: int
    memory_bytes: int
    styles: tuple[Style, ...]
    problem: str
    """Why it cannot be used; empty if it can."""
    loaded_on: tuple[str, ...]
    """Devices."""
    kind: ModelKind = "whole"
    trigger_words: tuple[str, ...] = ()
    """Words of a prompt that call what it holds."""
    preview_path: str = ""
    """A picture of what it makes, on the daemon's machine; empty if there is none."""


@dataclass(frozen=True, kw_only=True)
class ResolvedSettings:
    """What settings come to with a model, before it is loaded."""

    settings: RestyleSettings
    """With a value for everything that style, preset or model decide."""
    doubts: tuple[str, ...]
    """What does not do what it seems to, a sentence each."""
    called_styles: tuple[str, ...]
    """Styles that words of the prompt call for."""


@dataclass(frozen=True, kw_only=True)
class PullProgress:
    """How far the download of a model is."""

    done_bytes: int
    total_bytes: int
    """0 while it is not known."""
    bytes_per_second: float
    is_finished: bool


@dataclass(frozen=True, kw_only=True)
class LookProgress:
    """How many denoising steps of a look are done."""

    done: int
    total: int


@dataclass(frozen=True, kw_only=True)
class Device:
    """A device that jobs can run on."""

    id: str
    """What requests name it by, such as "cpu" or "cuda:0"."""
    name: str
    memory_bytes: int
    """0 where it is not known."""
    state: DeviceState
    model_source: str
    """Meaningless unless `has_model`."""
    has_model: bool
    job_id: str
    """The job that runs there, or empty."""
    node: str = ""
    """The machine of a cluster that it is on; empty on the daemon's own."""
    activity: str = ""
    """What it makes of that job, in words; empty if that is not known."""
    is_draining: bool = False
    """Whether it is given nothing new to do, so that its machine can leave."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of the daemon; beyond them calls fail with `LimitReached`."""

    message_bytes: int
    chunk_bytes: int
    upload_bytes: int
    clip_frames: int
    streams: int
    queued_jobs: int
    queued_looks: int
    disk_bytes: int


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What can be chosen."""

    parameters: tuple[Parameter, ...]
    """In the order a form shows them."""
    presets: tuple[str, ...]
    controls: tuple[str, ...]
    outputs: tuple[str, ...]
    has_file_access: bool
    """Whether clips and models can be named by a path on the daemon's machine."""


@dataclass(frozen=True, kw_only=True)
class ServerInfo:
    """What the daemon is."""

    version: str
    api_major: int
    api_minor: int
    devices: tuple[Device, ...]
    """The best first."""
    limits: Limits | None
    capabilities: Capabilities | None
    uptime_s: float | None
    open_jobs: int
    disk_bytes: int
    free_disk_bytes: int
    process_id: int
