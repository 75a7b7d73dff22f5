"""What is put on disk, and what of it goes away again."""

from __future__ import annotations

from pathlib import Path

from fresco_blender.core import files
from fresco_client.files import write_whole

JOB = "0123456789abcdef"


def test_only_results_stay_of_a_job_that_is_over(tmp_path: Path) -> None:
    pictures = [files.frame_file(tmp_path, JOB, number) for number in range(2)]
    movie = files.result_file(tmp_path, "shot", JOB, "mp4")
    rendered = files.rendered_folder(tmp_path, JOB) / "f_000001.png"
    for path in (*pictures, movie, rendered, files.keyframe_file(tmp_path, JOB, 7)):
        write_whole(path, b"x")

    files.remove_work(tmp_path, JOB)

    left = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {*pictures, movie}


def test_nothing_stays_of_a_job_that_made_nothing(tmp_path: Path) -> None:
    write_whole(files.rendered_movie(tmp_path, JOB), b"x")

    files.remove_work(tmp_path, JOB)
    files.remove_work(tmp_path, JOB)

    assert list(tmp_path.iterdir()) == []
