"""What the daemon says of itself is what it does."""

from __future__ import annotations

import json
import math
import os
from typing import Any

import pytest
from fakes.caller import Caller
from fakes.jobs import FakeJobs
from fresco.v1 import server_pb2, settings_pb2
from fresco_engine.settings import CONTROL_KINDS, PRESETS, RestyleSettings, chosen_settings
from fresco_server.rpc.parameters import capabilities
from fresco_server.rpc.version import API_MAJOR, API_MINOR
from fresco_server.settings import CHUNK_BYTES, MESSAGE_BYTES
from fresco_settings import InvalidSettings, nested

BESIDE: dict[str, dict[str, Any]] = {
    "start": {"stop": None},
    "keyframe_min": {"keyframe_max": 10**6},
    "keyframe_max": {"keyframe_min": 1},
    "canny_low": {"canny_high": 2040},
    "canny_high": {"canny_low": 0},
    "smoothing.start": {"smoothing.stop": 1},
    "smoothing.stop": {"smoothing.start": 0},
}
"""Others that must give way so that the whole range can be chosen."""
NUMBERS = [parameter for parameter in capabilities() if parameter.HasField("maximum")]


def accepts(name: str, value: Any) -> bool:
    """Whether the engine takes `value` for the setting `name`."""
    values = {"prompt": "any", **BESIDE.get(name, {}), name: value}
    try:
        chosen_settings(nested(values))
    except InvalidSettings:
        return False
    return True


def test_a_server_tells_what_it_is(caller: Caller, jobs: FakeJobs) -> None:
    jobs.put("x")

    answer = caller.server.GetServer(server_pb2.GetServerRequest())

    assert (answer.api_major, answer.api_minor) == (API_MAJOR, API_MINOR)
    assert answer.version
    assert answer.process_id == os.getpid()
    assert (answer.open_jobs, answer.free_disk_bytes) == (1, 1 << 40)
    assert (answer.devices[0].id, answer.devices[0].has_model) == ("cpu", True)
    assert answer.devices[0].state == server_pb2.DEVICE_STATE_READY
    assert answer.limits.streams == jobs.settings.limits.streams
    assert (answer.limits.message_bytes, answer.limits.chunk_bytes) == (MESSAGE_BYTES, CHUNK_BYTES)
    assert list(answer.capabilities.presets) == list(PRESETS)
    assert list(answer.capabilities.controls) == list(CONTROL_KINDS)
    assert list(answer.capabilities.outputs) == ["h264", "lossless", "frames"]
    assert answer.capabilities.has_file_access
    assert len(answer.capabilities.parameters) == len(capabilities())


def test_every_call_counts_as_a_sign_of_life_but_health_checks(
    caller: Caller, jobs: FakeJobs
) -> None:
    from grpc_health.v1 import health_pb2

    caller.health.Check(health_pb2.HealthCheckRequest())
    before = jobs.touches
    caller.server.GetServer(server_pb2.GetServerRequest())

    assert (before, jobs.touches) == (0, 1)


def _paths(descriptor: Any, prefix: str = "") -> set[str]:
    paths: set[str] = set()
    for field in descriptor.fields:
        if field.message_type is None and not field.is_repeated:
            paths.add(prefix + field.name)
        elif not field.is_repeated:
            paths |= _paths(field.message_type, f"{field.name}.")
    return paths


def test_every_setting_is_described_once() -> None:
    names = [parameter.name for parameter in capabilities()]

    assert len(set(names)) == len(names)
    assert set(names) == _paths(settings_pb2.RestyleSettings.DESCRIPTOR)


@pytest.mark.parametrize("parameter", capabilities(), ids=lambda parameter: parameter.name)
def test_a_setting_is_described_in_one_line(parameter: server_pb2.Parameter) -> None:
    assert 0 < len(parameter.description) <= 70
    assert "\n" not in parameter.description
    assert parameter.kind != server_pb2.PARAMETER_KIND_UNSPECIFIED


def test_defaults_are_the_engines() -> None:
    defaults = RestyleSettings(prompt="x").as_dict()

    for parameter in capabilities():
        if parameter.name in ("prompt", "preset"):
            continue
        value: Any = defaults
        for part in parameter.name.split("."):
            value = value[part]
        announced = json.loads(parameter.default_json) if parameter.default_json else None
        assert announced == value, parameter.name


@pytest.mark.parametrize("parameter", NUMBERS, ids=lambda parameter: parameter.name)
def test_the_announced_range_is_the_enforced_one(parameter: server_pb2.Parameter) -> None:
    name = parameter.name
    is_whole = parameter.kind == server_pb2.PARAMETER_KIND_INTEGER
    low, high = parameter.minimum, parameter.maximum
    step = 1 if is_whole else 1e-6

    def is_accepted(value: float) -> bool:
        return accepts(name, int(value) if is_whole else value)

    assert low < high
    assert is_accepted(low)
    assert is_accepted(high)
    # Nothing above 0 is too little to be allowed, so 0.01 is announced.
    assert not is_accepted(0.0 if name == "strength" else low - step)
    is_bound_by_its_type = high in (2**31 - 1, math.nextafter(2**63, 0))
    assert is_bound_by_its_type or not is_accepted(high + step)


def test_ranges_are_those_the_contract_documents() -> None:
    ranges = {parameter.name: (parameter.minimum, parameter.maximum) for parameter in NUMBERS}

    assert ranges["steps"] == (1, 1000)
    assert ranges["size"] == (64, 2048)
    assert ranges["attention.spatial_scale"] == (0.1, 100)
    assert ranges["optimisation.spatial_weight"] == (0, 1_000_000)
    assert ranges["keyframe_min"] == (1, 1000)
    assert ranges["smoothing.stop"] == (0, 1)


@pytest.mark.parametrize("name", ["control", "preset"])
def test_choices_are_all_accepted(name: str) -> None:
    parameter = next(one for one in capabilities() if one.name == name)

    is_open = name == "control"
    kinds = server_pb2.PARAMETER_KIND_CHOICE, server_pb2.PARAMETER_KIND_TEXT
    assert parameter.kind == kinds[is_open]
    for choice in parameter.choices:
        assert name == "preset" or accepts(name, choice)
