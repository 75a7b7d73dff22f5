"""Distilled LoRAs are told by their names, and have what they need where nothing was chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakes.tiny_models import write_lora, write_model_folder
from fresco_engine.diffusion.few_step import few_step_named, few_step_of
from fresco_engine.diffusion.lora import Lora
from fresco_engine.diffusion.models import load_model
from fresco_engine.settings import RestyleSettings
from safetensors.torch import load_file, save_file

KNOWN: list[tuple[str, str, str, int, float]] = [
    ("lcm-lora-sdv1-5", "LCM", "lcm", 4, 1.0),
    ("LCM_LoRA_Weights_SD15", "LCM", "lcm", 4, 1.0),
    ("dreamshaper_8LCM", "LCM", "lcm", 4, 1.0),
    ("models--latent-consistency--sd15", "LCM", "lcm", 4, 1.0),
    ("TCD-SD15-LoRA", "TCD", "tcd", 4, 1.0),
    ("Hyper-SD15-1step-lora", "Hyper-SD", "tcd", 1, 1.0),
    ("Hyper-SD15-8steps-lora", "Hyper-SD", "ddim", 8, 1.0),
    ("Hyper-SD15-12steps-CFG-lora", "Hyper-SD", "ddim", 12, 5.0),
    ("hyper_sd_4step", "Hyper-SD", "ddim", 4, 1.0),
    ("sd15_turbo_lora", "Turbo", "euler-a", 4, 1.0),
    ("sd_turbo", "Turbo", "euler-a", 4, 1.0),
    ("sdxl_lightning_4step_lora", "Lightning", "ddim", 4, 1.0),
    ("sd15-lightning-8-steps", "Lightning", "ddim", 8, 1.0),
]
LOOKS = ("lightning_strikes", "turbo car", "hyperrealism", "Hyperdetailed SDK", "falcmont", "ink")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model_folder(
        tmp_path_factory.mktemp("model"),
        card={
            "name": "tiny",
            "defaults": {"control": "none", "steps": 20, "guidance_scale": 7.5},
            "styles": [{"name": "comic", "guidance_scale": 9.0}],
        },
    )


@pytest.mark.parametrize(("name", "kind", "sampler", "steps", "guidance"), KNOWN)
def test_a_distilled_file_is_told_by_its_name(
    name: str, kind: str, sampler: str, steps: int, guidance: float
) -> None:
    found = few_step_named(name, name)

    assert found is not None
    assert (found.kind, found.sampler, found.steps) == (kind, sampler, steps)
    assert found.guidance_scale == guidance <= found.most_guidance


@pytest.mark.parametrize("name", LOOKS)
def test_looks_of_similar_names_are_not_taken_for_distilled(name: str) -> None:
    assert few_step_named(name, name) is None


@pytest.mark.parametrize(
    ("name", "metadata"),
    [
        ("models--latent-consistency--lcm-lora-sdv1-5/snapshots/1f/pytorch_lora_weights", {}),
        ("renamed", {"modelspec.title": "LCM LoRA"}),
        ("renamed", {"ss_output_name": "my_lcm"}),
    ],
)
def test_folder_and_metadata_tell_what_a_files_name_does_not(
    tmp_path: Path, name: str, metadata: dict[str, str]
) -> None:
    path = lora(tmp_path / f"{name}.safetensors", metadata)

    found = few_step_of(path)

    assert found is not None
    assert (found.kind, found.name) == ("LCM", path.name)


def test_what_it_needs_holds_where_nothing_was_chosen_also_before_a_style(
    tmp_path: Path, folder: Path
) -> None:
    model = load_model(folder, loras=[Lora(lora(tmp_path / "lcm.safetensors"))], device="cpu")

    settings = model.resolved(RestyleSettings(prompt="ink", style="comic"))
    by_hand = model.resolved(
        RestyleSettings(prompt="ink", sampler="ddim", steps=30, guidance_scale=7.5)
    )

    assert (settings.sampler, settings.steps, settings.guidance_scale) == ("lcm", 4, 1.0)
    assert list(model.doubts(settings)) == []
    assert (by_hand.sampler, by_hand.steps, by_hand.guidance_scale) == ("ddim", 30, 7.5)
    assert by_hand.eta == 0


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ({"guidance_scale": 7.5}, "at a guidance of 7.5 pictures burn; leave “Guidance” open"),
        ({"steps": 20}, "with 20 of them pictures may burn; leave “Steps” open"),
        ({"sampler": "ddpm"}, "with the sampler ddpm pictures may stay noisy"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_settings_that_would_burn_the_picture_are_told(
    tmp_path: Path, folder: Path, chosen: dict[str, Any], told: str
) -> None:
    model = load_model(folder, loras=[Lora(lora(tmp_path / "lcm.safetensors"))], device="cpu")

    (doubt,) = model.doubts(model.resolved(RestyleSettings(prompt="ink", **chosen)))

    assert doubt.startswith("lcm.safetensors is made for few steps (LCM)")
    assert told in doubt


def test_a_faint_distilled_lora_changes_no_recommendation(tmp_path: Path, folder: Path) -> None:
    faint = Lora(lora(tmp_path / "lcm.safetensors"), 0.2)

    model = load_model(folder, loras=[faint], device="cpu")

    assert model.few_step is None
    assert model.resolved(RestyleSettings(prompt="ink")).sampler == "ddpm"


def test_a_sampler_for_distilled_models_is_doubted_for_others(folder: Path) -> None:
    model = load_model(folder, device="cpu")

    (few,) = model.doubts(model.resolved(RestyleSettings(prompt="ink", sampler="lcm")))

    assert "lcm is for models distilled for few steps" in few


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ({"spacing": "karras"}, "karras has no effect with the sampler ddpm; choose dpm++2m"),
        ({"eta": 0.5}, "eta has no effect with the sampler ddpm; choose ddim or tcd"),
        ({"sampler": "ddim", "eta": 0.5}, ""),
        ({"sampler": "unipc", "spacing": "karras"}, ""),
        ({"sampler": "euler-a", "spacing": "trailing"}, ""),
    ],
    ids=str,
)
def test_what_has_no_effect_with_the_sampler_is_told(
    folder: Path, chosen: dict[str, Any], told: str
) -> None:
    model = load_model(folder, device="cpu")

    doubts = list(model.doubts(model.resolved(RestyleSettings(prompt="ink", **chosen))))

    assert len(doubts) == bool(told)
    assert all(told in doubt for doubt in doubts)


def test_samplers_for_few_steps_keep_their_own_spacing_and_say_so(
    tmp_path: Path, folder: Path
) -> None:
    model = load_model(folder, loras=[Lora(lora(tmp_path / "lcm.safetensors"))], device="cpu")

    (doubt,) = model.doubts(model.resolved(RestyleSettings(prompt="ink", spacing="trailing")))

    assert "has no effect with the sampler lcm, which has its own" in doubt


@pytest.mark.parametrize(("is_zero", "wanted"), [(False, 0.0), (True, 0.7)])
def test_models_whose_schedule_ends_in_pure_noise_get_rescaled_guidance(
    tmp_path: Path, is_zero: bool, wanted: float
) -> None:
    import json

    write_model_folder(tmp_path, prediction_type="v_prediction", controlnet=False)
    path = tmp_path / "scheduler" / "scheduler_config.json"
    config = json.loads(path.read_text()) | {"rescale_betas_zero_snr": is_zero}
    path.write_text(json.dumps(config))

    model = load_model(tmp_path, control="none", device="cpu")

    assert model.resolved(RestyleSettings(prompt="ink")).guidance_rescale == wanted
    chosen = RestyleSettings(prompt="ink", guidance_rescale=0.2)
    assert model.resolved(chosen).guidance_rescale == 0.2


def lora(path: Path, metadata: dict[str, str] | None = None) -> Path:
    """A LoRA for the tiny models, with what its maker noted in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_lora(path)
    save_file(load_file(path), path, metadata or {})
    return path
