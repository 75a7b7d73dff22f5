"""What a run has finished, kept so that it can go on; loads neither torch nor codecs."""

from fresco_engine.checkpoint.folder import Checkpoint, FolderCheckpoint, NoCheckpoint
from fresco_engine.checkpoint.fork import dependent_frames, fork
from fresco_engine.checkpoint.reader import KINDS, PLAN, CheckpointReader, Kind, picture_name
from fresco_engine.checkpoint.scratch import File, ScratchCheckpoint, store_file
from fresco_engine.checkpoint.values import Adjustments, StoredBatch, StoredPlan

__all__ = [
    "KINDS",
    "PLAN",
    "Adjustments",
    "Checkpoint",
    "CheckpointReader",
    "File",
    "FolderCheckpoint",
    "Kind",
    "NoCheckpoint",
    "ScratchCheckpoint",
    "StoredBatch",
    "StoredPlan",
    "dependent_frames",
    "fork",
    "picture_name",
    "store_file",
]
