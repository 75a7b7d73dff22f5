"""Names from outside that become places on this machine: job ids, paths of clips, models."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from fresco_engine.errors import ClipNotFound, ClipUnreadable, ModelNotFound
from fresco_media.stills.numbered import parse_pattern
from fresco_settings import FlowChoice, Remedy, said

from fresco_server.errors import BadRequest, ModelUnusable, PathForbidden
from fresco_server.jobs.claim import DATABASE, FOLDERS, is_file_of_ours
from fresco_server.jobs.marker_files import marker_of
from fresco_server.settings import ServerSettings

_JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HUB_NAME = r"[A-Za-z0-9]([A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?"
_HUB_ID = re.compile(rf"{_HUB_NAME}/{_HUB_NAME}")
_LONGEST_PATH, _LONGEST_NAME = 4096, 255
_FLOW_WEIGHTS = (".safetensors", ".pth")
"""Those of a network that finds flow: of a pickle nothing but numbers is ever read."""
_UNSAFE_WEIGHTS = (".ckpt", ".pt", ".pth", ".bin", ".pkl", ".pickle")


def check_job_id(text: str, field: str = "job_id") -> str:
    """`text` if it may be the id of a job.

    Raises:
        BadRequest: it is not 1 to 64 of A-Z a-z 0-9 _ -.
    """
    if not is_job_id(text):
        raise BadRequest(field, "it is not 1 to 64 of A-Z a-z 0-9 _ -; choose another id")
    return text


def is_job_id(text: str) -> bool:
    """Whether `text` is formed like the id of a job, and so is a name for a folder."""
    return _JOB_ID.fullmatch(text) is not None


def is_hub_id(text: str) -> bool:
    """Whether `text` is formed like the id of a model on the hub, such as owner/name."""
    is_formed = _HUB_ID.fullmatch(text) is not None
    return is_formed and "--" not in text and ".." not in text and not text.endswith(".git")


@dataclass(frozen=True)
class PathPolicy:
    """Where clips and models named by path may lie.

    `clip_roots` and `model_roots` are folders; `None` stands for every place. What the daemon
    keeps in its folder `data` is in none of them. In `model_folders` files are found by name.
    """

    clip_roots: tuple[Path, ...] | None
    model_roots: tuple[Path, ...] | None
    data: Path | None = None
    model_folders: tuple[Path, ...] = ()

    @staticmethod
    def of(settings: ServerSettings) -> PathPolicy:
        """The places that a daemon with these settings may read."""
        roots = settings.roots
        if roots is None and not settings.is_local:
            roots = ()
        models = None if roots is None else (*roots, *settings.model_folders)
        return PathPolicy(roots, models, _real(settings.data), settings.model_folders)

    @property
    def has_file_access(self) -> bool:
        """Whether any clip can be named by a path."""
        return self.clip_roots is None or bool(self.clip_roots)

    def clip(self, text: str, field: str = "clip.path") -> Path:
        """The real place of the clip at `text`: a file, a folder, or a `name_%04d.png` in one.

        Raises:
            BadRequest: it is not an absolute path.
            Forbidden: it lies outside the roots, whether it exists or not.
            ClipNotFound: nothing is there.
            ClipUnreadable: it may not be read, or is neither file nor folder.
        """
        path = self._resolved(text, field, self.clip_roots, _FORBIDDEN_CLIP)
        # Of a pattern the folder is what there is; it is below a root, as the path itself is.
        is_pattern = parse_pattern(path.name) is not None and not _exists(path)
        mode = _mode(path.parent if is_pattern else path)
        if mode is None:
            raise ClipNotFound(path, "there is no such file; check the path")
        if not (stat.S_ISDIR(mode) or (stat.S_ISREG(mode) and not is_pattern)):
            raise ClipUnreadable(path, "it is neither a file nor a folder; choose a clip")
        return path

    def picture(self, text: str, field: str) -> Path:
        """The real place of the picture at `text`.

        Raises:
            BadRequest: it is not an absolute path.
            Forbidden: it lies outside the roots, whether it exists or not.
            ClipNotFound, ClipUnreadable: no file is there, or it may not be read.
        """
        path = self._resolved(text, field, self.clip_roots, _FORBIDDEN_PICTURE)
        mode = _mode(path)
        if mode is None:
            raise ClipNotFound(path, "there is no such picture; check the path")
        if not stat.S_ISREG(mode):
            raise ClipUnreadable(path, "it is not a file; choose a picture")
        return path

    def model(self, text: str, field: str = "model.source") -> str | None:
        """What the engine is to load: a path that was checked, a hub id, `None` for the bundled.

        Raises:
            BadRequest: it is neither a hub id nor an absolute path.
            Forbidden: it lies outside the roots, whether it exists or not.
            ModelNotFound: nothing is there.
            ModelUnusable: it is a file of a kind that is not loaded.
        """
        if not text:
            return None
        if is_hub_id(text):
            return text
        if not os.path.isabs(text):
            raise BadRequest(
                field, "it is neither a hub id such as owner/name nor an absolute path"
            )
        return str(self._weights(text, field, may_be_folder=True))

    def lora(self, text: str, field: str = "model.loras.path") -> str:
        """The real place of a LoRA's file; raises what `model` does."""
        return str(self._weights(text, field, may_be_folder=False))

    def vae(self, text: str, field: str = "model.vae") -> str | None:
        """A VAE as `model`, or the name of one in a folder of models; raises what `model` does."""
        return text[:_LONGEST_NAME] if _is_name(text) else self.model(text, field)

    def adapter(self, text: str, field: str = "settings.reference_model") -> str:
        """An IP-Adapter's file, or the name of one as for a VAE; raises what `model` does."""
        if _is_name(text):
            return text[:_LONGEST_NAME]
        return str(self._weights(text, field, may_be_folder=False))

    def folder(self, text: str, field: str = "model.folders") -> str:
        """The real place of a folder of models.

        Raises:
            BadRequest, Forbidden, ModelNotFound: as `model`.
        """
        path = self._resolved(text, field, self.model_roots, _FORBIDDEN_MODEL)
        mode = _mode(path)
        if mode is None or not stat.S_ISDIR(mode):
            raise ModelNotFound(path, "there is no such folder; check the path")
        return str(path)

    def flow(self, text: str, field: str = "settings.flow") -> str:
        """A way to find flow, with the real place of its weights where they are named.

        Raises:
            BadRequest, Forbidden, ModelNotFound, ModelUnusable: as `model`.
        """
        choice = FlowChoice.parse(text)
        if not choice.file:
            return text
        path = self._resolved(choice.file, field, self.model_roots, _FORBIDDEN_MODEL)
        mode = _mode(path)
        if mode is None:
            raise ModelNotFound(path, "there is no such file; check the path")
        if not stat.S_ISREG(mode) or path.suffix.lower() not in _FLOW_WEIGHTS:
            raise ModelUnusable(f"{path}: it is not a .safetensors or .pth file; choose one")
        return str(FlowChoice(choice.kind, str(path)))

    def _weights(self, text: str, field: str, *, may_be_folder: bool) -> Path:
        path = self._resolved(text, field, self.model_roots, _FORBIDDEN_MODEL)
        suffix = path.suffix.lower()
        if suffix in _UNSAFE_WEIGHTS:
            raise ModelUnusable(
                f"{path}: files of this kind can hold programs and are not loaded; convert it to "
                ".safetensors or choose another model"
            )
        mode = _mode(path)
        if mode is None:
            raise ModelNotFound(path, "there is no such file or folder; check the path")
        is_folder = may_be_folder and stat.S_ISDIR(mode)
        if not is_folder and not (stat.S_ISREG(mode) and suffix == ".safetensors"):
            kinds = "a folder in diffusers format or a .safetensors file"
            wanted = kinds if may_be_folder else "a .safetensors file"
            raise ModelUnusable(f"{path}: it is not {wanted}; choose one")
        return path

    def _resolved(
        self, text: str, field: str, roots: tuple[Path, ...] | None, forbidden: str
    ) -> Path:
        path = _resolved(text, field, roots, forbidden)
        if self.data is not None and _is_kept(path, self.data):
            raise PathForbidden(
                f"{short_path(text)} is the daemon's own; fetch what a job has made, and use that"
            )
        return path


def _is_name(text: str) -> bool:
    """Whether it is no path, so that it can only name something in a folder of models."""
    return bool(text) and not any(mark in text for mark in ("/", "\\", "\0"))


def readable_folders(settings: ServerSettings) -> tuple[Path, ...] | None:
    """All folders below which clients' files may be read; `None` stands for every place."""
    roots = PathPolicy.of(settings).clip_roots
    if roots is None:
        return None
    own = (settings.data / "jobs", settings.data / "uploads")
    return (*roots, *settings.model_folders, *own)


def worker_command(settings: ServerSettings) -> tuple[str, ...]:
    """What starts a worker that reads nothing that clients may not name.

    Names were checked when they came; what they stand for may have changed when they are opened.
    """
    return (*settings.worker, *_confinement(settings))


def cluster_command(settings: ServerSettings) -> tuple[str, ...]:
    """What starts the process that works with a cluster, and reads no more than a worker."""
    assert settings.cluster is not None
    return (*settings.cluster_worker, f"--address={settings.cluster}", *_confinement(settings))


def _confinement(settings: ServerSettings) -> tuple[str, ...]:
    folders = readable_folders(settings)
    if folders is None:
        return ()
    below = (part for folder in folders for part in ("--below", str(folder)))
    return ("--confined", *below)


_FORBIDDEN_CLIP = "lies outside the folders this daemon may read; upload the clip instead"
_FORBIDDEN_PICTURE = "lies outside the folders this daemon may read; put the picture below one"
_FORBIDDEN_MODEL = (
    "lies outside the folders this daemon may read; use a model that ListModels shows, or "
    f"{said(Remedy.ALLOW_FOLDER)}"
)


def _resolved(text: str, field: str, roots: tuple[Path, ...] | None, forbidden: str) -> Path:
    """The real path that `text` names, whether anything is there or not.

    What lies outside the roots is never told apart, so that nobody can ask what exists there.
    """
    path = _absolute(text, field)
    if is_network_path(text, os.name) and not _is_below(path, roots or ()):
        # Only looking at such a path would log in to a foreign machine.
        raise PathForbidden(f"{field}: network paths may be used only below a root of their own")
    try:
        real = path.resolve()
    except (OSError, RuntimeError, ValueError):  # Such as links that go round in circles.
        real = None
    if roots is None:
        return path if real is None else real
    folders = tuple(_real(root) for root in roots)
    if real is None or not _is_below(real, folders):
        raise PathForbidden(f"{short_path(text)} {forbidden}")
    return real


def _absolute(text: str, field: str) -> Path:
    if not text:
        raise BadRequest(field, "it is empty; give an absolute path")
    if len(os.fsencode(text)) > _LONGEST_PATH:
        raise BadRequest(field, f"it is longer than {_LONGEST_PATH} bytes")
    if "\0" in text:
        raise BadRequest(field, "it holds a NUL character; check the path")
    path = Path(text)
    if not path.is_absolute():
        raise BadRequest(
            field, f"{short_path(text)!r} is not an absolute path of the daemon's machine"
        )
    return path


def is_network_path(text: str, system: str) -> bool:
    """Whether `text` names another machine or a bare device on a `system` named like `os.name`."""
    return system == "nt" and text[:1] in ("/", "\\") and text[1:2] in ("/", "\\")


def short_path(text: str) -> str:
    """`text` as a sentence may quote it."""
    return text if len(text) <= 200 else f"{text[:100]}…{text[-100:]}"


def _is_kept(path: Path, data: Path) -> bool:
    """Whether the daemon keeps `path` in its data folder, as it does not what plugins put there.

    Closing its list of jobs after a look at it would also take the daemon's lock from it.
    """
    if path == data or any(path.is_relative_to(data / name) for name in FOLDERS):
        return True
    if _is_below_another_name(path, data):
        return True
    if path.parent == data and is_file_of_ours(path.name):
        return True
    try:
        return path.samefile(data / DATABASE)
    except (OSError, ValueError):
        return False


def _is_below_another_name(path: Path, data: Path) -> bool:
    """Whether a folder above `path` is one of the daemon's, mounted or known elsewhere as well."""
    kept = {_identity(data / name) for name in FOLDERS} - {None}
    for folder in (path, *path.parents):
        identity, mark = _identity(folder), marker_of(folder)
        if identity is None:
            continue
        if identity in kept:
            return True
        # A copy of a job's folder bears its mark too, and is its owner's.
        if mark is not None and identity == _identity(data / "jobs" / mark.name):
            return True
    return False


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        facts = os.stat(path)
    except (OSError, ValueError):
        return None
    return facts.st_dev, facts.st_ino


def _real(folder: Path) -> Path:
    try:
        return folder.resolve()
    except (OSError, RuntimeError):
        return folder


def _is_below(path: Path, roots: tuple[Path, ...]) -> bool:
    return any(path.is_relative_to(root) for root in roots)


def _exists(path: Path) -> bool:
    return os.path.lexists(path)


def _mode(path: Path) -> int | None:
    """What kind of thing is at `path`; `None` where nothing is or nobody may look."""
    try:
        return path.stat().st_mode
    except (OSError, ValueError):
        return None
