"""Every sampler does what diffusers' own scheduler does with the same noise, and no more."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.quiet import quiet_libraries
from fresco_engine.diffusion.samplers import Sampler, executed_steps, make_sampler
from fresco_engine.diffusion.schedule import scheduler_from
from fresco_engine.errors import InvalidSettings
from fresco_engine.settings import (
    FEW_STEP_SAMPLERS,
    ModelDefaults,
    RestyleSettings,
    SamplerKind,
    Spacing,
    resolve,
)
from torch import Tensor

from tests.engine.diffusion.stock import STOCK

BETAS: dict[str, Any] = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
}
KINDS = ("epsilon", "v_prediction", "sample")
PLAIN = {"clip_sample": False}
MORE: dict[SamplerKind, dict[str, Any]] = {"ddpm": PLAIN, "ddim": PLAIN, "lcm": PLAIN, "tcd": PLAIN}
SPACINGS: tuple[Spacing, ...] = ("leading", "trailing", "linspace", "karras")
SHAPE = (2, 4, 6, 5)


def model_of(**config: Any) -> Model:
    """All that samplers want of a model."""
    return cast(
        Model,
        SimpleNamespace(scheduler_config={**BETAS, **config}, device=torch.device("cpu")),
    )


def settings_of(**chosen: Any) -> RestyleSettings:
    return resolve(RestyleSettings(prompt="ink", **chosen), ModelDefaults())


def network(x: Tensor, t: float) -> Tensor:
    """Something like a network: bounded, and another at each timestep."""
    return torch.tanh(0.9 * x + 0.1 * x.roll(1, -1) + t / 1000) - 0.2


def ours(sampler: Sampler, clean: Tensor, noises: list[Tensor]) -> list[Tensor]:
    drawn = iter(noises)
    record = [sampler.start(clean, next(drawn))]
    for k, t in enumerate(sampler.steps.times):
        output = network(sampler.model_input(record[-1], k), t)
        noise = next(drawn) if sampler.draws_noise(k) else None
        record.append(sampler.step(output, record[-1], k, noise))
    return record


def stock(scheduler: Any, clean: Tensor, begin: int, **options: Any) -> list[Tensor]:
    """The latents of diffusers' image-to-image pipelines; its schedulers draw from a generator."""
    random = torch.Generator().manual_seed(5)
    first = torch.randn(SHAPE, generator=random)
    times = scheduler.timesteps[begin:]
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(begin)
    record = [scheduler.add_noise(clean, first, times[:1])]
    if begin == 0:
        record = [first * scheduler.init_noise_sigma]
    for t in times:
        output = network(scheduler.scale_model_input(record[-1], t), float(t))
        record.append(scheduler.step(output, t, record[-1], **options, return_dict=False)[0])
    return record


def noises(count: int) -> list[Tensor]:
    random = torch.Generator().manual_seed(5)
    return [torch.randn(SHAPE, generator=random) for _ in range(count)]


def clean_latents() -> Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(1))


CASES = [
    (name, kind, spacing, eta)
    for name in STOCK
    for kind in KINDS
    for spacing in SPACINGS
    for eta in (0.0, 0.3, 1.0)
    if not (name == "euler-a" and kind == "sample")  # The library has none.
    if spacing != "karras" or name in ("dpm++2m", "unipc")
    if spacing == "leading" or name not in FEW_STEP_SAMPLERS
    if (name, spacing) != ("ddim", "linspace")  # Its steps miss the next timestep there.
    if eta == 0 or name in ("ddim", "tcd")
]


@pytest.mark.parametrize(("name", "kind", "spacing", "eta"), CASES)
@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_it_is_diffusers_own_with_the_same_noise(
    name: SamplerKind, kind: str, spacing: Spacing, eta: float, strength: float
) -> None:
    few, steps = name in FEW_STEP_SAMPLERS, 5 if name in FEW_STEP_SAMPLERS else 8
    settings = settings_of(sampler=name, steps=steps, strength=strength, spacing=spacing, eta=eta)
    own = {"timestep_spacing": "leading" if spacing == "karras" else spacing}
    options: dict[str, Any] = {"use_karras_sigmas": True} if spacing == "karras" else {}
    config = {**BETAS, **MORE.get(name, {}), **options, **own, "prediction_type": kind}
    with quiet_libraries():
        scheduler = STOCK[name](**config)
        scheduler.set_timesteps(steps, **({"strength": strength} if few else {}))
    drawing = name not in ("dpm++2m", "unipc")
    random = torch.Generator().manual_seed(5)
    torch.randn(SHAPE, generator=random)
    chosen = {"generator": random} if drawing else {}
    chosen |= {"eta": eta} if name in ("ddim", "tcd") else {}

    sampler = make_sampler(model_of(prediction_type=kind), settings)
    found = ours(sampler, clean_latents(), noises(steps + 1))

    begin = 0 if few else steps - executed_steps(settings)
    if few and strength < 1:
        # The library's pipeline adds noise wherever it begins.
        first = scheduler.add_noise(clean_latents(), noises(1)[0], scheduler.timesteps[:1])
        assert torch.equal(found[0], first)
        begin_with: Tensor | None = first
    else:
        begin_with = None
    wanted = stock_from(scheduler, begin_with, begin, chosen)
    assert sampler.steps.timesteps.tolist() == scheduler.timesteps[begin:].tolist()
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(found, wanted, strict=True))


def stock_from(
    scheduler: Any, first: Tensor | None, begin: int, options: dict[str, Any]
) -> list[Tensor]:
    if first is None:
        return stock(scheduler, clean_latents(), begin, **options)
    record = [first]
    for t in scheduler.timesteps:
        output = network(scheduler.scale_model_input(record[-1], t), float(t))
        record.append(scheduler.step(output, t, record[-1], **options, return_dict=False)[0])
    return record


@pytest.mark.parametrize("name", list(STOCK))
@pytest.mark.parametrize("kind", KINDS)
def test_the_true_output_predicts_the_true_latents_and_noise(name: SamplerKind, kind: str) -> None:
    sampler = make_sampler(
        model_of(prediction_type=kind), settings_of(sampler=name, steps=6, strength=0.7)
    )
    clean, noise = noises(2)
    scheduler: Any = scheduler_from(BETAS, 1)
    first = int(sampler.steps.times[0])
    truths = {
        "epsilon": noise,
        "sample": clean,
        "v_prediction": scheduler.get_velocity(clean, noise, torch.tensor([first])),
    }
    x = sampler.start(clean, noise)

    torch.testing.assert_close(sampler.predicted_x0(truths[kind], x, 0), clean, atol=5e-3, rtol=0)
    torch.testing.assert_close(
        sampler.predicted_noise(truths[kind], x, 0), noise, atol=5e-3, rtol=0
    )


@pytest.mark.parametrize("name", list(STOCK))
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("zero_snr", [False, True])
def test_an_output_can_be_found_for_wanted_latents(
    name: SamplerKind, kind: str, zero_snr: bool
) -> None:
    model = model_of(prediction_type=kind, rescale_betas_zero_snr=zero_snr)
    sampler = make_sampler(model, settings_of(sampler=name, steps=6, strength=0.7))
    x, output = noises(2)
    for k in range(len(sampler.steps)):
        wanted = sampler.predicted_x0(output, x, k) + 0.1

        changed = sampler.output_that_predicts(wanted, x, k)

        torch.testing.assert_close(
            sampler.predicted_x0(changed, x, k), wanted, atol=1e-3, rtol=1e-3
        )


@pytest.mark.parametrize("name", list(STOCK))
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("strength", [0.01, 0.3, 0.5, 0.99, 1.0])
def test_a_network_that_knows_the_picture_leads_to_it_from_any_strength(
    name: SamplerKind, kind: str, strength: float
) -> None:
    model = model_of(prediction_type=kind)
    sampler = make_sampler(model, settings_of(sampler=name, steps=12, strength=strength))
    clean, *drawn = noises(14)
    x = sampler.start(clean, drawn[0])

    for k in range(len(sampler.steps)):
        output = sampler.output_that_predicts(clean, x, k)
        x = sampler.step(output, x, k, drawn[k + 1] if sampler.draws_noise(k) else None)

    # What TCD and LCM leave of the noise of the schedule's very beginning.
    torch.testing.assert_close(x, clean, atol=0.15, rtol=0)


@pytest.mark.parametrize("name", list(STOCK))
def test_the_noise_it_is_given_is_all_the_noise_there_is(name: SamplerKind) -> None:
    settings = settings_of(sampler=name, steps=6, strength=0.6, eta=1.0)
    before = torch.random.get_rng_state()

    one, two = (
        ours(make_sampler(model_of(), settings), clean_latents(), noises(7)) for _ in range(2)
    )
    other = ours(make_sampler(model_of(), settings), clean_latents(), noises(8)[1:])

    assert all(torch.equal(mine, again) for mine, again in zip(one, two, strict=True))
    assert not torch.equal(one[-1], other[-1])
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("name", list(STOCK))
@pytest.mark.parametrize("strength", [0.05, 0.5, 1.0])
@pytest.mark.parametrize("steps", [1, 7, 333])
@pytest.mark.parametrize("spacing", SPACINGS)
def test_there_are_as_many_steps_as_are_told_and_they_descend(
    name: SamplerKind, strength: float, steps: int, spacing: Spacing
) -> None:
    settings = settings_of(sampler=name, steps=steps, strength=strength, spacing=spacing)

    found = make_sampler(model_of(), settings).steps

    assert len(found) == len(found.timesteps) == len(found.levels) == executed_steps(settings)
    assert 0 <= min(found.times) <= max(found.times) <= 999
    assert list(found.times) == sorted(found.times, reverse=True)
    assert 0 <= found.position(0) <= found.position(len(found) - 1) < 1
    assert found.position(0) == pytest.approx(1 - strength, abs=1 / steps)


@pytest.mark.parametrize("name", FEW_STEP_SAMPLERS)
def test_few_steps_begin_lower_instead_of_being_skipped(name: SamplerKind) -> None:
    whole = make_sampler(model_of(), settings_of(sampler=name, steps=4, strength=1.0)).steps
    half = make_sampler(model_of(), settings_of(sampler=name, steps=4, strength=0.5)).steps
    one = make_sampler(model_of(), settings_of(sampler=name, steps=1, strength=0.5)).steps

    assert whole.times == (999, 759, 499, 259)
    assert half.times == (499, 379, 259, 139)
    assert one.times == (499,)
    assert one.skipped > 0


def test_a_schedule_that_ends_in_pure_noise_is_entered_at_its_end() -> None:
    config = {"rescale_betas_zero_snr": True, "prediction_type": "v_prediction"}

    steps = make_sampler(model_of(**config), settings_of(steps=10, strength=1.0)).steps

    assert steps.times[0] == 999
    assert steps.levels[0].signal == 0


@pytest.mark.parametrize("name", list(STOCK))
def test_more_steps_than_the_model_was_trained_with_are_refused(name: SamplerKind) -> None:
    with pytest.raises(InvalidSettings, match="steps: 500 is outside 1 to"):
        make_sampler(model_of(num_train_timesteps=400), settings_of(sampler=name, steps=500))


def test_ddim_leads_to_the_next_timestep_however_these_are_spread() -> None:
    settings = settings_of(sampler="ddim", steps=4, strength=1.0, spacing="linspace")
    sampler = make_sampler(model_of(), settings)
    clean, noise = noises(2)
    x = sampler.start(clean, noise)
    for k in range(3):
        level = sampler.steps.levels[k]
        x = level.noised(clean, noise)

        x = sampler.step(noise, x, k, None)

        wanted = sampler.steps.levels[k + 1].noised(clean, noise)
        torch.testing.assert_close(x, wanted, atol=2e-4, rtol=0)
