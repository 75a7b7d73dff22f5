"""The engine's values as clients have them, and what clients choose as the engine takes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import fresco_client as client
from fresco.v1 import settings_pb2
from fresco_client.errors import error_of_status
from fresco_client.messages import message_of
from fresco_engine.errors import FrescoError

from fresco_server.errors import reason_of
from fresco_server.rpc.messages.settings import restyle_settings
from fresco_server.rpc.messages.style_pictures import style_picture

if TYPE_CHECKING:
    from fresco_engine.diffusion.catalogue import ModelEntry
    from fresco_engine.settings import RestyleSettings
    from fresco_engine.types import LookedFrame
    from fresco_media.clip import Clip
    from fresco_media.types import Image, Matte


def engine_settings(settings: client.RestyleSettings) -> RestyleSettings:
    """What a daemon makes of what a client chooses.

    Raises:
        InvalidSettings: a value is out of range or the prompt is missing.
    """
    # Files may have names that are not UTF-8, as texts of messages are.
    names = {index: str(index) for index in settings.keyframe_pictures}
    files = dict.fromkeys(("subject_mask", "reference", "reference_model"))
    sent = replace(settings, keyframe_pictures=names, flow=None, **files)
    chosen = restyle_settings(message_of(sent, settings_pb2.RestyleSettings))
    pictures, flow = dict(settings.keyframe_pictures), settings.flow or chosen.flow
    files = {name: getattr(settings, name) for name in files}
    return replace(chosen, keyframe_pictures=pictures, flow=flow, **files)


def clip_info(clip: Clip) -> client.ClipInfo:
    """What is known of a clip."""
    from fresco_server.worker.media import describe

    values = describe(clip)
    values["warnings"] = tuple(values["warnings"])
    values |= {name: Fraction(values[name]) for name in ("frame_rate", "duration")}
    return client.ClipInfo(**values)


def picture(
    image: Image, options: client.PictureOptions | None, matte: Matte | None = None
) -> client.Picture:
    """An encoded picture, in its own size; as opaque as `matte` says where that is wanted."""
    from fresco_media.colour.alpha import divided
    from fresco_media.colour.scaling import JPEG_SIDE, at_most
    from fresco_media.stills.images import encode_image
    from fresco_media.stills.png import encode_png

    options = options or client.PictureOptions()
    encoding = options.encoding or "jpeg"
    if encoding == "jpeg":
        image = at_most(image, JPEG_SIDE)
    height, width = image.shape[:2]
    if matte is not None and options.has_alpha and encoding == "png":
        data = encode_png(divided(image, matte))
    else:
        data = encode_image(image, f".{encoding}")
    return client.Picture(encoding=encoding, width=width, height=height, data=data)


def looked_picture(
    looked: LookedFrame, options: client.PictureOptions | None
) -> client.LookedPicture:
    """A frame restyled, with where it is changed."""
    from fresco_media.stills.mask_picture import white_on_black

    region = looked.region
    lossless = client.PictureOptions(encoding="png")
    return client.LookedPicture(
        **vars(picture(looked.image, options, looked.matte)),
        region=None if region is None else picture(white_on_black(region), lossless),
    )


def model(entry: ModelEntry) -> client.Model:
    """A model of the catalogue; the place of the bundled one is nobody's affair."""
    values = asdict(entry)
    del values["defaults"], values["knows_only_styles"]  # `resolved` tells what comes of them
    values["state"] = entry.state.value
    values["styles"] = tuple(
        client.Style(**{**style, "picture": style_picture(style["picture"])})
        for style in values["styles"]
    )
    values["problem"] = entry.problem or ""
    if values["state"] == "bundled":
        values["source"] = ""
    return client.Model(**values, loaded_on=())


def failure(error: FrescoError) -> client.Failure:
    """Why a job failed; it cannot go on, as nothing of it is kept."""
    return client.Failure(
        reason=reason_of(type(error).__name__),
        message=str(error),
        field=error.field,
        remedy=error.remedy_code,
    )


@contextmanager
def refusing() -> Iterator[None]:
    """The engine's errors inside are outside those that a daemon would answer with."""
    try:
        yield
    except FrescoError as error:
        from fresco_server.rpc.status import status_of

        status = status_of(error)
        assert status is not None
        raise error_of_status(
            cast(int, status.code.value[0]),
            str(error),
            status.reason,
            "",
            status.field,
            status.remedy,
        ) from error
