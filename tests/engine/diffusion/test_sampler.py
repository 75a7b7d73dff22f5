"""A batch is translated as diffusers would, plus exactly what the settings ask for."""

from copy import deepcopy
from dataclasses import replace
from typing import Any, cast, get_args

import numpy as np
import pytest
import torch
from diffusers import (
    MultiControlNetModel,
    StableDiffusionControlNetImg2ImgPipeline,
    StableDiffusionPipeline,
)
from fresco_engine.correspondence.batch import BatchCorrespondence, correspond
from fresco_engine.correspondence.flow import DisFlow
from fresco_engine.diffusion.batch_run import KeyframeBatch, StepDone, Translation
from fresco_engine.diffusion.control import ShotControls, control_pictures, strength_of
from fresco_engine.diffusion.controls import LoadedControl
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import load_model
from fresco_engine.diffusion.quiet import quiet_libraries
from fresco_engine.diffusion.sampler import translate
from fresco_engine.diffusion.samplers import executed_steps
from fresco_engine.diffusion.schedule import make_scheduler
from fresco_engine.progress_tracker import drained
from fresco_engine.settings import (
    FEW_STEP_SAMPLERS,
    AttentionSettings,
    NoiseKind,
    OptimisationSettings,
    RestyleSettings,
    SamplerKind,
    SmoothingSettings,
    resolve,
)
from fresco_media.types import Image

from tests.engine.diffusion.batches import (
    CARD,
    NO_ATTENTION,
    PLAIN,
    SIZE,
    anchors_of,
    batch_of,
    latents_of,
    run,
)
from tests.engine.diffusion.stock import STOCK
from tests.fakes.tiny_models import write_model_folder

SAMPLERS = tuple(STOCK)


@pytest.fixture(scope="module", params=["epsilon", "v_prediction"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("model")
    write_model_folder(
        folder,
        vae="tiny",
        channels=6,
        prediction_type=request.param,
        card=CARD,
    )
    return load_model(folder, control="tile", device="cpu")


def shown_of(
    control: LoadedControl, images: tuple[Image, ...], settings: RestyleSettings
) -> list[Image]:
    return control_pictures(control, range(len(images)), images, settings, ShotControls())


def stock_latents(
    model: Model, images: tuple[Image, ...], settings: RestyleSettings
) -> torch.Tensor:
    """What diffusers' own pipeline makes of the same frames, one generator per frame."""
    networks: Any = [control.network for control in model.controls]
    strengths = [strength_of(control.kind, settings) for control in model.controls]
    pictures = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255
    shown = [
        torch.from_numpy(np.stack(one)).permute(0, 3, 1, 2).float() / 255
        for one in (shown_of(control, images, settings) for control in model.controls)
    ]
    is_few = settings.sampler in FEW_STEP_SAMPLERS
    with quiet_libraries():
        pipeline = StableDiffusionControlNetImg2ImgPipeline(
            vae=model.vae,
            text_encoder=model.text_encoder,
            tokenizer=model.tokenizer,
            unet=model.unet,
            controlnet=networks[0] if len(networks) == 1 else MultiControlNetModel(networks),
            scheduler=stock_scheduler(model, settings),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        pipeline.set_progress_bar_config(disable=True)
        return pipeline(
            prompt=[settings.prompt] * len(images),
            negative_prompt=[settings.negative_prompt] * len(images),
            image=pictures * 2 - 1,
            control_image=shown[0] if len(shown) == 1 else shown,
            # Those of few steps begin lower, and then take all of them.
            strength=1.0 if is_few else settings.strength,
            eta=settings.eta or 0.0,
            num_inference_steps=settings.steps,
            guidance_scale=settings.guidance_scale,
            controlnet_conditioning_scale=strengths[0] if len(strengths) == 1 else strengths,
            generator=[torch.Generator().manual_seed(settings.seed) for _ in images],
            output_type="latent",
        ).images


def stock_scheduler(model: Model, settings: RestyleSettings) -> Any:
    """The library's scheduler of the chosen kind, over the model's noise schedule."""
    assert settings.steps is not None
    if settings.sampler is None:
        return make_scheduler(model, settings.steps)
    kind = STOCK[settings.sampler]
    if settings.sampler in FEW_STEP_SAMPLERS:

        class Begun(kind):
            """As LatentConsistencyModelImg2ImgPipeline sets its timesteps."""

            def set_timesteps(self, steps: int, device: Any = None) -> None:
                """Set them for the strength."""
                super().set_timesteps(steps, device, strength=settings.strength)

        kind = Begun
    own = {**model.scheduler_config, "clip_sample": False}
    return kind.from_config({name: own[name] for name in own if not name.startswith("_")})


def final_latents(translation: Translation) -> tuple[torch.Tensor, torch.Tensor]:
    return translation.latents[-1][:1], translation.latents[-1][-1:]


def test_without_adaptations_the_result_is_the_stock_pipelines_bit_for_bit(
    model: Model, images: tuple[Image, ...], correspondence: BatchCorrespondence
) -> None:
    translation = run(model, images, correspondence, PLAIN)

    expected = stock_latents(model, images, PLAIN)
    first, last = final_latents(translation)
    assert torch.equal(first, expected[:1])
    assert torch.equal(last, expected[-1:])


def test_words_that_change_with_the_steps_are_each_steps_own(
    model: Model, images: tuple[Image, ...], correspondence: BatchCorrespondence
) -> None:
    def latents(prompt: str) -> torch.Tensor:
        settings = replace(PLAIN, prompt=prompt, negative_prompt="")
        return final_latents(run(model, images[:1], correspondence_of_one, settings))[0]

    correspondence_of_one = correspond(images[:1], DisFlow())

    first, second, changed = (latents(one) for one in ("oil", "ink", "[oil:ink:0.5]"))

    assert torch.equal(latents("[oil:ink:1.0]"), first)
    assert torch.equal(latents("[oil:ink:0.0]"), second)
    assert not torch.equal(changed, first)
    assert not torch.equal(changed, second)


def test_long_prompts_and_weights_go_the_whole_way(model: Model, images: tuple[Image, ...]) -> None:
    settings = replace(PLAIN, prompt="a (blue:1.3) town, " * 30, negative_prompt="rain")

    translation = run(model, images[:1], correspond(images[:1], DisFlow()), settings)

    assert torch.isfinite(final_latents(translation)[0]).all()


def test_several_controls_bind_as_in_the_stock_pipeline_bit_for_bit(
    model: Model, images: tuple[Image, ...], correspondence: BatchCorrespondence
) -> None:
    (tile,) = model.controls
    other = deepcopy(tile.network)
    with torch.no_grad():
        for value in other.parameters():
            value.mul_(0.9)
    both = replace(model, controls=(tile, LoadedControl(kind="canny", network=other)))
    settings = replace(PLAIN, control="tile:0.6,canny:0.4", canny_low=20, canny_high=60)

    translation = run(both, images, correspondence, settings)

    expected = stock_latents(both, images, settings)
    first, last = final_latents(translation)
    assert torch.equal(first, expected[:1])
    assert torch.equal(last, expected[-1:])
    assert not torch.equal(last, final_latents(run(model, images, correspondence, settings))[1])


def test_a_control_of_no_strength_is_not_asked(
    model: Model, images: tuple[Image, ...], correspondence: BatchCorrespondence
) -> None:
    (tile,) = model.controls
    both = replace(model, controls=(tile, LoadedControl(kind="canny", network=cast(Any, None))))
    settings = replace(PLAIN, control="tile:0.6,canny:0")

    translation = run(both, images, correspondence, settings)

    alone = run(model, images, correspondence, replace(PLAIN, control="tile:0.6"))
    assert torch.equal(final_latents(translation)[1], final_latents(alone)[1])


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_every_sampler_gives_the_stock_pipelines_result_bit_for_bit(
    model: Model,
    images: tuple[Image, ...],
    correspondence: BatchCorrespondence,
    sampler: SamplerKind,
    eta: float,
) -> None:
    settings = replace(PLAIN, sampler=sampler, eta=eta)

    translation = run(model, images, correspondence, settings)

    expected = stock_latents(model, images, settings)
    first, last = final_latents(translation)
    assert torch.equal(first, expected[:1])
    assert torch.equal(last, expected[-1:])


@pytest.mark.parametrize("rescale", [0.7, 1.0])
def test_rescaled_guidance_is_the_stock_pipelines_bit_for_bit(
    model: Model,
    images: tuple[Image, ...],
    correspondence: BatchCorrespondence,
    rescale: float,
) -> None:
    settings = replace(PLAIN, strength=1.0, control_scale=0.0, guidance_rescale=rescale)
    # Of other schedules the library's pipeline changes the offset, and warns.
    model = replace(model, scheduler_config={**model.scheduler_config, "steps_offset": 1})

    first, _ = final_latents(run(model, images, correspondence, settings))

    with quiet_libraries():
        pipeline: Any = StableDiffusionPipeline(
            vae=model.vae,
            text_encoder=model.text_encoder,
            tokenizer=model.tokenizer,
            unet=model.unet,
            scheduler=make_scheduler(model, 4),
            safety_checker=None,
            feature_extractor=None,  # pyright: ignore[reportArgumentType]
            requires_safety_checker=False,
        )
        pipeline.set_progress_bar_config(disable=True)
        expected = pipeline(
            prompt=[settings.prompt] * len(images),
            negative_prompt=[settings.negative_prompt] * len(images),
            height=SIZE,
            width=SIZE,
            num_inference_steps=4,
            guidance_scale=settings.guidance_scale,
            guidance_rescale=rescale,
            generator=[torch.Generator().manual_seed(settings.seed) for _ in images],
            output_type="latent",
        ).images
    assert torch.equal(first, expected[:1])


@pytest.mark.parametrize(
    "changes",
    [
        {"attention": replace(NO_ATTENTION, cross_frame=True)},
        {"attention": replace(NO_ATTENTION, temporal=True)},
        {"attention": replace(NO_ATTENTION, spatial=True)},
        {"optimisation": OptimisationSettings(spatial=False, iterations=2)},
        {"optimisation": OptimisationSettings(temporal=False, iterations=2)},
        {"smoothing": SmoothingSettings(is_on=True, start=0.5, stop=1.0, dilation=0)},
        {"start_noise": "own"},
        {"step_noise": "own"},
        {"start_noise": "flow"},
        {"step_noise": "flow"},
        {"free_u": True},
        {"control_scale": 0.0},
        {"guidance_scale": 1.0},
        {"strength": 1.0},
        {"sampler": "unipc"},
        {"spacing": "linspace"},
        {"guidance_rescale": 0.7},
        {"clip_skip": 2},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_each_option_changes_the_picture_and_leaves_the_networks_as_they_were(
    model: Model,
    images: tuple[Image, ...],
    correspondence: BatchCorrespondence,
    changes: dict[str, object],
) -> None:
    plain = run(model, images, correspondence, PLAIN)

    changed = run(model, images, correspondence, replace(PLAIN, **changes))  # pyright: ignore[reportArgumentType]
    again = run(model, images, correspondence, PLAIN)

    assert not torch.equal(final_latents(changed)[1], final_latents(plain)[1])
    assert torch.equal(final_latents(again)[1], final_latents(plain)[1])
    assert all(torch.isfinite(latent).all() for latent in final_latents(changed))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_full_fresco_is_deterministic(
    model: Model,
    images: tuple[Image, ...],
    correspondence: BatchCorrespondence,
    sampler: SamplerKind,
) -> None:
    settings = replace(
        PLAIN,
        sampler=sampler,
        start_noise="flow",
        step_noise="flow",
        attention=AttentionSettings(),
        optimisation=OptimisationSettings(iterations=3),
        smoothing=SmoothingSettings(is_on=True, start=0.2, stop=1.0, dilation=0),
    )

    one = run(model, images, correspondence, settings)
    two = run(model, images, correspondence, settings)

    assert all(np.array_equal(a, b) for a, b in zip(one.images, two.images, strict=True))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_smoothed_picture_is_what_the_step_then_predicts(
    model: Model,
    images: tuple[Image, ...],
    correspondence: BatchCorrespondence,
    sampler: SamplerKind,
) -> None:
    settings = replace(PLAIN, sampler=sampler, steps=6, eta=0.5)
    smoothing = SmoothingSettings(is_on=True, start=0.6, stop=0.8, dilation=0)

    plain = run(model, images, correspondence, settings)
    smoothed = run(model, images, correspondence, replace(settings, smoothing=smoothing))

    records = [(a[-1:], b[-1:]) for a, b in zip(smoothed.latents, plain.latents, strict=True)]
    changed = [not torch.equal(one, other) for one, other in records]
    assert changed[:2] == [False, False]
    assert changed[-1]
    assert all(torch.isfinite(one).all() for one, _ in records)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_anchor_frames_repeat_the_batch_before(
    model: Model,
    images: tuple[Image, ...],
    correspondence: BatchCorrespondence,
    sampler: SamplerKind,
) -> None:
    settings = resolve(
        replace(PLAIN, attention=AttentionSettings(), sampler=sampler), model.defaults
    )
    first = drained(translate(model, batch_of(images), settings, correspondence))
    following = KeyframeBatch(
        indices=(0, 2, 3),
        images=(images[0], images[2], images[1]),
        prompts=("blue",) * 3,
        anchors=anchors_of(first),
    )

    second = drained(translate(model, following, settings, correspond(following.images, DisFlow())))

    assert np.array_equal(second.images[0], first.images[0])
    assert np.array_equal(second.images[1], first.images[2])
    for mine, theirs in zip(second.latents, first.latents, strict=True):
        assert torch.equal(mine[:2], theirs[[0, -1]])


@pytest.mark.parametrize("sampler", ["ddpm", "dpm++2m"])
def test_a_batch_may_end_with_a_frame_that_is_known(
    model: Model,
    images: tuple[Image, ...],
    correspondence: BatchCorrespondence,
    sampler: SamplerKind,
) -> None:
    settings = resolve(
        replace(PLAIN, attention=AttentionSettings(), sampler=sampler), model.defaults
    )
    whole = drained(translate(model, batch_of(images), settings, correspondence))
    known = replace(anchors_of(whole, 0, 0), after=latents_of(whole, -1))
    between = KeyframeBatch(
        indices=(0, 1, 2, 3),
        images=(images[0], *images),
        prompts=("blue",) * 4,
        anchors=known,
    )

    made = drained(translate(model, between, settings, correspond(between.images, DisFlow())))

    assert np.array_equal(made.images[-1], whole.images[-1])
    for mine, theirs in zip(made.latents, whole.latents, strict=True):
        assert torch.equal(mine[[0, 1, -1]], theirs[[0, 0, -1]])


def test_a_step_is_reported_after_each_denoising_step(
    model: Model, images: tuple[Image, ...], correspondence: BatchCorrespondence
) -> None:
    settings = resolve(PLAIN, model.defaults)

    steps = list(translate(model, batch_of(images), settings, correspondence))

    assert steps == [StepDone(k, 3) for k in (1, 2, 3)]
    assert executed_steps(settings) == 3


def test_gradients_are_allowed_again_while_the_consumer_looks(
    model: Model, images: tuple[Image, ...], correspondence: BatchCorrespondence
) -> None:
    steps = translate(model, batch_of(images), resolve(PLAIN, model.defaults), correspondence)

    next(steps)

    assert torch.is_grad_enabled()
    steps.close()


def test_closing_in_the_middle_leaves_the_networks_as_they_were(
    model: Model, images: tuple[Image, ...], correspondence: BatchCorrespondence
) -> None:
    settings = resolve(replace(PLAIN, attention=AttentionSettings(), free_u=True), model.defaults)
    plain = run(model, images, correspondence, PLAIN)
    steps = translate(model, batch_of(images), settings, correspondence)
    next(steps)

    steps.close()

    again = run(model, images, correspondence, PLAIN)
    assert torch.equal(final_latents(again)[0], final_latents(plain)[0])


def test_different_words_for_one_frame_change_that_frame(
    model: Model, images: tuple[Image, ...], correspondence: BatchCorrespondence
) -> None:
    settings = resolve(PLAIN, model.defaults)
    plain = drained(translate(model, batch_of(images), settings, correspondence))
    batch = replace(batch_of(images), prompts=("blue", "blue", "of"))

    changed = drained(translate(model, batch, settings, correspondence))

    assert torch.equal(changed.latents[-1][:1], plain.latents[-1][:1])
    assert not torch.equal(changed.latents[-1][-1:], plain.latents[-1][-1:])


def test_a_single_frame_can_be_translated(model: Model, images: tuple[Image, ...]) -> None:
    settings = replace(
        PLAIN, attention=AttentionSettings(), optimisation=OptimisationSettings(iterations=2)
    )

    translation = run(model, images[:1], correspond(images[:1], DisFlow()), settings)

    assert translation.images[0].shape == images[0].shape


@pytest.mark.parametrize("kind", get_args(NoiseKind))
def test_a_keyframes_own_seed_is_the_jobs_seed_for_this_frame_alone(
    model: Model,
    images: tuple[Image, ...],
    correspondence: BatchCorrespondence,
    kind: NoiseKind,
) -> None:
    # With nothing exchanged between frames each is what it would be alone.
    settings = replace(PLAIN, start_noise=kind, step_noise=kind)

    plain = run(model, images, correspondence, settings)
    other = run(model, images, correspondence, replace(settings, seed=77))
    mixed = run(model, images, correspondence, replace(settings, keyframe_seeds={1: 77, 9: 5}))

    chosen = [plain.images[0], other.images[1], plain.images[2]]
    assert not np.array_equal(plain.images[1], other.images[1])
    assert all(map(np.array_equal, mixed.images, chosen))
