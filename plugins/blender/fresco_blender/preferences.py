"""The add-on's preferences."""

# No `from __future__ import annotations`: Blender reads these annotations as values.

from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty

from . import language
from .core.daemon_config import DaemonConfig
from .drawing import draw_prop


class FrescoPreferences(bpy.types.AddonPreferences):
    """Which daemon to use, and where results go."""

    bl_idname = __package__

    output_folder: StringProperty(
        name="Results",
        description="Folder for results; empty: a folder 'fresco' beside the .blend file",
        subtype="DIR_PATH",
    )
    starts_daemon: BoolProperty(
        name="Start the daemon when it is needed",
        description="Look and Restyle start this machine's daemon if none runs; it ends by itself",
        default=True,
    )
    program: StringProperty(
        name="Command",
        description="What starts Fresco, such as /home/me/fresco/.venv/bin/fresco; empty: found "
        "by itself once Fresco has run on this machine",
        subtype="FILE_PATH",
    )
    data: StringProperty(
        name="Data folder",
        description="Of this machine's daemon; empty: the usual one",
        subtype="DIR_PATH",
    )
    address: StringProperty(
        name="Address",
        description="HOST:PORT of a daemon on another machine; empty: this machine's",
    )
    token: StringProperty(
        name="Token",
        description="What 'fresco serve' on the other machine printed or wrote",
        subtype="PASSWORD",
    )
    certificate: StringProperty(
        name="Certificate",
        description="The other daemon's certificate, a .pem file",
        subtype="FILE_PATH",
    )

    def draw(self, _context):
        """Draw them."""
        layout = self.layout
        layout.use_property_split = True
        draw_prop(layout, self, "output_folder")
        box = layout.box()
        box.label(text="Daemon on this machine", translate=False)
        draw_prop(box, self, "starts_daemon")
        draw_prop(box, self, "program")
        draw_prop(box, self, "data")
        box = layout.box()
        box.label(text="Daemon on another machine", translate=False)
        draw_prop(box, self, "address")
        draw_prop(box, self, "token")
        draw_prop(box, self, "certificate")
        layout.operator("fresco.connect", text="Test Connection", icon="LINKED")


def preferences() -> Any:
    """The preferences; the defaults where the add-on was registered by hand, as a script."""
    addon = bpy.context.preferences.addons.get(__package__)
    return addon.preferences if addon else _Defaults()


class _Defaults:
    output_folder = program = data = address = token = certificate = ""
    starts_daemon = True


def daemon_config() -> DaemonConfig:
    """The daemon the preferences name."""
    chosen = preferences()
    return DaemonConfig(
        data=bpy.path.abspath(chosen.data),
        program=chosen.program,
        address=chosen.address.strip(),
        token=chosen.token.strip(),
        certificate=bpy.path.abspath(chosen.certificate),
        starts_daemon=chosen.starts_daemon,
        is_online_allowed=getattr(bpy.app, "online_access", True),
    )


language.plain((FrescoPreferences,))
register, unregister = bpy.utils.register_classes_factory((FrescoPreferences,))
