"""The files that an order names beside its clip and mask: what they were, and whether they are."""

from __future__ import annotations

from fresco_engine.diffusion.named_files import ModelPlaces, named_files
from fresco_media.files.state import FileState, states_of

from fresco_server.jobs.job import JobOrder, ModelOrder
from fresco_server.jobs.messages import NamingFiles


def places_of(model: ModelOrder) -> ModelPlaces:
    """What names a model, as the engine knows it."""
    return ModelPlaces(
        source=model.source,
        control_source=model.control_source,
        vae=model.vae,
        loras=tuple(path for path, _ in model.loras),
        folders=model.folders,
    )


def file_states(naming: NamingFiles) -> tuple[FileState, ...]:
    """The states of all files that are named, as far as they can be read."""
    files = named_files(places_of(naming.model), naming.settings)
    return states_of((file.field, file.path) for file in files)


def check_files(order: JobOrder) -> None:
    """Raises `FileChanged` if one of a job's files is not what it was when that was made."""
    for state in order.file_states:
        state.check()
