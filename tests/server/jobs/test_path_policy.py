"""Paths from outside lead where they may, and tell nothing of what lies elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from fresco_engine.errors import ClipNotFound, ClipUnreadable, ModelNotFound
from fresco_server.errors import BadRequest, ModelUnusable, PathForbidden
from fresco_server.jobs.marker_files import FolderMarker, write_marker
from fresco_server.jobs.path_policy import PathPolicy, check_job_id, is_hub_id, is_network_path
from fresco_server.settings import ServerSettings
from hypothesis import example, given, settings
from hypothesis import strategies as st

REFUSALS = (BadRequest, PathForbidden, ClipNotFound, ClipUnreadable, ModelNotFound, ModelUnusable)
on_posix = pytest.mark.skipif(os.name == "nt", reason="paths and links of POSIX")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with clips, beside a folder with secrets."""
    folder = tmp_path / "root"
    (folder / "shots").mkdir(parents=True)
    for number in range(3):
        (folder / "shots" / f"frame_{number:04d}.png").touch()
    for name in ("clip.mp4", "Ünïcode 'clip' 漢.mov", "weights.safetensors", "old.ckpt"):
        (folder / name).touch()
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "film.mp4").touch()
    (tmp_path / "root2").mkdir()
    (tmp_path / "root2" / "film.mp4").touch()
    return folder


@pytest.fixture
def places(root: Path) -> PathPolicy:
    """What a daemon may read that has one root."""
    return PathPolicy((root,), (root,))


@pytest.mark.parametrize("name", ["clip.mp4", "Ünïcode 'clip' 漢.mov", "shots", "."])
def test_files_and_folders_below_a_root_are_clips(
    places: PathPolicy, root: Path, name: str
) -> None:
    assert places.clip(str(root / name)) == (root / name).resolve()


@pytest.mark.parametrize(
    "pattern", ["frame_%04d.png", "%d.png", "nothing_%05d.exr", "100% %d_%04d.png"]
)
def test_a_pattern_stands_for_what_its_folder_holds(
    places: PathPolicy, root: Path, pattern: str
) -> None:
    assert places.clip(str(root / "shots" / pattern)) == (root / "shots").resolve() / pattern


def test_a_pattern_in_no_folder_is_not_found(places: PathPolicy, root: Path) -> None:
    with pytest.raises(ClipNotFound):
        places.clip(str(root / "nowhere" / "frame_%04d.png"))
    with pytest.raises(ClipUnreadable):
        places.clip(str(root / "clip.mp4" / "frame_%04d.png"))


def test_a_file_with_a_per_cent_sign_is_a_file(places: PathPolicy, root: Path) -> None:
    (root / "100%d.mp4").touch()

    assert places.clip(str(root / "100%d.mp4")).name == "100%d.mp4"


def test_nothing_below_a_root_is_not_found(places: PathPolicy, root: Path) -> None:
    with pytest.raises(ClipNotFound):
        places.clip(str(root / "nothing.mp4"))
    with pytest.raises(ClipNotFound):
        places.clip(str(root / "clip.mp4" / "x"))
    with pytest.raises(ClipNotFound):
        places.clip(str(root / ("x" * 300)))


@pytest.mark.parametrize(
    "wrong",
    ["", "clip.mp4", "./clip.mp4", "~/clip.mp4", "file:///clip.mp4", "\0", "x" * 5000],
    ids=lambda text: text[:20],
)
def test_what_is_no_absolute_path_is_a_bad_request(places: PathPolicy, wrong: str) -> None:
    with pytest.raises(BadRequest, match=r"clip\.path"):
        places.clip(wrong)


@on_posix
@pytest.mark.parametrize("wrong", ["/x\0y", "/" + "x/" * 3000], ids=["NUL", "long"])
def test_an_absolute_path_that_cannot_be_is_a_bad_request(places: PathPolicy, wrong: str) -> None:
    with pytest.raises(BadRequest, match=r"clip\.path"):
        places.clip(wrong)


@pytest.mark.parametrize(
    "outside",
    [
        "secret/film.mp4",
        "secret/nothing.mp4",
        "nowhere/nothing.mp4",
        "root2/film.mp4",
        "root/../secret/film.mp4",
        "root/../secret/nothing.mp4",
        "root/shots/../../secret",
        "secret/%04d.png",
        "root/../%04d.png",
        ".",
        "/etc/passwd",
        "/",
    ],
)
def test_what_lies_outside_is_forbidden_whether_it_exists_or_not(
    places: PathPolicy, tmp_path: Path, outside: str
) -> None:
    with pytest.raises(PathForbidden) as caught:
        places.clip(os.path.join(tmp_path, outside))

    assert "upload" in str(caught.value)


@on_posix
def test_links_are_followed_before_it_is_checked_where_they_lead(
    places: PathPolicy, root: Path, tmp_path: Path
) -> None:
    (root / "out").symlink_to(tmp_path / "secret")
    (root / "out.mp4").symlink_to(tmp_path / "secret" / "film.mp4")
    (root / "dangling.mp4").symlink_to(tmp_path / "secret" / "nothing.mp4")
    (root / "in.mp4").symlink_to(root / "clip.mp4")
    (tmp_path / "way-in").symlink_to(root)

    for name in ("out/film.mp4", "out/nothing.mp4", "out.mp4", "dangling.mp4", "out/%d.png"):
        with pytest.raises(PathForbidden):
            places.clip(str(root / name))
    assert places.clip(str(root / "in.mp4")) == (root / "clip.mp4").resolve()
    assert places.clip(str(tmp_path / "way-in" / "clip.mp4")) == (root / "clip.mp4").resolve()


@on_posix
def test_links_in_circles_lead_nowhere(places: PathPolicy, root: Path) -> None:
    (root / "a").symlink_to(root / "b")
    (root / "b").symlink_to(root / "a")

    with pytest.raises((PathForbidden, ClipNotFound)):
        places.clip(str(root / "a"))
    with pytest.raises(ClipNotFound):
        PathPolicy(None, None).clip(str(root / "a"))


@on_posix
def test_a_root_may_be_a_link_itself(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    places = PathPolicy((tmp_path / "link",), ())

    assert places.clip(str(root / "clip.mp4")) == (root / "clip.mp4").resolve()


@on_posix
def test_pipes_and_devices_are_no_clips(places: PathPolicy, root: Path) -> None:
    os.mkfifo(root / "pipe.mp4")

    with pytest.raises(ClipUnreadable):
        places.clip(str(root / "pipe.mp4"))
    with pytest.raises(ClipUnreadable):
        PathPolicy(None, None).clip("/dev/zero")


def test_without_roots_every_place_is_one(root: Path, tmp_path: Path) -> None:
    places = PathPolicy(None, None)

    assert places.has_file_access
    assert places.clip(str(tmp_path / "secret" / "film.mp4")).name == "film.mp4"
    with pytest.raises(ClipNotFound):
        places.clip(str(tmp_path / "nothing.mp4"))


def test_with_no_root_at_all_nothing_may_be_read(root: Path) -> None:
    places = PathPolicy((), ())

    assert not places.has_file_access
    with pytest.raises(PathForbidden):
        places.clip(str(root / "clip.mp4"))


def test_a_daemon_for_this_machine_may_read_everywhere_and_others_nowhere(tmp_path: Path) -> None:
    local = ServerSettings(data=tmp_path, model_folders=(tmp_path,))
    shared = replace(local, host="0.0.0.0")
    rooted = replace(shared, roots=(tmp_path / "clips",))

    assert PathPolicy.of(local) == PathPolicy(None, None, tmp_path, (tmp_path,))
    assert PathPolicy.of(shared) == PathPolicy((), (tmp_path,), tmp_path, (tmp_path,))
    clips = tmp_path / "clips"
    assert PathPolicy.of(rooted) == PathPolicy((clips,), (clips, tmp_path), tmp_path, (tmp_path,))


@pytest.mark.parametrize(
    ("text", "system", "is_one"),
    [
        (r"\\server\share\clip.mp4", "nt", True),
        ("//server/share/clip.mp4", "nt", True),
        (r"\\?\C:\clip.mp4", "nt", True),
        (r"\\.\PhysicalDrive0", "nt", True),
        (r"C:\clip.mp4", "nt", False),
        ("//server/share/clip.mp4", "posix", False),
    ],
)
def test_network_paths_are_known_by_their_form(text: str, system: str, is_one: bool) -> None:
    assert is_network_path(text, system) == is_one


def test_models_are_folders_safetensors_files_or_hub_ids(places: PathPolicy, root: Path) -> None:
    assert places.model("") is None
    assert places.model("owner/name-1.5") == "owner/name-1.5"
    assert places.model(str(root / "shots")) == str((root / "shots").resolve())
    weights = str((root / "weights.safetensors").resolve())
    assert places.model(str(root / "weights.safetensors")) == weights
    assert places.lora(str(root / "weights.safetensors")) == weights


@pytest.mark.parametrize("name", ["a.ckpt", "a.pt", "a.pth", "a.bin", "a.PKL", "a.mp4", "a"])
def test_weights_that_can_hold_programs_are_never_loaded(
    places: PathPolicy, root: Path, name: str
) -> None:
    (root / name).touch()

    with pytest.raises(ModelUnusable):
        places.model(str(root / name))
    with pytest.raises(ModelUnusable):
        places.lora(str(root / name))


def test_a_lora_is_one_file(places: PathPolicy, root: Path) -> None:
    with pytest.raises(ModelUnusable):
        places.lora(str(root / "shots"))
    with pytest.raises(BadRequest):
        places.lora("owner/name")
    with pytest.raises(BadRequest):
        places.lora("")


def test_weights_of_a_flow_are_one_file_below_a_root(
    places: PathPolicy, root: Path, tmp_path: Path
) -> None:
    (root / "gmflow.pth").touch()
    (root / "link.pth").symlink_to(root / "gmflow.pth")
    real = (root / "gmflow.pth").resolve()

    assert places.flow("dis") == "dis"
    assert places.flow("gmflow") == "gmflow"
    assert places.flow(f"gmflow:{root / 'gmflow.pth'}") == f"gmflow:{real}"
    assert places.flow(f"gmflow:{root / 'link.pth'}") == f"gmflow:{real}"
    with pytest.raises(BadRequest, match=r"settings\.flow: 'gmflow\.pth' is not an absolute path"):
        places.flow("gmflow:gmflow.pth")
    with pytest.raises(ModelUnusable, match=r"not a \.safetensors or \.pth file"):
        places.flow(f"gmflow:{root / 'old.ckpt'}")
    with pytest.raises(ModelUnusable, match=r"not a \.safetensors or \.pth file"):
        places.flow(f"gmflow:{root / 'shots'}")
    with pytest.raises(ModelNotFound):
        places.flow(f"gmflow:{root / 'nothing.pth'}")
    for outside in ("secret/gmflow.pth", "secret/film.mp4", "root/../secret"):
        with pytest.raises(PathForbidden):
            places.flow(f"gmflow:{tmp_path / outside}")


def test_models_outside_the_roots_are_forbidden_or_not_found_inside(
    places: PathPolicy, root: Path, tmp_path: Path
) -> None:
    with pytest.raises(PathForbidden):
        places.model(str(tmp_path / "secret"))
    with pytest.raises(PathForbidden):
        places.model(str(tmp_path / "nowhere"))
    with pytest.raises(ModelNotFound):
        places.model(str(root / "nowhere"))


def test_a_folder_of_models_is_a_place_for_models_only(root: Path, tmp_path: Path) -> None:
    places = PathPolicy((root,), (root, tmp_path / "secret"))

    assert places.model(str(tmp_path / "secret")) is not None
    with pytest.raises(PathForbidden):
        places.clip(str(tmp_path / "secret" / "film.mp4"))


@pytest.mark.parametrize(
    "text",
    [
        *("name", "a/b/c", "../b", "a/..", ".a/b", "a/.b", "a/b.", "a/b--c", "a..b/c", "a/b.git"),
        *("a b/c", "ä/b", "a/b\n", "/a/b", "a/" + "b" * 97, "a//b", "~/x", "C:/x"),
    ],
)
def test_what_is_no_hub_id_is_not_taken_for_one(text: str) -> None:
    assert not is_hub_id(text)


@pytest.mark.parametrize("text", ["a/b", "stable-diffusion-v1-5/stable-diffusion-v1-5", "A1/b_c.d"])
def test_hub_ids_are_known_by_their_form(text: str) -> None:
    assert is_hub_id(text)


@pytest.mark.parametrize("text", ["x", "A-z_0", "9" * 64])
def test_job_ids_are_known_by_their_form(text: str) -> None:
    assert check_job_id(text) == text


@pytest.mark.parametrize("text", ["", "x" * 65, "a b", "a/b", "..", "a\n", "é", "a.b", "\0"])
def test_what_is_no_job_id_is_a_bad_request(text: str) -> None:
    with pytest.raises(BadRequest, match="new_job_id"):
        check_job_id(text, "new_job_id")


@settings(deadline=None)
@given(st.lists(st.sampled_from(["..", ".", "shots", "secret", "root", "%d", "", "~", "x"])))
@example([".."] * 50)
def test_no_path_leads_out_of_a_root(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str]
) -> None:
    base = tmp_path_factory.getbasetemp() / "tree"
    (base / "root" / "shots").mkdir(parents=True, exist_ok=True)
    (base / "secret").mkdir(exist_ok=True)
    root = (base / "root").resolve()

    try:
        found = PathPolicy((root,), (root,)).clip(os.path.join(root, *parts))
    except (PathForbidden, ClipNotFound, ClipUnreadable):
        return
    assert found.is_relative_to(root)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_no_text_does_anything_but_lead_somewhere_or_be_refused(text: str) -> None:
    places = PathPolicy((Path(sys.prefix),), (Path(sys.prefix),))

    for resolve in (places.clip, places.model, places.lora):
        for path in (text, f"/{text}", f"{sys.prefix}/{text}"):
            with suppress(*REFUSALS):
                resolve(path)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A data folder with what the daemon keeps there and what a plugin does."""
    data = tmp_path / "data"
    for name in ("jobs/3f2a/keyframes", "uploads", "looks", "resolve/renders"):
        (data / name).mkdir(parents=True)
    for name in ("jobs.sqlite3", "jobs.sqlite3-wal", "token", "jobs/3f2a/result.mp4", "uploads/x"):
        (data / name).touch()
    (data / "resolve" / "renders" / "clip.mov").touch()
    return data


@pytest.mark.parametrize("roots", [None, (Path("/"),)], ids=["everywhere", "root is all"])
@pytest.mark.parametrize(
    "name",
    [
        "jobs.sqlite3",
        "jobs.sqlite3-wal",
        "token",
        "daemon.json",
        "jobs/3f2a/result.mp4",
        "jobs/3f2a/keyframes/%06d.png",
        "jobs",
        "uploads/x",
        "looks/../token",
        ".",
    ],
)
def test_what_the_daemon_keeps_is_neither_clip_nor_picture_nor_model(
    kept: Path, roots: tuple[Path, ...] | None, name: str
) -> None:
    places = PathPolicy.of(ServerSettings(data=kept, roots=roots))

    for ask in (places.clip, lambda text: places.picture(text, "p"), places.model):
        with pytest.raises(PathForbidden, match="the daemon's own"):
            ask(str(kept / name))


@on_posix
def test_the_list_of_jobs_is_no_clip_under_other_names(kept: Path, tmp_path: Path) -> None:
    os.link(kept / "jobs.sqlite3", tmp_path / "hard.mp4")
    (tmp_path / "soft.mp4").symlink_to(kept / "jobs.sqlite3")
    (tmp_path / "link").symlink_to(kept)
    places = PathPolicy.of(ServerSettings(data=tmp_path / "link"))

    for name in ("hard.mp4", "soft.mp4", "link/jobs.sqlite3", "data/jobs.sqlite3"):
        with pytest.raises(PathForbidden, match="the daemon's own"):
            places.clip(str(tmp_path / name))


@pytest.fixture
def mounted(kept: Path, tmp_path: Path) -> Iterator[Callable[[Path], Path]]:
    """Has a folder a second time at another place."""
    place = tmp_path / "mounted"
    place.mkdir()

    def mount(folder: Path) -> Path:
        done = subprocess.run(["mount", "--bind", folder, place], capture_output=True, check=False)
        if done.returncode:
            pytest.skip("only root may mount, on a system that can")
        return place

    yield mount
    subprocess.run(["umount", place], capture_output=True, check=False)


@pytest.mark.skipif(not shutil.which("mount"), reason="this system mounts in another way")
@pytest.mark.parametrize(
    ("folder", "name"),
    [
        (".", "jobs/3f2a/result.mp4"),
        ("jobs", "3f2a/result.mp4"),
        ("uploads", "x"),
        ("jobs/3f2a", "result.mp4"),
    ],
)
def test_what_the_daemon_keeps_is_no_clip_where_it_is_mounted_again(
    kept: Path, mounted: Callable[[Path], Path], folder: str, name: str
) -> None:
    write_marker(kept / "jobs" / "3f2a", FolderMarker("0" * 16, "3f2a"))
    places = PathPolicy(None, None, kept)
    place = mounted(kept / folder)

    with pytest.raises(PathForbidden, match="is the daemon's own"):
        places.clip(str(place / name))


def test_a_copy_of_a_job_is_a_place_for_clips(kept: Path, tmp_path: Path) -> None:
    write_marker(kept / "jobs" / "3f2a", FolderMarker("0" * 16, "3f2a"))
    shutil.copytree(kept / "jobs" / "3f2a", tmp_path / "copy")
    clip = tmp_path / "copy" / "result.mp4"

    assert PathPolicy(None, None, kept).clip(str(clip)) == clip.resolve()


def test_what_a_plugin_keeps_in_the_data_folder_is_a_clip(kept: Path) -> None:
    clip = kept / "resolve" / "renders" / "clip.mov"

    assert PathPolicy.of(ServerSettings(data=kept)).clip(str(clip)) == clip.resolve()
