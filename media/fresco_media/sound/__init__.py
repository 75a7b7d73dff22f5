"""Sound: kept as it is where container and players take it, else encoded, always in sync."""

from fresco_media.sound.choices import Choice, Policy
from fresco_media.sound.part import SoundRange
from fresco_media.sound.passing import DISK_FAULTS, Sound
from fresco_media.sound.playback import played_sound
from fresco_media.sound.rehearsal import SoundTarget
from fresco_media.sound.samples import SampleFormat
from fresco_media.sound.size import sound_bytes_per_s

__all__ = [
    "DISK_FAULTS",
    "Choice",
    "Policy",
    "SampleFormat",
    "Sound",
    "SoundRange",
    "SoundTarget",
    "played_sound",
    "sound_bytes_per_s",
]
