"""A data folder that was moved finds its own files where they are now."""

from __future__ import annotations

from pathlib import Path

from fresco_media.files.state import FileState
from fresco_server.jobs.folders import DataFolder
from fresco_server.jobs.job import JobOrder
from fresco_server.jobs.store import JobStore

CLIP, MASK, REFERENCE = ("a" * 64, "b" * 64, "c" * 64)


def _moved(tmp_path: Path, order: JobOrder) -> tuple[DataFolder, JobOrder]:
    """The order as the next daemon has it, after the folder it was made in was moved."""
    before = DataFolder(tmp_path / "before")
    before.make()
    store = JobStore(before.database)
    store.add("Mine", order, is_urgent=False, most_queued=9)
    store.close()
    before.root.rename(tmp_path / "after")
    after = DataFolder(tmp_path / "after")
    store = JobStore(after.database)
    try:
        return after, store.get("Mine").order
    finally:
        store.close()


def test_what_was_sent_is_where_the_folder_is_now(tmp_path: Path) -> None:
    uploads = DataFolder(tmp_path / "before").uploads
    reference = str(uploads / f"{REFERENCE}.png")
    order = JobOrder(
        clip=str(uploads / f"{CLIP}.mp4"),
        settings={
            "prompt": "ink",
            "subject_mask": str(uploads / f"{MASK}.mkv"),
            "reference": reference,
        },
        upload=CLIP,
        mask_upload=MASK,
        reference_upload=REFERENCE,
        file_states=(FileState(path=reference, size_bytes=1, sample="x", field="reference"),),
    )

    after, found = _moved(tmp_path, order)

    assert found.clip == str(after.uploads / f"{CLIP}.mp4")
    assert found.settings == {
        "prompt": "ink",
        "subject_mask": str(after.uploads / f"{MASK}.mkv"),
        "reference": str(after.uploads / f"{REFERENCE}.png"),
    }
    assert [state.path for state in found.file_states] == [found.settings["reference"]]


def test_a_jobs_own_copies_of_pictures_move_with_it_and_all_else_stays(tmp_path: Path) -> None:
    own = DataFolder(tmp_path / "before").job("Mine") / "painted" / "000003.png"
    foreign = tmp_path / "elsewhere" / "painted" / "000004.png"
    order = JobOrder(
        clip=str(tmp_path / "clips" / "a.mp4"),
        settings={"keyframe_pictures": {"3": str(own), "4": str(foreign)}},
    )

    after, found = _moved(tmp_path, order)

    assert found.clip == order.clip
    assert found.settings["keyframe_pictures"] == {
        "3": str(after.job("Mine") / "painted" / "000003.png"),
        "4": str(foreign),
    }
