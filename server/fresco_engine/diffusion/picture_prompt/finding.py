"""Where IP-Adapters and their image encoders lie: named, in folders of models, or on the hub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fresco_settings import marked

from fresco_engine.diffusion.controlnets import is_like_sd15
from fresco_engine.diffusion.library import FileKind, Library, is_of_kind
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.picture_prompt.adapter import IpAdapter
from fresco_engine.diffusion.picture_prompt.encoder import said_widths
from fresco_engine.diffusion.sources import hub_file
from fresco_engine.errors import ModelError, ModelNotFound, WrongModelKind

HUB_ID = "h94/IP-Adapter"
ADAPTER = "models/ip-adapter_sd15.safetensors"
ENCODER_FOLDER = "image_encoder"
ENCODER = tuple(f"models/{ENCODER_FOLDER}/{name}" for name in ("config.json", "model.safetensors"))
_KNOWN = (
    "ip-adapter_sd15",
    "ip-adapter-plus_sd15",
    "ip-adapter_sd15_light",
    "ip-adapter_sd15_light_v11",
)
_HUGE = (1024, 1280)
"""What CLIP ViT-H/14 says of a picture as a whole, and of each patch."""


def find_adapter(name: str | None, model: Model) -> Path:
    """The IP-Adapter called `name`, or the usual one for models of Stable Diffusion 1.5's shape.

    Raises:
        ModelNotFound: it is nowhere, with where to get it and where to put it.
        DiskFull: the hub's cache has no room for it.
    """
    if name is not None:
        return _named(name, model.library)
    found = (model.library.find(FileKind.IP_ADAPTER, one) for one in _KNOWN)
    if (path := next(filter(None, found), None)) is not None:
        return path
    if not is_like_sd15(model.unet):
        raise ModelNotFound(
            model.name,
            "no picture can be shown to this model, as no IP-Adapter is known for its shape; use "
            f"a Stable Diffusion 1.5 model, or name one made for this as "
            f"{marked('reference_model')}",
        )
    try:
        return hub_file(HUB_ID, ADAPTER, offline=model.detectors.offline)
    except ModelNotFound as error:
        raise ModelNotFound(
            ADAPTER,
            "what reads a reference picture, an IP-Adapter (45 MB) and CLIP's image encoder "
            "(2.5 GB), is not on this machine and could not be downloaded; run "
            f"'hf download {HUB_ID} {ADAPTER} {' '.join(ENCODER)}' here, or on a machine with "
            "network access, and put the file into ipadapter and its folder image_encoder beside "
            f"it, below a folder of models; or leave out {marked('reference')}",
        ) from error


def _named(name: str, library: Library) -> Path:
    path = Path(name).expanduser()
    if path.is_dir():
        raise WrongModelKind(path, "this is a folder; name the IP-Adapter's .safetensors file")
    if path.is_file():
        return path
    found = library.find(FileKind.IP_ADAPTER, name)
    if found is None:
        near = library.near(FileKind.IP_ADAPTER, name)
        told = f" (near it: {', '.join(near)})" if near else ""
        raise ModelNotFound(
            name,
            "there is no such file, and no IP-Adapter of this name in the folders of models"
            f"{told}; check the name",
        )
    return found


def find_encoder(adapter: IpAdapter, model: Model) -> Path:
    """The folder or file of the image encoder that an adapter is made for.

    It lies in `image_encoder` beside the adapter, in a folder `clip_vision` of models, or, if it
    is CLIP ViT-H/14, on the hub.

    Raises:
        ModelNotFound: it is nowhere, with where to get it and where to put it.
        DiskFull: the hub's cache has no room for it.
    """
    unfit: list[str] = []
    for place in _places(adapter, model.library):
        try:
            width = said_widths(place)[adapter.reads_patches]
        except ModelError:
            unfit.append(f"{place.name} cannot be read")
            continue
        if width == adapter.width:
            return place
        unfit.append(f"{place.name} gives {width} numbers")
    if adapter.width == _HUGE[adapter.reads_patches]:
        try:
            *_, file = (hub_file(HUB_ID, one, offline=model.detectors.offline) for one in ENCODER)
            return file.parent
        except ModelNotFound as error:
            raise _no_encoder(adapter, unfit) from error
    raise _no_encoder(adapter, unfit)


def _places(adapter: IpAdapter, library: Library) -> Iterator[Path]:
    beside = adapter.path.parent / ENCODER_FOLDER
    if (beside / "config.json").is_file():
        yield beside
    for file in library.paths(FileKind.IMAGE_ENCODER):
        if is_of_kind(file, FileKind.IMAGE_ENCODER):
            yield file.parent if (file.parent / "config.json").is_file() else file


def _no_encoder(adapter: IpAdapter, unfit: list[str]) -> ModelNotFound:
    is_huge = adapter.width == _HUGE[adapter.reads_patches]
    wanted = "CLIP ViT-H/14 (2.5 GB)" if is_huge else f"one that gives {adapter.width} numbers"
    told = f" ({'; '.join(unfit[:3])})" if unfit else ""
    get = (
        f"run 'hf download {HUB_ID} {' '.join(ENCODER)}' on a machine with network access, and put "
        if is_huge
        else "put "
    )
    return ModelNotFound(
        adapter.path,
        f"the image encoder that this IP-Adapter is made for, {wanted}, is not on this "
        f"machine{told}; {get}its folder as image_encoder beside the IP-Adapter, or its file into "
        "clip_vision in a folder of models",
    )
