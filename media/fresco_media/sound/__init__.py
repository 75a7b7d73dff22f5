"""Sound: kept as it is where container and players take it, else encoded, always in sync."""

from fresco_media.sound.choices import Policy, TrackEncoding
from fresco_media.sound.part import SoundRange
from fresco_media.sound.passthrough import DISK_FAULTS, SoundPassthrough
from fresco_media.sound.playback import played_sound
from fresco_media.sound.rehearsal import SoundTarget
from fresco_media.sound.samples import SampleFormat
from fresco_media.sound.size import sound_bytes_per_s

__all__ = [
    "DISK_FAULTS",
    "Policy",
    "SampleFormat",
    "SoundPassthrough",
    "SoundRange",
    "SoundTarget",
    "TrackEncoding",
    "played_sound",
    "sound_bytes_per_s",
]
