"""Models that are not there, or are damaged or of another kind."""

from __future__ import annotations

import json
import shutil

import numpy as np
from fresco_engine.diffusion.sources import BUNDLED
from fresco_media.stills.images import write_image
from safetensors.numpy import load_file, save_file

from tests.bad_input.situations import Stage, Table

TABLE = Table()


@TABLE.situation(
    "a model that is not there",
    "restyle clip.mp4 -o out.mp4 -p ink --local --model nothing.safetensors",
    "…: there is no such folder or file; give a folder in diffusers format, a .safetensors file, "
    "or a hub id …",
)
def _no_model(stage: Stage) -> None:
    stage.clip()
    stage.use_real_engine()


@TABLE.situation(
    "a hub id without a network",
    "restyle clip.mp4 -o out.mp4 -p ink --local --model somebody/tiny",
    "…: there is no such folder, and as a hub id it is not on this machine and could not be "
    "downloaded; check the name and the network, or run 'hf download …' …",
)
def _no_network(stage: Stage) -> None:
    stage.clip()
    stage.use_real_engine()
    _cut_the_network(stage)


def _cut_the_network(stage: Stage) -> None:
    nobody = "http://127.0.0.1:9"
    template = nobody + "/{repo_id}/resolve/{revision}/{filename}"
    cache = stage.folder.parent / "cache"
    stage.patch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    stage.patch.setattr("huggingface_hub.constants.ENDPOINT", nobody)
    stage.patch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)


@TABLE.situation(
    "a control that the model has no network for",
    "restyle clip.mp4 -o out.mp4 -p ink --local --control depth",
    "…: the model has no ControlNet for depth (it has: tile, canny); choose another control, or …",
)
def _no_such_control(stage: Stage) -> None:
    stage.clip()
    stage.use_real_engine()


@TABLE.situation(
    "a control whose detector is not here, without a network",
    "restyle clip.mp4 -o out.mp4 -p ink --local --control hed --control-model net",
    "hed: it takes a network that finds it (29 MB), which is not on this machine and could not be "
    "downloaded; run 'hf download lllyasviel/Annotators ControlNetHED.pth' here, or on a machine "
    "with network access, and put the files into detectors/hed beside the model or the "
    "ControlNet, or use --control none",
)
def _no_detector(stage: Stage) -> None:
    stage.clip()
    stage.use_real_engine()
    _cut_the_network(stage)
    shutil.copytree(BUNDLED / "controlnet", stage.folder / "net")


@TABLE.situation(
    "a subject in words whose network is not here, without a network",
    "restyle clip.mp4 -o out.mp4 -p ink --local --subject 'the train'",
    "the train: it takes a network that finds it (603 MB), which is not on this machine and could "
    "not be downloaded; run 'hf download CIDAS/clipseg-rd64-refined config.json "
    "model.safetensors' here, or on a machine with network access, and put the files into "
    "detectors/subject beside the model or the ControlNet, or leave out --subject",
)
def _no_subject_network(stage: Stage) -> None:
    stage.clip()
    stage.use_real_engine()
    _cut_the_network(stage)


@TABLE.situation(
    "a model file that was cut off",
    "restyle clip.mp4 -o out.mp4 -p ink --local --model cut.safetensors",
    "…: … bytes are missing at its end; download it again",
)
def _cut_off(stage: Stage) -> None:
    stage.clip()
    stage.use_real_engine()
    weights = next(BUNDLED.rglob("*.safetensors")).read_bytes()
    (stage.folder / "cut.safetensors").write_bytes(weights[: len(weights) // 2])


@TABLE.situation(
    "a model with a weight that is no number",
    "look clip.mp4 --frame 0 -o look.png -p ink --local --preset draft --size 64 --model damaged",
    "…: the model gave values that are no numbers (NaN or infinity) while …; the weights of its …",
)
def _no_number(stage: Stage) -> None:
    stage.clip()
    stage.use_real_engine()
    shutil.copytree(BUNDLED, stage.folder / "damaged")
    file = stage.folder / "damaged/unet/diffusion_pytorch_model.safetensors"
    tensors = load_file(file)
    name = next(name for name in tensors if name.endswith("conv2.weight"))
    tensors[name].reshape(-1)[0] = np.nan
    save_file(tensors, file, {"format": "pt"})


@TABLE.situation(
    "a model whose description and weights differ",
    "look clip.mp4 --frame 0 -o look.png -p ink --local --model odd",
    "…: its configuration describes … numbers and its files hold …; get the model again",
)
def _other_sizes(stage: Stage) -> None:
    stage.clip()
    stage.use_real_engine()
    shutil.copytree(BUNDLED, stage.folder / "odd")
    file = stage.folder / "odd/unet/config.json"
    config = json.loads(file.read_text("utf-8"))
    config["layers_per_block"] += 1
    file.write_text(json.dumps(config), "utf-8")


@TABLE.situation(
    "weights of flow that are not there",
    "restyle clip.mp4 -o out.mp4 -p ink --local --flow gmflow:nothing.pth",
    "…nothing.pth: there is no such file; check the path, or get models/gmflow_sintel-….pth of …",
)
def _no_flow_weights(stage: Stage) -> None:
    stage.clip()
    stage.use_real_engine()


@TABLE.situation(
    "another network's weights for flow",
    "restyle clip.mp4 -o out.mp4 -p ink --local --flow gmflow:vae.safetensors",
    "…vae.safetensors: this is a VAE, not the weights of GMFlow; get …",
)
def _other_flow_weights(stage: Stage) -> None:
    stage.clip()
    stage.use_real_engine()
    weights = BUNDLED / "vae/diffusion_pytorch_model.safetensors"
    shutil.copy(weights, stage.folder / "vae.safetensors")


@TABLE.situation(
    "a reference picture for a model that no IP-Adapter is made for",
    "look clip.mp4 --frame 0 -o look.png -p ink --local --size 64 --reference cat.png",
    "…: no picture can be shown to this model, as no IP-Adapter is known for its shape; use a …",
)
def _no_adapter(stage: Stage) -> None:
    stage.clip()
    stage.use_real_engine()
    write_image(stage.folder / "cat.png", np.full((32, 32, 3), 90, np.uint8))


@TABLE.situation(
    "an IP-Adapter for Stable Diffusion XL",
    "look clip.mp4 --frame 0 -o look.png -p ink --local --size 64 --reference cat.png "
    "--reference-model ip-adapter_sdxl.safetensors",
    "…ip-adapter_sdxl.safetensors: this IP-Adapter is made for Stable Diffusion XL; choose one …",
)
def _adapter_for_xl(stage: Stage) -> None:
    _no_adapter(stage)
    tensors = {
        "image_proj.proj.weight": np.zeros((8192, 8), np.float16),
        "ip_adapter.1.to_k_ip.weight": np.zeros((640, 2048), np.float16),
        "ip_adapter.1.to_v_ip.weight": np.zeros((640, 2048), np.float16),
    }
    save_file(tensors, stage.folder / "ip-adapter_sdxl.safetensors")


@TABLE.situation(
    "a reference that is no picture",
    "look clip.mp4 --frame 0 -o look.png -p ink --local --reference clip.mp4",
    "…clip.mp4: it is empty, damaged or not a picture that is read here (…); export it again …",
)
def _no_picture(stage: Stage) -> None:
    stage.clip()
    stage.use_real_engine()
