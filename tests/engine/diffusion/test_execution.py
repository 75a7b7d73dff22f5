"""Networks kept in 8 bits, or compiled: what comes out, and what stays the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fresco_engine.diffusion import execution
from fresco_engine.diffusion.execution import AS_IT_IS, ExecutionChoice
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import load_model
from fresco_engine.errors import InvalidSettings
from fresco_engine.looks import look
from fresco_engine.settings import AttentionSettings
from torch import nn
from torch._dynamo.testing import CompileCounter
from torch._inductor import cpp_builder

from tests.engine.conftest import MakeClip
from tests.engine.runs import SETTINGS
from tests.fakes.tiny_models import write_model_folder

IN_8_BITS = ExecutionChoice(weights="float8")
COMPILED = ExecutionChoice(is_compiled=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model_folder(tmp_path_factory.mktemp("models") / "tiny", vae="tiny")


@pytest.fixture
def load(folder: Path) -> Callable[..., Model]:
    def load(choice: ExecutionChoice = AS_IT_IS) -> Model:
        return load_model(
            folder, control="tile", control_source=folder / "controlnet", execution=choice
        )

    return load


def networks(model: Model) -> tuple[Any, ...]:
    return (model.unet, *(one.network for one in model.controls))


def bytes_of(network: nn.Module) -> int:
    return sum(one.numel() * one.element_size() for one in network.parameters())


def test_in_8_bits_a_look_is_that_of_weights_rounded_so(
    load: Callable[..., Model], make_clip: MakeClip
) -> None:
    clip, kept, rounded = make_clip(3), load(IN_8_BITS), load()
    for network in networks(rounded):
        for name, module in network.named_modules():
            if isinstance(module, nn.Linear | nn.Conv2d) and "norm" not in name:
                for values in module.parameters():
                    values.copy_(values.to(torch.float8_e4m3fn).to(values.dtype))

    shown = look(clip, 1, SETTINGS, kept)

    np.testing.assert_array_equal(shown, look(clip, 1, SETTINGS, rounded))
    assert not np.array_equal(shown, look(clip, 1, SETTINGS, load()))
    for small, whole in zip(networks(kept), networks(rounded), strict=True):
        assert bytes_of(small) < 0.3 * bytes_of(whole)


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> Iterator[CompileCounter]:
    """Compiles nothing really, and counts what would be."""
    counter = CompileCounter()
    monkeypatch.setattr(execution, "_BACKEND", counter)
    torch._dynamo.reset()
    yield counter
    torch._dynamo.reset()


def test_compiled_once_and_the_pictures_are_the_same(
    folder: Path, make_clip: MakeClip, counter: CompileCounter
) -> None:
    clip = make_clip(3)
    plain, compiled = (
        load_model(folder, control="none", execution=one) for one in (AS_IT_IS, COMPILED)
    )
    chosen = replace(SETTINGS, control="none")
    weaker = replace(chosen, attention=AttentionSettings(spatial_scale=0.5), strength=0.5, seed=9)

    assert np.array_equal(look(clip, 1, chosen, compiled), look(clip, 1, chosen, plain))
    once = counter.frame_count
    assert np.array_equal(look(clip, 2, weaker, compiled), look(clip, 2, weaker, plain))

    assert 0 < once == counter.frame_count


def test_where_nothing_can_compile_it_says_so(
    load: Callable[..., Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch._inductor.config.cpp, "cxx", ("no-such-compiler",))
    cpp_builder.cpp_compiler_search.cache_clear()

    with pytest.raises(InvalidSettings, match=r"no C\+\+ compiler.* turn it off") as raised:
        load(COMPILED)

    assert raised.value.field == "compile"


def test_settings_choose_it() -> None:
    chosen = replace(SETTINGS, weights="float8", compile=True).as_dict()

    assert ExecutionChoice.of(chosen) == ExecutionChoice("float8", is_compiled=True)
    assert ExecutionChoice.of(SETTINGS.as_dict()) == AS_IT_IS
    assert ExecutionChoice.of({}) == AS_IT_IS
