"""Names and numbers as people have them, from the outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fresco_media.clip import Clip
from fresco_media.stills.images import write_image
from fresco_server.jobs.folders import DataFolder

from tests.cli.conftest import Fresco
from tests.fakes.engine import FakeEngine
from tests.fakes.permissions import closed_to_us

NOT_UTF8 = os.fsdecode(b"\xff\xe9 100%\n") if sys.platform == "linux" else "\u00ff\u00e9 100%"


@pytest.fixture
def keys(clip: Path, tmp_path: Path) -> Path:
    """A painted frame, named like a saved keyframe."""
    folder = tmp_path / "keys"
    folder.mkdir()
    write_image(folder / "000002.png", next(Clip.open(clip).frames_at([2])).image)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", ["hardlink_to", "symlink_to"])
def test_no_command_replaces_its_clip_under_another_name(
    fresco: Fresco, clip: Path, keys: Path, tmp_path: Path, kind: str
) -> None:
    other = tmp_path / "other.mp4"
    getattr(other, kind)(clip)
    before = contents(tmp_path)

    for command in (
        ("restyle", clip, "-p", "ink", "--local", "--overwrite", "-o", other),
        ("restyle", clip, "-p", "ink", "--overwrite", "-o", other),
        ("propagate", clip, keys, "--fast", "--overwrite", "-o", other),
        ("restyle", clip, "-p", "ink", "-o", tmp_path / "new.mp4", "--report", other),
        ("propagate", clip, keys, "-o", tmp_path / "new.mp4", "--report", other),
    ):
        ended = fresco(*command)

        assert ended.code == 2, command
        assert "this is where the clip itself is" in ended.stderr
    assert contents(tmp_path) == before


def test_pictures_never_replace_the_pictures_of_the_clip(
    fresco: Fresco, clip: Path, tmp_path: Path
) -> None:
    frames = tmp_path / "frames"
    frames.mkdir()
    for frame in Clip.open(clip).frames(0, 3):
        write_image(frames / f"f_{frame.index:04d}.png", frame.image)
    before = contents(frames)
    target = frames / "f_0001.png"

    for command in (
        ("look", frames, "--frame", 0, "-p", "ink", "--local", "-o", target),
        ("look", frames, "--frame", 0, "-p", "ink", "-o", target),
        ("look", target, "--frame", 0, "-p", "ink", "--local", "-o", target),
        ("keyframes", frames, "-o", target),
    ):
        ended = fresco(*command, "--overwrite")

        assert ended.code == 2, command
        assert "this is where the clip itself is" in ended.stderr
    assert contents(frames) == before


def test_nothing_is_written_among_a_daemons_own_files(
    fresco: Fresco, clip: Path, keys: Path, tmp_path: Path
) -> None:
    data = tmp_path / "daemon"
    folders = DataFolder(data)
    folders.make()
    job = folders.prepare_job("one")
    (job / "result.mp4").write_bytes(b"its result")
    (data / "daemon.json").write_text("{}")
    (tmp_path / "again").symlink_to(data, target_is_directory=True)
    (tmp_path / "report.json").symlink_to(data / "daemon.json")
    before, look = contents(tmp_path), ("look", clip, "--frame", 0, "-p", "ink", "--local")
    restyle = ("restyle", clip, "-p", "ink", "-o")
    made = fresco(*restyle, tmp_path / "out.mp4", "--detach").stdout.strip()
    new = ("-o", tmp_path / "new.mp4")

    for command in (
        (*restyle, job / "result.mp4"),
        (*restyle, data / "looks" / "out.mp4", "--local"),
        (*restyle, data / "uploads" / "f_%03d.png"),
        (*restyle, tmp_path / "new.mp4", "--report", data / "daemon.json"),
        (*restyle, tmp_path / "new.mp4", "--report", tmp_path / "report.json", "--local"),
        (*restyle, tmp_path / "new.mp4", "--save-keyframes", tmp_path / "again" / "jobs"),
        ("jobs", "fetch", made, "-o", job / "result.mp4"),
        ("jobs", "fetch", made, *new, "--report", data / "token"),
        ("propagate", clip, keys, "--fast", "-o", job / "result.mp4"),
        ("propagate", clip, keys, "--fast", *new, "--resume", data / "jobs" / "new"),
        (*look, "-o", job / "look.png"),
        ("keyframes", clip, "-o", data / "looks" / "sheet.png"),
        ("demo", "-o", data / "jobs" / "demo"),
    ):
        ended = fresco(*command, *(() if command[0] == "demo" else ("--overwrite",)))

        assert ended.code == 2, command
        assert "this is where a Fresco daemon keeps its own files" in ended.stderr
    assert contents(tmp_path) == before


def test_a_result_may_lie_in_a_data_folder_beside_what_is_the_daemons(
    fresco: Fresco, clip: Path, tmp_path: Path
) -> None:
    data = tmp_path / "daemon"
    DataFolder(data).make()
    (tmp_path / "jobs").mkdir()

    for output in (data / "out.mp4", tmp_path / "jobs" / "out.mp4"):
        assert fresco("restyle", clip, "-p", "ink", "-o", output).code == 0
        assert output.is_file()


def test_saved_keyframes_never_replace_painted_ones(
    fresco: Fresco, engine: FakeEngine, clip: Path, keys: Path, tmp_path: Path
) -> None:
    before = contents(keys)

    ended = fresco(
        *("restyle", clip, "-p", "ink", "-o", tmp_path / "out.mp4", "--local", "--overwrite"),
        *("--painted", f"2={keys / '000002.png'}", "--save-keyframes", keys),
    )

    assert ended.code == 2
    assert "this is where a painted picture is" in ended.stderr
    assert contents(keys) == before
    assert engine.loaded == []


@pytest.mark.parametrize("option", ["-o", "--error-maps", "--resume", "--report"])
def test_results_never_lie_among_the_painted_keys_under_another_name(
    fresco: Fresco, clip: Path, keys: Path, tmp_path: Path, option: str
) -> None:
    again = tmp_path / "again"
    again.symlink_to(keys, target_is_directory=True)
    place = {"-o": again / "%06d.png", "--report": again / "000002.png"}.get(option, again)
    output = () if option == "-o" else ("-o", tmp_path / "out.mp4")
    before = contents(keys)

    ended = fresco("propagate", clip, keys, "--fast", option, place, *output)

    assert ended.code == 2
    assert "this is where the painted keys are" in ended.stderr
    assert contents(keys) == before


@pytest.mark.parametrize(
    ("option", "file", "said"),
    [
        ("--model", "model_index.json", "the model is"),
        ("--model", "unet/config.json", "the model is"),
        ("--model", "one.safetensors", "the model is"),
        ("--lora", "ink.safetensors", "a LoRA is"),
        ("--control-model", "control.safetensors", "the ControlNet is"),
        ("--vae", "vae.safetensors", "the VAE is"),
        ("-p", "ink.safetensors", "a file that a prompt names is"),
    ],
)
def test_a_report_never_replaces_a_part_of_the_model(
    fresco: Fresco, clip: Path, tmp_path: Path, option: str, file: str, said: str
) -> None:
    folder = tmp_path / "model"
    (folder / "unet").mkdir(parents=True)
    target = folder / file
    target.write_bytes(b"weights")
    source = folder if file.endswith(".json") else target
    words = (option, "a town <lora:ink:0.8>", "--models", folder)
    given = words if option == "-p" else (option, source)
    link = tmp_path / "report.json"
    link.hardlink_to(target)

    ended = fresco(
        *("restyle", clip, "-p", "ink", "-o", tmp_path / "out.mp4", "--local"),
        *(*given, "--report", link),
    )

    assert ended.code == 2
    assert f"this is where {said}" in ended.stderr
    assert target.read_bytes() == b"weights"


@pytest.mark.parametrize(
    "command",
    [
        "restyle,,-o,out.mp4,-p,ink,--local",
        "edit,,-o,out.mp4,--to,ink,--local",
        "look,,--frame,0,-o,out.png,-p,ink,--local",
        "keyframes,",
        "propagate,,keys,-o,out.mp4",
        "propagate,clip.mp4,,-o,out.mp4",
        "evaluate,",
    ],
)
def test_what_is_worked_on_has_a_name(
    fresco: Fresco, clip: Path, keys: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """A variable that a script never set does not mean the pictures in the current folder."""
    monkeypatch.chdir(keys)

    ended = fresco(*command.split(","))

    assert ended.code == 2
    assert "the name is empty; say what to read" in " ".join(ended.stderr.split())


def test_a_link_that_leads_to_itself_is_replaced_like_a_file(
    fresco: Fresco, clip: Path, keys: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.mp4"
    output.symlink_to(output)

    ended = fresco("propagate", clip, keys, "--fast", "--overwrite", "-o", output)

    assert ended.code == 0, ended.stderr
    assert Clip.open(output).info.frame_count == 12


@pytest.mark.parametrize("name", [NOT_UTF8, "\U0001f3a8" * 62, "y" * 251, "-n", "[a] {b} *"])
def test_any_name_can_be_read_written_and_reported(
    fresco: Fresco, clip: Path, keys: Path, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / name[:40]
    folder.mkdir()
    source = clip.rename(folder / f"{name}.mp4")
    output = folder / f"o{name[1:]}.mp4"

    ended = fresco(
        *("propagate", source, keys, "--fast", "-o", output, "--json"),
        *("--report", folder / "report.json", "--error-maps", folder / "maps"),
    )

    assert ended.code == 0, ended.stderr
    assert Clip.open(output).info.frame_count == 12
    report = json.loads((folder / "report.json").read_text("utf-8"))
    assert report["outputs"]["clip"] == str(output)
    assert ended.lines[-1]["report"]["clip"]["path"] == str(source)


@pytest.mark.parametrize("name", [NOT_UTF8, "\U0001f3a8" * 62], ids=["not UTF-8", "long"])
def test_any_name_is_taken_by_a_restyle_in_this_process(
    fresco: Fresco, engine: FakeEngine, clip: Path, keys: Path, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / name[:40]
    source = clip.rename(keys.rename(folder) / f"{name}.mp4")
    painted, output = folder / "000002.png", folder / f"o{name[1:]}.mp4"

    ended = fresco(
        *("restyle", source, "-p", "ink", "--local", "-o", output, "--json"),
        *("--painted", f"2={painted}", "--model", folder, "--report", folder / "r.json"),
        *("--save-keyframes", folder / "made"),
    )

    assert ended.code == 0, ended.stderr
    assert Clip.open(output).info.frame_count == 12
    assert engine.settings[-1].keyframe_pictures == {2: str(painted)}
    assert engine.loaded[-1]["source"] == str(folder)
    assert ended.lines[-1]["report"]["clip"]["path"] == str(source)


@pytest.mark.parametrize(("encoding", "more"), [("utf-8", []), ("ascii", ["--json"])])
def test_a_terminal_that_cannot_show_a_name_does_not_end_a_command(
    clip: Path, tmp_path: Path, encoding: str, more: list[str]
) -> None:
    name = f"\U0001f3a8{NOT_UTF8}"
    source = clip.rename(tmp_path / f"{name}.mp4")
    command = [sys.executable, "-m", "fresco_cli", "keyframes", source]

    ended = subprocess.run(
        [*command, "-o", tmp_path / f"{name}.png", *more],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        timeout=300,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert b"Traceback" not in ended.stderr
    assert not more or json.loads(ended.stdout)["keyframes"]


def test_words_of_other_programs_are_told_with_a_look(
    fresco: Fresco, clip: Path, tmp_path: Path
) -> None:
    words = "ink (wash:3) (blue:1,5)"
    look = ("look", clip, "--frame", 0, "-p", words, "-o", tmp_path / "a.png")

    told = fresco(*look, "--local")
    as_json = fresco(*look, "--local", "--json", "--overwrite")

    assert "(wash:3) in the prompt" in told.stderr
    assert "(blue:1,5) in the prompt" in told.stderr
    assert [line["event"] for line in as_json.lines] == ["warning", "warning", "finished"]


_HUGE = "9" * 5000


@pytest.mark.parametrize(
    "options",
    [
        ("--range", f"0:{_HUGE}"),
        ("--range", f"{_HUGE}:"),
        ("--range", "0:99999999999999999999999"),
        ("--keyframes", "0:0"),
        ("--keyframes", f"{_HUGE}:{_HUGE}"),
        ("--keyframes", f"0,{_HUGE}"),
        ("--frame-rate", "1e999999999"),
        ("--frame-rate", "nan"),
        ("--frame-rate", "inf"),
        ("--frame-rate", "1/0"),
        ("--frame-rate", _HUGE),
        ("--frame-prompt", f"{_HUGE}=x"),
        ("--painted", f"{_HUGE}=x.png"),
        *(
            (f"--{name}", value)
            for name in ("size", "strength", "guidance", "control-scale", "keep-colours", "steps")
            for value in ("nan", "inf", "-1e400", "1e400", "-1", _HUGE)
        ),
        ("--size", "1"),
        ("--seed", "-1"),
        ("--seed", _HUGE),
        ("--batch", "99999999999999999999"),
    ],
    ids=lambda options: " ".join(options)[:40],
)
def test_numbers_beyond_use_are_refused_with_a_sentence(
    fresco: Fresco, engine: FakeEngine, clip: Path, tmp_path: Path, options: tuple[str, str]
) -> None:
    ended = fresco("restyle", clip, "-p", "ink", "-o", tmp_path / "out.mp4", "--local", *options)

    assert ended.code == 2, ended.stderr
    assert "did not expect" not in ended.stderr
    assert len(ended.stderr) < 2000
    assert engine.loaded == []
    assert not (tmp_path / "out.mp4").exists()


_CLOSED = {
    "a clip": "restyle closed.mp4 -o out.mp4 -p ink --local",
    "a folder of pictures": "keyframes closed",
    "a picture in a folder": "keyframes closed/0001.png",
    "a pattern in a folder": "keyframes closed/%04d.png",
    "a mask": "restyle clip.mp4 -o out.mp4 -p ink --local --subject-mask closed.mp4",
    "a folder of keys": "propagate clip.mp4 closed -o out.mp4 --fast",
    "a data folder": "status --data closed",
    "a certificate": "serve --data made --tls-cert closed.mp4 --tls-key closed.mp4",
    "a picture to replace": "look clip.mp4 --frame 1 -o closed/a.png -p ink --local --overwrite",
}


@pytest.mark.skipif(sys.platform != "linux", reason="permissions are another matter there")
@pytest.mark.parametrize("arguments", _CLOSED.values(), ids=_CLOSED)
def test_what_nobody_may_look_at_is_told_in_one_sentence(
    fresco: Fresco, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed.mp4").write_bytes(clip.read_bytes())

    with closed_to_us(tmp_path / "closed", tmp_path / "closed.mp4"):
        ended = fresco(*arguments.split())

    assert ended.code in (1, 2)
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert ended.stderr.startswith("Error: ")
    assert "closed" in ended.stderr
    assert "did not expect" not in ended.stderr
