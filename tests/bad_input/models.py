"""Models that are not there, or are damaged or of another kind."""

from __future__ import annotations

from fresco_engine.diffusion.sources import BUNDLED

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
    nobody = "http://127.0.0.1:9"
    template = nobody + "/{repo_id}/resolve/{revision}/{filename}"
    cache = stage.folder.parent / "cache"
    stage.patch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    stage.patch.setattr("huggingface_hub.constants.ENDPOINT", nobody)
    stage.patch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)


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
