"""Finding a model: the bundled one, a folder, a file, or a hub id in the cache or on the hub."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path

from fresco_engine.errors import ModelNotFound

_LOGGER = logging.getLogger(__name__)
BUNDLED = Path(__file__).parents[1] / "models" / "fresco-small"
HUB_CONTROLS = {
    "tile": "lllyasviel/control_v11f1e_sd15_tile",
    "canny": "lllyasviel/control_v11p_sd15_canny",
}
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_TEXT_FILES = ["*.json", "*/*.json", "*/*.txt"]
_FULL_WEIGHTS = [
    "diffusion_pytorch_model*.safetensors",
    "*/diffusion_pytorch_model*.safetensors",
    "*/model*.safetensors",
]
_UNUSED = ["safety_checker/*", "feature_extractor/*", "image_encoder/*", "*non_ema*"]


def locate(source: str | Path | None, *, offline: bool = False) -> Path:
    """The folder or file that `source` names; `None` names the bundled model.

    A hub id is looked for in the cache first and downloaded only when it is not there whole.

    Raises:
        ModelNotFound: nothing is there, or the hub cannot be reached.
    """
    if source is None:
        return _bundled()
    path = Path(source).expanduser()
    if path.exists():
        return path
    if not _HUB_ID.fullmatch(str(source)):
        raise ModelNotFound(
            source,
            "there is no such folder or file; give a folder in diffusers format, a .safetensors "
            "file, or a hub id such as stable-diffusion-v1-5/stable-diffusion-v1-5",
        )
    return _hub_folder(str(source), offline=offline)


def _bundled() -> Path:
    if not BUNDLED.is_dir():
        raise ModelNotFound(
            BUNDLED, "the bundled model is missing; install the program again, or choose a model"
        )
    return BUNDLED


def _hub_folder(hub_id: str, *, offline: bool) -> Path:
    cached = cached_folder(hub_id)
    if cached is not None and has_weights(cached):
        return cached
    if offline:
        raise ModelNotFound(hub_id, f"not on this machine, and offline; {how_to_download(hub_id)}")
    folder = download(hub_id, [*_TEXT_FILES, *_FULL_WEIGHTS], [*_UNUSED, "*.fp16.*"])
    if not has_weights(folder):
        folder = download(hub_id, [*_TEXT_FILES, *_FULL_WEIGHTS], _UNUSED)
    return folder


def cached_folder(hub_id: str) -> Path | None:
    """The hub cache's folder of the last downloaded version of `hub_id`, whole or not."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(hub_id, local_files_only=True))
    except (LocalEntryNotFoundError, OSError, ValueError):
        return None


def has_weights(folder: Path) -> bool:
    """Whether every part that holds weights in a diffusers folder holds some."""
    if (folder / "model_index.json").is_file():
        return all(weight_files(folder / part) for part in ("unet", "vae", "text_encoder"))
    return (folder / "config.json").is_file() and bool(weight_files(folder))


def weight_files(folder: Path) -> list[Path]:
    """The .safetensors files of one part that are really there: full precision, or else fp16."""
    files = [path for path in sorted(folder.glob("*.safetensors")) if path.exists()]
    files = [path for path in files if "non_ema" not in path.name]
    full = [path for path in files if ".fp16." not in path.name]
    return full or files


def download(hub_id: str, wanted: Sequence[str], unwanted: Sequence[str] = ()) -> Path:
    """Brings the files matching `wanted` of a hub repository into the cache.

    Raises:
        ModelNotFound: the hub cannot be reached, does not know the id, or wants a login.
    """
    import httpx
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    _LOGGER.info("downloading %s", hub_id)
    try:
        return Path(
            snapshot_download(
                hub_id, allow_patterns=list(wanted), ignore_patterns=list(unwanted) or None
            )
        )
    except (LocalEntryNotFoundError, OSError, httpx.HTTPError, ValueError) as error:
        if isinstance(error, HfHubHTTPError) and not isinstance(error, LocalEntryNotFoundError):
            reason = "the hub has no model of that name, or it asks for a login (hf auth login)"
        else:
            reason = "not on this machine, and the hub cannot be reached"
        raise ModelNotFound(hub_id, f"{reason}; {how_to_download(hub_id)}") from error


def how_to_download(hub_id: str) -> str:
    """What to do to have a hub model on this machine."""
    return (
        f"run 'hf download {hub_id}' on a machine with network access and give the folder, "
        "or choose another model"
    )
