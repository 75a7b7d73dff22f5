"""Scripts in the menu of made-up users, on the layouts of three systems."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from fresco_davinci.errors import InstallFailed
from fresco_davinci.folders import ResolveFolders, resolve_folders
from fresco_davinci.install import COMMANDS, Scripts, install, remove, state

from tests.fakes.resolve.lua import new_lua

HOMES = ["hans", "Jan Žižka", "数 字", 'o\'neill & "sons"', "100%d"]
LAYOUTS = {
    "linux": ".local/share/DaVinciResolve/Fusion/Scripts/Utility/Fresco",
    "darwin": "Library/Application Support/Blackmagic Design/DaVinci Resolve/Fusion/Scripts"
    "/Utility/Fresco",
    "win32": "AppData/Roaming/Blackmagic Design/DaVinci Resolve/Support/Fusion/Scripts"
    "/Utility/Fresco",
}
Home = Callable[[str], Path]


def folders_of(system: str, home: Path) -> ResolveFolders:
    environment = {"APPDATA": str(home / "AppData/Roaming"), "PROGRAMDATA": str(home / "shared")}
    return resolve_folders(system, home, environment)


def scripts_of(home: Path, program: str = "bin/python") -> Scripts:
    return Scripts(
        program=[str(home / program), "-m", "fresco_cli"],
        mailbox=home / "fresco" / "mailbox",
        options=["--data", str(home / "fresco")],
    )


@pytest.mark.parametrize("name", HOMES)
@pytest.mark.parametrize("system", LAYOUTS)
def test_scripts_are_installed_updated_and_removed(system: str, name: str, tmp_path: Path) -> None:
    home = tmp_path / name
    home.mkdir()
    folders, scripts = folders_of(system, home), scripts_of(home)
    assert state(folders, scripts) == "absent"

    paths = install(folders, scripts)

    assert {path.parent for path in paths} == {home / LAYOUTS[system]}
    assert state(folders, scripts) == "current"
    moved = scripts_of(home, "other/python")
    assert state(folders, moved) == "outdated"
    install(folders, moved)
    assert state(folders, moved) == "current"
    assert len(remove(folders)) == len(COMMANDS) + 1
    assert state(folders, scripts) == "absent"
    assert not folders.menu.exists()


@pytest.mark.parametrize("name", HOMES)
def test_paths_stand_in_the_scripts_as_they_are(name: str, tmp_path: Path) -> None:
    home = tmp_path / name
    contents = scripts_of(home).contents()

    tree = ast.parse(contents["Show jobs.py"])
    assigned = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    assert assigned["PROGRAM"][0] == str(home / "bin/python")
    assert assigned["OPTIONS"] == ["--data", str(home / "fresco")]
    assert (Path(assigned["LIBRARY"]) / "fresco_bridge.py").is_file()
    lua = contents["Fresco (free edition).lua"]
    line = next(line for line in lua.splitlines() if line.startswith("local MAILBOX"))
    assert line.isascii()
    assert new_lua().execute(f"{line} return MAILBOX") == str(home / "fresco/mailbox")


def test_scripts_of_others_stay(tmp_path: Path) -> None:
    folders, scripts = folders_of("linux", tmp_path), scripts_of(tmp_path)
    folders.menu.mkdir(parents=True)
    other = folders.menu / "mine.py"
    other.write_text("print('mine')")

    install(folders, scripts)
    remove(folders)

    assert list(folders.menu.iterdir()) == [other]


def test_entries_that_are_no_longer_there_are_taken_out_by_an_update(tmp_path: Path) -> None:
    folders, scripts = folders_of("linux", tmp_path), scripts_of(tmp_path)
    install(folders, scripts)
    old = folders.menu / "Restyle everything.py"
    (folders.menu / "Show jobs.py").rename(old)

    install(folders, scripts)

    assert not old.exists()
    assert (folders.menu / "Show jobs.py").is_file()


def test_a_file_of_anothers_is_not_overwritten(tmp_path: Path) -> None:
    folders, scripts = folders_of("linux", tmp_path), scripts_of(tmp_path)
    folders.menu.mkdir(parents=True)
    (folders.menu / "Show jobs.py").write_text("print('mine')")

    with pytest.raises(InstallFailed, match="is not Fresco's"):
        install(folders, scripts)

    assert [path.name for path in folders.menu.iterdir()] == ["Show jobs.py"]


def test_a_place_that_cannot_be_written_gives_a_sentence(tmp_path: Path) -> None:
    folders, scripts = folders_of("linux", tmp_path), scripts_of(tmp_path)
    folders.menu.parent.parent.parent.mkdir(parents=True)
    folders.menu.parent.parent.write_text("a file where a folder should be")

    with pytest.raises(InstallFailed, match="it is a file, and a folder is needed there"):
        install(folders, scripts)


def test_windows_and_mac_have_their_own_places_for_all_users(tmp_path: Path) -> None:
    windows = folders_of("win32", tmp_path)
    mac = folders_of("darwin", tmp_path)

    assert windows.all_scripts[0].parts[-4:] == (
        "Blackmagic Design", "DaVinci Resolve", "Fusion", "Scripts",
    )  # fmt: skip
    assert mac.all_scripts[0].is_relative_to("/Library/Application Support")
    assert windows.profiles.parts[-3:] == ("Support", "Fusion", "Profiles")


def test_preferences_of_every_profile_are_found(tmp_path: Path) -> None:
    folders = folders_of("darwin", tmp_path)
    for name in ("Default", "Žofie"):
        (folders.profiles / name).mkdir(parents=True)
        (folders.profiles / name / "Fusion.prefs").touch()

    assert [path.parent.name for path in folders.preferences()] == ["Default", "Žofie"]
    assert folders.is_there
