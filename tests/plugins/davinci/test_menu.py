"""Clicks in Resolve's menu: the installed scripts, the real companion, a real daemon."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from fresco_client import JobState, Session
from fresco_davinci.choices import StoredChoices, save_choices
from fresco_davinci.install import COMMANDS, Scripts
from fresco_davinci.plugin_folders import PluginFolders
from fresco_media.stills.images import write_image

from tests.engine.conftest import scene
from tests.fakes.resolve import Item, Resolve, World
from tests.fakes.resolve.forms import Dispatchers, FormFusion
from tests.fakes.resolve.pool import sequence
from tests.fakes.settings import MoreSettings
from tests.integration.daemons import DaemonProcess, wait_for
from tests.plugins.davinci.conftest import PROGRAM, MakeMedia, OpenWorld, clip_of, put

Click = Callable[..., str]


@pytest.fixture
def click(
    daemon: DaemonProcess,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Click:
    """Clicks on an entry of the menu; gives what it printed to Resolve's console."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FRESCO_DATA", str(daemon.data))
    monkeypatch.setenv("XDG_VIDEOS_DIR", str(tmp_path / "Vidéos"))
    # What Resolve sets for its own Python must not reach ours.
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    scripts = Scripts(program=PROGRAM, mailbox=tmp_path / "mailbox").contents()

    def run(entry: str, world: World, **names: object) -> str:
        capsys.readouterr()
        given = {"resolve": Resolve(world), **names}
        exec(compile(scripts[f"{entry}.py"], "<menu>", "exec"), given)
        return capsys.readouterr().out

    return run


@pytest.fixture
def last(daemon: DaemonProcess) -> StoredChoices:
    """Settings of an earlier time."""
    choices = StoredChoices(prompt="ink")
    save_choices(PluginFolders.usual(daemon.data).choices, choices)
    return choices


def pending_jobs(daemon: DaemonProcess) -> list[Path]:
    return list((daemon.data / "resolve" / "orders").glob("*.json"))


@pytest.fixture(autouse=True)
def tidy(daemon: DaemonProcess) -> None:
    """No pending job of another test, and no settings."""
    for path in pending_jobs(daemon):
        path.unlink()
    PluginFolders.usual(daemon.data).choices.unlink(missing_ok=True)


def test_restyling_with_last_settings_and_bringing_the_result_in(
    click: Click,
    last: StoredChoices,
    open_resolve: OpenWorld,
    media: MakeMedia,
    session: Session,
    daemon: DaemonProcess,
) -> None:
    world = open_resolve()
    source = put(world, clip_of(media(Fraction(24))), at=5, left=3, count=8)
    world.timeline.playhead = 6

    first = click("Restyle with last settings", world)
    (path,) = pending_jobs(daemon)
    assert "is being restyled" in first
    assert source.color == "Orange"
    wait_for("the job", lambda: session.job(path.stem).state is JobState.DONE)
    second = click("Update results", world)
    third = click("Update results", world)

    assert "is on track V2" in second
    assert "Nothing is being restyled" in third
    (item,) = world.timeline.video[1].items
    assert (item.start, item.duration) == (source.start, source.duration)
    assert item.clip is not None
    assert "Vidéos" in item.clip.path
    assert (source.color, source.markers) == ("", {})


@pytest.mark.parametrize("command", COMMANDS)
def test_what_goes_wrong_is_a_sentence_on_the_console(
    command: str, click: Click, last: StoredChoices, open_resolve: OpenWorld
) -> None:
    world = open_resolve(version=(17, 4))
    before = world.snapshot()

    told = click(command, world)

    assert "18.5.1 or newer" in told or "No window can be opened" in told
    assert "Traceback" not in told
    assert world.snapshot() == before


def test_without_last_settings_there_is_a_sentence(click: Click, open_resolve: OpenWorld) -> None:
    assert "There are no last settings yet" in click("Restyle with last settings", open_resolve())


def test_clips_in_the_marks_are_restyled_with_what_a_form_of_fusions_gave(
    click: Click, open_resolve: OpenWorld, media: MakeMedia, daemon: DaemonProcess
) -> None:
    world = open_resolve()
    clip = clip_of(media(Fraction(24)))
    put(world, clip, count=8)
    put(world, clip, at=8, count=8)
    world.timeline.marks = {"in": 2, "out": 11}
    fusion = FormFusion({"prompt": "charcoal", "strength": 40, "place": "On a track above"})

    told = click("Restyle clips in marks", world, fusion=fusion, bmd=Dispatchers(fusion))

    assert told.count("is being restyled") == 2
    saved = [json.loads(path.read_text("utf-8")) for path in pending_jobs(daemon)]
    assert {(pending["first"], pending["count"]) for pending in saved} == {(86402, 6), (86408, 4)}
    assert saved[0]["choices"]["prompt"] == "charcoal"
    assert saved[0]["choices"]["strength"] == 0.4
    assert "watercolour" in fusion.offered["style"]
    for item in world.timeline.video[0].items:
        assert item.color == "Orange"


def test_a_cancelled_form_changes_nothing(
    click: Click, open_resolve: OpenWorld, media: MakeMedia, daemon: DaemonProcess
) -> None:
    world = open_resolve()
    put(world, clip_of(media(Fraction(24))), count=8)
    before = world.snapshot()
    fusion = FormFusion(None)

    told = click("Restyle current clip", world, fusion=fusion, bmd=Dispatchers(fusion))

    assert "Nothing was restyled" in told
    assert world.snapshot() == before
    assert pending_jobs(daemon) == []


def test_looking_at_a_frame_writes_a_picture(
    click: Click, open_resolve: OpenWorld, media: MakeMedia, daemon: DaemonProcess
) -> None:
    world = open_resolve()
    put(world, clip_of(media(Fraction(24))), count=8).nodes = [["Lift"]]
    before = world.snapshot()
    fusion = FormFusion({"prompt": "ink", "strength": 0, "place": "On a track above"})

    told = click("Look at current frame", world, fusion=fusion, bmd=Dispatchers(fusion))

    path = daemon.data / "resolve" / "look.png"
    assert str(path) in told
    assert path.read_bytes().startswith(b"\x89PNG")
    assert world.snapshot() == before


def test_a_fresco_that_has_moved_is_told(
    open_resolve: OpenWorld, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scripts = Scripts(program=["/nowhere/python"], mailbox=tmp_path).contents()
    text = scripts["Show jobs.py"]

    exec(compile(text, "<menu>", "exec"), {"resolve": Resolve(open_resolve())})

    assert "install-plugin resolve" in capsys.readouterr().out


def test_the_scripts_are_written_for_the_oldest_python_of_resolves() -> None:
    import ast

    scripts = Scripts(program=["/a b/é/python", "-m", "x"], mailbox=Path("/m"))
    folder = Path(__file__).parents[3] / "plugins/davinci/fresco_davinci/scripts"
    texts = [text for name, text in scripts.contents().items() if name.endswith(".py")]
    texts += [path.read_text("utf-8") for path in folder.glob("*.py")]

    for text in texts:
        tree = ast.parse(text, feature_version=(3, 6))
        names = {
            alias.name.partition(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        assert names <= {"json", "os", "subprocess", "sys", "tempfile", "fresco_bridge"}
    assert all(text.isascii() for text in texts[: len(COMMANDS)])


def test_the_choices_of_a_form_replace_only_what_it_shows() -> None:
    from fresco_davinci.forms import choices_from, form_of

    last = StoredChoices(
        prompt="a", style="oil", strength=0.5, preset="draft", seed=3, place="take"
    )
    shown = {field["id"]: field["value"] for field in form_of(last, ["oil"])}

    assert choices_from(last, shown) == last
    assert choices_from(last, {**shown, "style": "(none)"}) == replace(last, style=None)


@pytest.mark.parametrize("style", [None, "oil", "oil:0.7,neon:0.3", "oil:1.3", "gone:0.5,oil:0.5"])
def test_a_mixture_of_looks_is_shown_and_read_again(style: str | None) -> None:
    from fresco_davinci.forms import choices_from, form_of

    last = StoredChoices(prompt="a", style=style)
    fields = form_of(last, ["oil", "neon"])

    assert choices_from(last, {field["id"]: field["value"] for field in fields}) == last
    for field in fields:
        assert field["value"] in field.get("choices", [field["value"]])


def test_a_second_look_is_mixed_by_its_share() -> None:
    from fresco_davinci.forms import choices_from

    def chosen(share: int, second: str = "neon") -> str | None:
        filled = {"style": "oil", "second_style": second, "second_share": share}
        return choices_from(StoredChoices(prompt="a"), filled).style

    assert chosen(25) == "oil:0.75,neon:0.25"
    assert (chosen(0), chosen(100), chosen(50, "(none)")) == ("oil", "neon", "oil")


def test_a_setting_that_is_declared_is_in_the_form() -> None:
    from fresco_davinci.forms import form_of

    (field,) = (
        one for one in form_of(StoredChoices(), [], MoreSettings) if one["id"] == "paint_depth"
    )

    assert field["label"] == "Paint depth (0 to 7 mm; the model's)"


@pytest.mark.parametrize("filled", ["deep", "1.5.2"])
def test_what_is_no_number_is_refused_by_name(filled: str) -> None:
    from fresco_davinci.errors import NotReady
    from fresco_davinci.forms import choices_from

    with pytest.raises(NotReady, match=r"Structure strength: .* is no number"):
        choices_from(StoredChoices(), {"control_scale": filled})


def test_one_click_restyles_clips_of_every_kind_between_the_marks(
    click: Click,
    open_resolve: OpenWorld,
    media: MakeMedia,
    session: Session,
    daemon: DaemonProcess,
    tmp_path: Path,
) -> None:
    world = open_resolve(Fraction(30000, 1001), is_drop_frame=True, language="de", page="color")
    kinds = every_kind(world, media, tmp_path)
    world.timeline.marks = {"in": 0, "out": 200}
    world.timeline.video[0].items.append(Item("Text+", world.timeline.start + 100, 10, None))
    fusion = FormFusion({"prompt": "ink", "strength": 0, "place": "On a track above"})
    before = world.snapshot()

    told = click("Restyle clips in marks", world, fusion=fusion, bmd=Dispatchers(fusion))

    assert told.count("is being restyled") == len(kinds), told
    assert "“Text+” has no media" in told
    for path in pending_jobs(daemon):
        wait_for("a job", lambda path=path: session.job(path.stem).state is JobState.DONE)
    click("Update results", world)
    spans = [(item.start, item.duration) for item in world.timeline.video[1].items]
    assert sorted(spans) == sorted((item.start, item.duration) for item in kinds)
    assert pending_jobs(daemon) == []
    after = world.snapshot()
    for state in (before, after):
        state["project"]["timelines"][0]["video"] = state["project"]["timelines"][0]["video"][:1]
        state["project"]["root"]["folders"] = []
    assert after == before


def every_kind(world: World, media: MakeMedia, folder: Path) -> list[Item]:
    """A plain clip, one of another rate, pictures, a compound clip, slow and graded ones."""
    same, other = clip_of(media(world.timeline.rate)), clip_of(media(Fraction(24)))
    for number, picture in enumerate(scene(12)):
        write_image(folder / f"shot_{number:03}.png", picture)
    pictures = sequence(str(folder / "shot_%03d.png"), 2, 11, world.timeline.rate)
    assert pictures is not None
    compound = replace(clip_of(media(world.timeline.rate)), path="", inner=Path(same.path))
    kinds = [
        put(world, same, at=0, left=3, count=7),
        put(world, other, at=7, left=2, count=8),
        put(world, pictures, at=20, left=1, count=6),
        put(world, compound, at=30, left=4, count=5),
        put(world, same, at=40, left=5, count=6),
        put(world, same, at=50, left=5, count=6),
    ]
    kinds[4].speed = Fraction(1, 2)
    kinds[5].nodes = [["Gain"]]
    return kinds
