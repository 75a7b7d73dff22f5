"""ModelService."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import grpc
from fresco.v1 import models_pb2, models_pb2_grpc, settings_pb2
from fresco_engine.doubts import called_styles, look_doubts, settings_doubts
from fresco_engine.settings import ModelDefaults, Style, resolve

from fresco_server.errors import BadRequest, ShuttingDown
from fresco_server.jobs.job import Values
from fresco_server.jobs.path_policy import PathPolicy, is_hub_id
from fresco_server.rpc.messages.basics import message_of
from fresco_server.rpc.messages.settings import restyle_settings
from fresco_server.rpc.messages.style_pictures import style_picture
from fresco_server.settings import MESSAGE_BYTES

if TYPE_CHECKING:
    from fresco_server.jobs.service import Jobs

_LOGGER = logging.getLogger(__name__)
_LIST_BYTES = MESSAGE_BYTES - (1 << 16)
"""What a list of models may take, so that it can be received."""


class ModelServicer(models_pb2_grpc.ModelServiceServicer):
    """Models on this machine and known ones on the hub."""

    def __init__(self, jobs: Jobs, path_policy: PathPolicy) -> None:
        self._jobs = jobs
        self._path_policy = path_policy

    def ListModels(  # noqa: N802
        self, request: models_pb2.ListModelsRequest, context: grpc.ServicerContext
    ) -> models_pb2.ListModelsResponse:
        """All models, the bundled one first."""
        loaded = [
            (device.model_source or "", device.id)
            for device in self._jobs.devices()
            if device.has_model
        ]
        models = [_model(values, loaded) for values in self._jobs.list_models()]
        return models_pb2.ListModelsResponse(models=_within(models, _LIST_BYTES))

    def ResolveSettings(  # noqa: N802
        self, request: models_pb2.ResolveSettingsRequest, context: grpc.ServicerContext
    ) -> models_pb2.ResolveSettingsResponse:
        """What a restyle with these settings would use."""
        chosen = restyle_settings(request.settings)
        source = self._path_policy.model(request.source, "source")
        model = next((one for one in self._jobs.list_models() if _source(one) == source), {})
        styles = [Style(**style) for style in model.get("styles", ())]
        resolved = resolve(chosen, ModelDefaults(**model.get("defaults", {})), styles)
        doubts = [*settings_doubts(resolved)]
        if model.get("knows_only_styles"):
            doubts += look_doubts(chosen, styles)
        return models_pb2.ResolveSettingsResponse(
            settings=message_of(resolved.as_dict(), settings_pb2.RestyleSettings),
            doubts=doubts,
            called_styles=called_styles(chosen.prompt, styles),
        )

    def PullModel(  # noqa: N802
        self, request: models_pb2.PullModelRequest, context: grpc.ServicerContext
    ) -> Iterator[models_pb2.PullModelResponse]:
        """Downloads a model from the hub."""
        if not is_hub_id(request.source):
            raise BadRequest("source", "it is not the id of a model on the hub, such as owner/name")
        if self._jobs.is_closing:
            raise ShuttingDown
        with closing(self._jobs.pull(request.source)) as steps:
            for step in steps:
                if not context.is_active():
                    return
                if self._jobs.is_closing:
                    raise ShuttingDown
                yield message_of(step, models_pb2.PullModelResponse)

    def LoadModel(  # noqa: N802
        self, request: models_pb2.LoadModelRequest, context: grpc.ServicerContext
    ) -> models_pb2.LoadModelResponse:
        """Loads a model onto a device ahead of its first use."""
        source = self._path_policy.model(request.source, "source")
        self._jobs.load(source, request.device, context.is_active)
        _LOGGER.info("loaded %s", source or "the bundled model")
        return models_pb2.LoadModelResponse()

    def UnloadModel(  # noqa: N802
        self, request: models_pb2.UnloadModelRequest, context: grpc.ServicerContext
    ) -> models_pb2.UnloadModelResponse:
        """Frees a device's memory."""
        self._jobs.unload(request.device)
        return models_pb2.UnloadModelResponse()


def _within(models: list[models_pb2.Model], most_bytes: int) -> list[models_pb2.Model]:
    """As many models as can be sent at once, the last ones without the pictures of their styles."""
    size = sum(model.ByteSize() + 8 for model in models)
    for model in reversed(models):
        if size <= most_bytes:
            return models
        size -= model.ByteSize()
        for style in model.styles:
            style.ClearField("picture")
        size += model.ByteSize()
    kept: list[models_pb2.Model] = []
    for model in models:
        most_bytes -= model.ByteSize() + 8
        if most_bytes < 0:
            _LOGGER.warning("only %d of %d models can be listed", len(kept), len(models))
            break
        kept.append(model)
    return kept


def _source(values: Values) -> str | None:
    """As orders name it: None for the bundled model, whose place is the daemon's own affair."""
    return None if values["state"] == "bundled" else values["source"]


def _model(values: Values, loaded: list[tuple[str, str]]) -> models_pb2.Model:
    source = _source(values) or ""
    loaded_on = [device for model, device in loaded if model == source]
    styles = [{**style, "picture": style_picture(style["picture"])} for style in values["styles"]]
    values = {**values, "styles": styles}
    return message_of(values, models_pb2.Model, source=source, loaded_on=loaded_on)
