"""`fresco install-plugin` and what `fresco doctor` sees of the plugins."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest
from fresco_cli import blender, plugin_checks
from fresco_cli.blender import BlenderFolder, blender_folders
from fresco_cli.daemon_checks import CheckProblem
from fresco_client.places import read_program
from fresco_davinci.bridge.mailbox import Mailbox
from fresco_davinci.plugin_folders import PluginFolders

from tests.cli.conftest import Fresco

ROOTS = {
    "linux": ".config/blender",
    "darwin": "Library/Application Support/Blender",
    "win32": "AppData/Roaming/Blender Foundation/Blender",
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made-up user."""
    folder = tmp_path / "Jan Žižka"
    folder.mkdir()
    monkeypatch.setattr(Path, "home", lambda: folder)
    for name in ("XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    """What the build of Blender's plugin makes, in small."""
    folder = tmp_path / "zips"
    folder.mkdir()
    write_archive(folder, "1.0")
    return folder


def write_archive(folder: Path, version: str) -> None:
    with zipfile.ZipFile(folder / f"fresco-blender-{version}.zip", "w") as archive:
        archive.writestr("fresco_blender/__init__.py", f"VERSION = {version!r}\n")
        archive.writestr("fresco_blender/blender_manifest.toml", "id = 'fresco_blender'\n")
        archive.writestr("fresco_blender/core/files.py", "")
        names = ("__init__.py", "blender_manifest.toml", "core/files.py", "RECORD")
        archive.writestr("fresco_blender/RECORD", "\n".join(names))


@pytest.mark.parametrize("system", ROOTS)
def test_versions_of_blender_are_found_per_system(system: str, home: Path) -> None:
    for version in ("2.93", "3.4", "4.2", "5.0", "notes", "10.1"):
        (home / ROOTS[system] / version).mkdir(parents=True)

    found = blender_folders(system, home, {})

    assert [folder.label for folder in found] == [
        "Blender 3.4", "Blender 4.2", "Blender 5.0", "Blender 10.1",
    ]  # fmt: skip
    assert found[0].plugin == home / ROOTS[system] / "3.4/scripts/addons/fresco_blender"
    assert found[1].plugin == (home / ROOTS[system] / "4.2/extensions/user_default/fresco_blender")


def test_each_blender_gets_the_plugin_where_it_looks_for_it(
    fresco: Fresco, home: Path, archives: Path
) -> None:
    old, new = (home / ".config/blender" / version for version in ("3.6", "4.5"))
    old.mkdir(parents=True)
    new.mkdir()

    ended = fresco("install-plugin", "blender", "--from", archives)

    assert ended.code == 0, ended.stderr
    assert (old / "scripts/addons/fresco_blender/core/files.py").is_file()
    extension = new / "extensions/user_default/fresco_blender"
    assert (extension / "blender_manifest.toml").is_file()
    assert "Blender 4.5 with Fresco" in plugin_checks.of_blender()
    write_archive(archives, "2.0")
    assert "updated" in fresco("install-plugin", "blender", "--from", archives).stdout
    assert "2.0" in (extension / "__init__.py").read_text()
    assert [path.name for path in extension.parent.iterdir()] == ["fresco_blender"]
    assert (
        "Removed from Blender 3.6, Blender 4.5"
        in fresco("install-plugin", "blender", "--remove").stdout
    )
    assert not extension.exists()
    assert "without Fresco" in plugin_checks.of_blender()


def test_files_that_somebody_put_into_the_plugins_folder_stay(
    fresco: Fresco, home: Path, archives: Path
) -> None:
    (home / ".config/blender/3.6").mkdir(parents=True)
    fresco("install-plugin", "blender", "--from", archives)
    plugin = blender_folders()[0].plugin
    (plugin / "core" / "notes.txt").write_text("mine")
    (plugin / "core" / "__pycache__").mkdir()
    (plugin / "core" / "__pycache__" / "files.pyc").touch()

    for arguments in (("--from", archives), ("--remove",)):
        assert fresco("install-plugin", "blender", *arguments).code == 0
        assert (plugin / "core" / "notes.txt").read_text() == "mine"
    assert [path for path in plugin.rglob("*") if path.is_file()] == [plugin / "core" / "notes.txt"]


def test_a_folder_that_no_daemon_would_take_gets_nothing(
    fresco: Fresco, home: Path, archives: Path, tmp_path: Path
) -> None:
    (home / ".config/blender/3.6").mkdir(parents=True)
    letters = tmp_path / "letters"
    letters.mkdir()
    (letters / "letter.txt").touch()

    ended = fresco("install-plugin", "blender", "--from", archives, "--data", letters)

    assert (ended.code, "letter.txt is in it" in ended.stderr) == (1, True)
    assert "did not expect" not in ended.stderr
    assert [path.name for path in letters.iterdir()] == ["letter.txt"]


def test_another_add_on_of_the_same_name_is_left_alone(
    fresco: Fresco, home: Path, archives: Path
) -> None:
    (home / ".config/blender/3.6").mkdir(parents=True)
    plugin = blender_folders()[0].plugin
    plugin.mkdir(parents=True)
    (plugin / "__init__.py").write_text("# Frescoes for walls")

    for arguments in (("--from", archives), ("--remove",)):
        ended = fresco("install-plugin", "blender", *arguments)
        assert (ended.code, "was not put there by Fresco" in ended.stderr) == (1, True)
        assert [path.name for path in plugin.parent.iterdir()] == ["fresco_blender"]
        assert [path.name for path in plugin.iterdir()] == ["__init__.py"]


@pytest.mark.parametrize("name", ["../outside.py", "/outside.py", "a/../../outside.py", "c:\\x.py"])
def test_an_archive_cannot_write_outside_of_its_folder(name: str, tmp_path: Path) -> None:
    write_archive(tmp_path, "1.0")
    path = tmp_path / "fresco-blender-1.0.zip"
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, "")
    folder = BlenderFolder(version=(4, 2), path=tmp_path / "blender" / "4.2")
    found = blender.archive_in(tmp_path)
    assert found is not None

    with pytest.raises(Exception, match="leads out of its folder"):
        blender.install(folder, found)

    assert not folder.is_installed
    assert list(folder.plugin.parent.iterdir()) == []


def test_a_broken_archive_leaves_the_installed_plugin_alone(
    fresco: Fresco, home: Path, archives: Path
) -> None:
    (home / ".config/blender/4.5").mkdir(parents=True)
    fresco("install-plugin", "blender", "--from", archives)
    (archives / "fresco-blender-1.0.zip").write_bytes(b"PK torn")

    ended = fresco("install-plugin", "blender", "--from", archives)

    assert ended.code == 1
    assert "cannot be unpacked" in ended.stderr
    assert blender_folders()[0].is_installed


def test_without_blender_there_is_a_sentence(
    fresco: Fresco, home: Path, archives: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    ended = fresco("install-plugin", "blender", "--from", archives)

    assert (ended.code, "start it once" in ended.stderr) == (1, True)
    assert plugin_checks.of_blender() == "not found"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere programs are found otherwise")
def test_a_blender_that_never_ran_gets_the_plugin_and_what_starts_the_daemon(
    fresco: Fresco, home: Path, archives: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = home / "bin" / "blender"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'Blender 4.5.1'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))

    ended = fresco("install-plugin", "blender", "--from", archives)

    assert ended.code == 0, ended.stderr
    assert (home / ".config/blender/4.5/extensions/user_default/fresco_blender").is_dir()
    assert read_program(data) == [sys.executable, "-m", "fresco_cli"]


def test_a_folder_without_archives_is_told(fresco: Fresco, home: Path, tmp_path: Path) -> None:
    (home / ".config/blender/4.5").mkdir(parents=True)

    ended = fresco("install-plugin", "blender", "--from", tmp_path)

    assert (ended.code, "build.py" in ended.stderr) == (2, True)


def test_the_scripts_for_resolve_are_installed_seen_and_removed(
    fresco: Fresco, home: Path, tmp_path: Path
) -> None:
    menu = home / ".local/share/DaVinciResolve/Fusion/Scripts/Utility/Fresco"

    first = fresco("install-plugin", "resolve")
    second = fresco("install-plugin", "resolve")

    assert "Installed 7 scripts" in first.stdout
    assert "Up to date: 7 scripts" in second.stdout
    for ended in (first, second):
        assert "DaVinci Resolve itself was not found here" in ended.stderr
    assert len(list(menu.iterdir())) == 7
    assert plugin_checks.resolve(None).endswith("DaVinci Resolve itself was not found")
    (home / ".local/share/DaVinciResolve/Fusion/Profiles").mkdir()
    assert "not found" not in plugin_checks.resolve(None)
    assert "not found" not in fresco("install-plugin", "resolve").stderr
    (menu / "Show jobs.py").write_text((menu / "Show jobs.py").read_text() + "#\n")
    with pytest.raises(CheckProblem, match="install-plugin"):
        plugin_checks.resolve(None)
    assert "Updated 7 scripts" in fresco("install-plugin", "resolve").stdout
    assert "Removed 7 scripts" in fresco("install-plugin", "resolve", "--remove").stdout
    assert "nothing of Fresco's" in fresco("install-plugin", "resolve", "--remove").stdout
    elsewhere = fresco("install-plugin", "resolve", "--data", tmp_path / "däta")
    assert elsewhere.code == 0
    assert "d\\xe4ta" in (menu / "Show jobs.py").read_text("utf-8")


def test_a_resolve_without_fresco_is_told_how_to_add_it(home: Path) -> None:
    assert plugin_checks.resolve(None) == "not found"

    (home / ".local/share/DaVinciResolve/Fusion/Profiles").mkdir(parents=True)

    assert "adds it" in plugin_checks.resolve(None)


def test_a_second_companion_ends_with_a_sentence(fresco: Fresco, home: Path, data: Path) -> None:
    mailbox = Mailbox(PluginFolders.usual(data).mailbox, list)
    mailbox.open()

    ended = fresco("resolve-companion", "--no-window")

    mailbox.close()
    assert (ended.code, "A companion runs already" in ended.stderr) == (1, True)
