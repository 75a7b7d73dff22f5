"""Finding a model: the bundled one, a folder, a file, or a hub id in the cache or on the hub."""

from __future__ import annotations

import errno
import logging
import re
from collections.abc import Sequence
from pathlib import Path

from fresco_media.files.faults import free_bytes

from fresco_engine.diffusion import proxies
from fresco_engine.diffusion.quiet import quiet_libraries
from fresco_engine.errors import DiskFull, ModelNotFound

_LOGGER = logging.getLogger(__name__)
BUNDLED = Path(__file__).parents[1] / "models" / "fresco-small"
HUB_CONTROLS = {
    "tile": "lllyasviel/control_v11f1e_sd15_tile",
    "canny": "lllyasviel/control_v11p_sd15_canny",
    "hed": "lllyasviel/control_v11p_sd15_softedge",
    "depth": "lllyasviel/control_v11f1p_sd15_depth",
    "openpose": "lllyasviel/control_v11p_sd15_openpose",
    "lineart": "lllyasviel/control_v11p_sd15_lineart",
}
HUB_CONTROLS_XL = {
    "canny": "diffusers/controlnet-canny-sdxl-1.0",
    "depth": "diffusers/controlnet-depth-sdxl-1.0",
    "tile": "xinsir/controlnet-tile-sdxl-1.0",
}
"""Those for Stable Diffusion XL, whose folders hold one ControlNet each, as .safetensors."""
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_TEXT_FILES = ["*.json", "*/*.json", "*/*.txt"]
_FULL_WEIGHTS = [
    "diffusion_pytorch_model*.safetensors",
    "*/diffusion_pytorch_model*.safetensors",
    "*/model*.safetensors",
]
_MOST_FILES = 200
_UNUSED = ["safety_checker/*", "feature_extractor/*", "image_encoder/*", "*non_ema*"]
_UNUSED += ["*checkpoint-*"]  # States of training that some keep beside the result.


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
    cached = cached_folder(hub_id, "model_index.json", "config.json")
    if cached is not None and has_weights(cached):
        return cached
    if offline:
        raise ModelNotFound(hub_id, f"not on this machine, and offline; {how_to_download(hub_id)}")
    folder = download(hub_id, [*_TEXT_FILES, *_FULL_WEIGHTS], [*_UNUSED, "*.fp16.*"])
    if not has_weights(folder):
        folder = download(hub_id, [*_TEXT_FILES, *_FULL_WEIGHTS], _UNUSED)
    return folder


def hub_file(hub_id: str, name: str, *, offline: bool = False) -> Path:
    """One file of a hub repository, from the cache if it is there, else downloaded.

    Raises:
        ModelNotFound: it is not on this machine, and the hub cannot be reached or has none.
        DiskFull: the cache has no room for it.
    """
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(hub_id, name)
    if isinstance(found, str):
        return Path(found)
    if not offline:
        file = download(hub_id, [name]) / name
        if file.is_file():
            return file
    raise ModelNotFound(hub_id, f"{name} is not on this machine; {how_to_download(hub_id)}")


def cached_folder(hub_id: str, *marks: str) -> Path | None:
    """The hub cache's folder of `hub_id` in which one of the files `marks` lies, whole or not."""
    from huggingface_hub import try_to_load_from_cache

    for mark in marks:
        found = try_to_load_from_cache(hub_id, mark)
        if isinstance(found, str):
            return Path(found).parents[mark.count("/")]
    return None


def has_weights(folder: Path) -> bool:
    """Whether every part of a diffusers folder is there, those with weights with theirs."""
    if (folder / "model_index.json").is_file():
        texts = ("tokenizer/vocab.json", "tokenizer/merges.txt", "scheduler/scheduler_config.json")
        parts = ["unet", "vae", "text_encoder"]
        if (folder / "text_encoder_2" / "config.json").is_file():
            parts.append("text_encoder_2")
        return all((folder / name).is_file() for name in texts) and all(
            weight_files(folder / part) for part in parts
        )
    return (folder / "config.json").is_file() and bool(weight_files(folder))


def weight_files(folder: Path) -> list[Path]:
    """The .safetensors files of one part that are really there: full precision, or else fp16."""
    files = [path for path in sorted(folder.glob("*.safetensors"))[:_MOST_FILES] if path.exists()]
    files = [path for path in files if "non_ema" not in path.name]
    full = [path for path in files if ".fp16." not in path.name]
    return full or files


def download(hub_id: str, wanted: Sequence[str], unwanted: Sequence[str] = ()) -> Path:
    """Brings the files matching `wanted` of a hub repository into the cache; returns its folder.

    Raises:
        ModelNotFound: the hub cannot be reached, does not know the id, or wants a login.
        DiskFull: the cache has no room for it.
    """
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    _LOGGER.info("downloading %s", hub_id)
    proxies.mend()
    try:
        with quiet_libraries():
            return Path(
                snapshot_download(
                    hub_id, allow_patterns=list(wanted), ignore_patterns=list(unwanted)
                )
            )
    except (RepositoryNotFoundError, GatedRepoError) as error:
        raise ModelNotFound(
            hub_id,
            "the hub has no such model, or shows it only after a login; check the name, "
            "or run 'hf auth login'",
        ) from error
    # The library's versions differ in the network library whose errors come through here.
    except Exception as error:
        if getattr(error, "errno", None) == errno.ENOSPC:
            cache = Path(constants.HF_HUB_CACHE)
            raise DiskFull(cache, free_bytes(cache)) from error
        raise ModelNotFound(
            hub_id,
            "there is no such folder, and as a hub id it is not on this machine and could not be "
            f"downloaded; {_what_to_check()}, or {how_to_download(hub_id)}",
        ) from error


def _what_to_check() -> str:
    reason, proxy = proxies.why_not(), proxies.named()
    if reason:
        return reason
    if proxy:
        return f"check the name, the network and the proxy {proxy}"
    return "check the name and the network"


def how_to_download(hub_id: str) -> str:
    """What to do to have a hub model on this machine."""
    return (
        f"run 'hf download {hub_id}' on a machine with network access and give the folder, "
        "or choose another model"
    )


def download_size(hub_id: str) -> int:
    """Bytes that `locate` would have in the cache of a hub model when done; 0 if not known."""
    from huggingface_hub import HfApi
    from huggingface_hub.utils import filter_repo_objects

    proxies.mend()
    try:
        with quiet_libraries():
            info = HfApi().model_info(hub_id, files_metadata=True)
    # It is only for showing how far a download is; the download itself says what is wrong.
    except Exception as error:  # noqa: BLE001
        _LOGGER.info("the size of %s is not known (%s)", hub_id, error)
        return 0
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
    wanted = [*_TEXT_FILES, *_FULL_WEIGHTS]
    for unwanted in ([*_UNUSED, "*.fp16.*"], _UNUSED):
        names = list(filter_repo_objects(sizes, allow_patterns=wanted, ignore_patterns=unwanted))
        if any(name.startswith("unet/") and name.endswith(".safetensors") for name in names):
            return sum(sizes[name] for name in names)
    return 0


def hub_cache() -> Path:
    """The folder in which models from the hub are kept."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def cached_bytes(hub_id: str) -> int:
    """Bytes of a hub model in the cache, half-downloaded files included."""
    blobs = hub_cache() / f"models--{hub_id.replace('/', '--')}" / "blobs"
    return sum(path.stat().st_size for path in blobs.glob("*") if path.is_file())
