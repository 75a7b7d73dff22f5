"""The free edition: the script in a real Lua 5.1 under the sandbox's limits, and its mailbox."""

from __future__ import annotations

import ctypes
import json
import re
import stat
import threading
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fresco_client import JobState, Session
from fresco_davinci.bridge.lua import lua_chunk
from fresco_davinci.bridge.mailbox import Mailbox, MailboxLink, answers_in
from fresco_davinci.bridge.remote import Bridge
from fresco_davinci.choices import StoredChoices, save_choices
from fresco_davinci.companion import run_at_mailbox
from fresco_davinci.errors import HostGone, HostRefused, InstallFailed
from fresco_davinci.folders import ResolveFolders, resolve_folders
from fresco_davinci.host import Host
from fresco_davinci.install import COMMANDS, FREE_EDITION, Scripts, install
from fresco_davinci.plugin_folders import PluginFolders
from hypothesis import given, settings
from hypothesis import strategies as st
from lupa import lua51

from tests.fakes.resolve import Resolve, World
from tests.fakes.resolve.lua import LuaSide, in_thread, new_lua, patient
from tests.fakes.resolve.rendering import SETTINGS
from tests.integration.daemons import DaemonProcess, wait_for
from tests.plugins.davinci.conftest import (
    CHOICES,
    PROGRAM,
    RATES,
    MakeMedia,
    OpenWorld,
    clip_of,
    put,
    restyler_of,
)

SOURCES = Path(__file__).parents[3] / "plugins/davinci/fresco_davinci"


@pytest.fixture
def folders(tmp_path: Path) -> ResolveFolders:
    """Resolve's folders of a user whose name is not ASCII."""
    return resolve_folders("linux", tmp_path / "hôme of Žofie", {})


@pytest.fixture
def script(plugin_folders: PluginFolders) -> str:
    """The script as it is installed."""
    contents = Scripts(program=PROGRAM, mailbox=plugin_folders.mailbox).contents()
    return contents[f"{FREE_EDITION}.lua"]


@pytest.fixture
def mailbox(plugin_folders: PluginFolders, folders: ResolveFolders) -> Iterator[Mailbox]:
    """An open mailbox."""
    mailbox = Mailbox(plugin_folders.mailbox, folders.preferences, heartbeat_s=0.1)
    mailbox.open()
    yield mailbox
    mailbox.close()


def side_of(world: World, folders: ResolveFolders, language: Any = lua51) -> LuaSide:
    return LuaSide(world, folders.profiles / "Default" / "Fusion.prefs", language)


@pytest.fixture(params=["lua51", "luajit21"])
def language(request: pytest.FixtureRequest) -> Any:
    """The Lua that the contract names, and the one that Resolve has."""
    return pytest.importorskip(f"lupa.{request.param}", reason="lupa has no LuaJIT here")


@pytest.fixture
def free(open_resolve: OpenWorld) -> World:
    """The free edition of 21.1."""
    return open_resolve(version=(21, 1, 0), is_studio=False, platform="win32")


@dataclass(frozen=True)
class Clicked:
    """The script at work, and the companion's link to it."""

    side: LuaSide
    link: MailboxLink

    @property
    def bridge(self) -> Bridge:
        return Bridge(self.link)


Click = Callable[..., AbstractContextManager[Clicked]]


@pytest.fixture
def click(free: World, mailbox: Mailbox, script: str, folders: ResolveFolders) -> Click:
    """Clicks on the script; it ends with the `with`."""

    @contextmanager
    def clicked(language: Any = lua51) -> Generator[Clicked, None, None]:
        side = side_of(free, folders, language)
        close = in_thread(side, patient(script))
        link = connected(mailbox)
        try:
            yield Clicked(side, link)
        finally:
            link.close()
            close()

    return clicked


def connected(mailbox: Mailbox) -> MailboxLink:
    link: MailboxLink = wait_for("the script to say hello", mailbox.new_link, 20)
    return link


def test_a_clip_is_restyled_through_the_mailbox(
    language: Any,
    free: World,
    click: Click,
    session: Session,
    plugin_folders: PluginFolders,
    media: MakeMedia,
) -> None:
    source = put(free, clip_of(media(RATES["24"])), at=5, left=3, count=8)
    free.timeline.playhead = 6
    with click(language) as clicked:
        fresco = restyler_of(clicked.bridge.resolve, session, plugin_folders)

        (pending,) = fresco.restyle([fresco.current()], CHOICES)
        assert source.color == "Orange"
        wait_for("the job", lambda: session.job(pending.job_id).state is JobState.DONE)
        (outcome,) = fresco.update()

        assert outcome.problem == ""
        (item,) = free.timeline.video[1].items
        assert (item.start, item.duration) == (source.start, source.duration)
        assert (source.color, source.markers) == ("", {})


def test_a_graded_clip_is_rendered_through_the_mailbox(
    free: World,
    click: Click,
    session: Session,
    plugin_folders: PluginFolders,
    media: MakeMedia,
) -> None:
    item = put(free, clip_of(media(RATES["24"])), left=3, count=5)
    item.nodes = [["Lift"]]
    before = free.snapshot()
    with click() as clicked:
        fresco = restyler_of(clicked.bridge.resolve, session, plugin_folders)

        (pending,) = fresco.restyle([fresco.current()], CHOICES)
        assert Path(pending.rendered).is_file()
        fresco.cancel(pending)

        assert free.snapshot() == before


def test_the_companion_serves_a_click_and_is_ready_for_the_next(
    free: World,
    script: str,
    folders: ResolveFolders,
    daemon: DaemonProcess,
    plugin_folders: PluginFolders,
    media: MakeMedia,
    session: Session,
) -> None:
    source = put(free, clip_of(media(RATES["24"])), count=8)
    save_choices(plugin_folders.choices, StoredChoices(prompt="ink"))
    told: list[str] = []
    ended = threading.Event()
    companion = threading.Thread(
        target=lambda: run_at_mailbox(
            plugin_folders,
            daemon.session,
            folders,
            told.append,
            command="restyle-last",
            is_to_end=ended.is_set,
        ),
        daemon=True,
    )
    companion.start()

    side_of(free, folders).run(script)
    (path,) = plugin_folders.pending_jobs.glob("*.json")
    assert source.color == "Orange"
    wait_for("the job", lambda: session.job(path.stem).state is JobState.DONE)
    side_of(free, folders).run(script)
    ended.set()
    companion.join(20)

    assert any("is being restyled" in text for text in told)
    assert any("is on track V2" in text for text in told)
    assert not companion.is_alive()
    assert list(plugin_folders.mailbox.glob("*.lua")) == []


class ShortNames:
    """Windows, as far as it keeps a short name beside a long one: a link to the same folder."""

    def __init__(self, place: Path, *, are_kept: bool = True) -> None:
        self._place = place
        self._are_kept = are_kept

    def GetShortPathNameW(self, path: str, buffer: Any, size: int) -> int:  # noqa: N802
        if not self._are_kept:
            buffer.value = path
            return len(path)
        short = self._place / "MAILBO~1"
        short.unlink(missing_ok=True)
        short.symlink_to(path, target_is_directory=True)
        buffer.value = str(short)
        return len(str(short))

    def rule(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """From now on this is Windows."""
        windows = SimpleNamespace(kernel32=self)
        monkeypatch.setattr(ctypes, "windll", windows, raising=False)
        monkeypatch.setattr("fresco_davinci.install.sys", SimpleNamespace(platform="win32"))


@pytest.fixture
def windows_user(tmp_path: Path) -> tuple[Scripts, ResolveFolders]:
    """Whose name is not ASCII, so that Lua cannot open what is in their home."""
    home = tmp_path / "Users" / "Jan Žižka"
    environment = {"APPDATA": str(home / "AppData" / "Roaming")}
    plugin_folders = PluginFolders(
        data=home / "AppData" / "Local" / "fresco", videos=home / "Videos"
    )
    scripts = Scripts(program=PROGRAM, mailbox=plugin_folders.mailbox)
    return scripts, resolve_folders("win32", home, environment)


def test_on_windows_the_script_opens_the_mailbox_by_its_short_name(
    free: World,
    windows_user: tuple[Scripts, ResolveFolders],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scripts, folders = windows_user
    with monkeypatch.context() as patch:
        ShortNames(tmp_path).rule(patch)
        script = scripts.contents()[f"{FREE_EDITION}.lua"]
        assert scripts.lua_problem == ""
    assert str(tmp_path / "MAILBO~1") in script
    assert script.isascii()
    mailbox = Mailbox(scripts.mailbox, folders.preferences, heartbeat_s=0.1)
    mailbox.open()
    close = in_thread(side_of(free, folders), patient(script))

    link = connected(mailbox)

    assert Bridge(link).resolve.GetVersion()[:3] == [21, 1, 0]
    link.close()
    close()
    mailbox.close()


def test_where_windows_keeps_no_short_names_there_is_a_sentence(
    windows_user: tuple[Scripts, ResolveFolders], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts, folders = windows_user
    ShortNames(tmp_path, are_kept=False).rule(monkeypatch)

    assert len(install(folders, scripts)) == len(COMMANDS) + 1

    assert "set FRESCO_DATA" in scripts.lua_problem
    plain = replace(scripts, mailbox=Path("C:/fresco/mailbox"))
    assert plain.lua_problem == ""


def test_without_a_companion_a_marker_says_what_to_do_until_there_is_one(
    language: Any, free: World, script: str, folders: ResolveFolders, plugin_folders: PluginFolders
) -> None:
    side = side_of(free, folders, language)

    side.run(script)
    side.run(script)

    (marker,) = free.timeline.markers.values()
    assert marker.name == "Fresco is not running"
    assert "fresco resolve-companion" in marker.note
    assert side.saves == 0
    mailbox = Mailbox(plugin_folders.mailbox, folders.preferences, heartbeat_s=0.1)
    mailbox.open()
    close = in_thread(side, script)
    connected(mailbox).close()
    close()
    mailbox.close()
    assert free.timeline.markers == {}


def test_the_script_writes_no_preferences_while_there_is_nothing_to_do(
    free: World,
    click: Click,
) -> None:
    with click() as clicked:
        clicked.bridge.resolve.GetVersion()
        before = clicked.side.saves, clicked.side.waited

        wait_for("idle time", lambda: clicked.side.waited > before[1] + 1)

        assert clicked.side.saves == before[0]


def test_the_script_ends_when_the_companion_is_gone(
    free: World, mailbox: Mailbox, script: str, folders: ResolveFolders
) -> None:
    side = side_of(free, folders)
    thread = threading.Thread(target=side.run, args=(script,), daemon=True)
    thread.start()
    connected(mailbox)

    mailbox.close()
    thread.join(60)

    assert not thread.is_alive()
    assert side.prefs["Global.Fresco.Answer"] == ""


def test_a_second_click_takes_over_and_the_first_ends(
    free: World, mailbox: Mailbox, script: str, folders: ResolveFolders
) -> None:
    first, second = side_of(free, folders), side_of(free, folders)
    thread = threading.Thread(target=first.run, args=(script,), daemon=True)
    thread.start()
    old = connected(mailbox)
    assert Bridge(old).resolve.GetProductName  # Nothing is called yet.

    close = in_thread(second, patient(script))
    new = connected(mailbox)
    thread.join(30)

    assert not thread.is_alive()
    with pytest.raises(HostGone, match="started anew"):
        old.send({"do": "say", "text": "hello"})
    assert Bridge(new).resolve.GetVersion()[:3] == [21, 1, 0]
    new.close()
    close()


def test_all_that_the_host_calls_may_be_called_and_nothing_more(script: str) -> None:
    allowed = set(script.split("([[")[1].split("]])", maxsplit=1)[0].split())
    called: set[str] = set()
    for path in (SOURCES / "host").glob("*.py"):
        text = path.read_text("utf-8")
        called |= set(
            re.findall(
                r'"((?:Get|Set|Add|Delete|Is|Open|Start|Stop|Load|Save|Import|'
                r'Export|Append|Replace|Select|Finalize|Clear)[A-Z]\w+)"',
                text,
            )
        )
    called -= {*SETTINGS} | {"StartIndex"}

    assert allowed == called


def test_the_script_uses_nothing_that_the_sandbox_has_taken_away(script: str) -> None:
    code = re.sub(r"--[^\n]*", "", script)

    for name in ("io", "require", "package", "ffi", "debug", "dofile", "os.execute", "os.remove"):
        assert not re.search(rf"\b{re.escape(name)}\b\s*[.(]", code), name
    assert "os." not in code.replace("os.clock", "")


VALUES: list[Any] = [
    None, True, False, 0, -7, 2**40, 0.1, -1e300, "", 'quo"tes\\ and\nlines', "žluťoučký 🎬",
    [], [1, [2, [3]]], {"d": []}, {"d": [["a b", 1], [7, {"d": [["x", "y"]]}]]},
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_reach_lua_as_they_are(value: Any) -> None:
    chunk = lua_chunk({"fresco": 1, "value": value})

    lua = new_lua()
    read = lua.eval("function(text) return setfenv(loadstring(text), {})() end")
    found = read(chunk)
    assert chunk.isascii()
    assert found["fresco"] == 1
    assert _plain(found["value"]) == value


def _plain(value: Any) -> Any:
    if lua51.lua_type(value) != "table":
        return value
    if value["l"] is not None:
        return [_plain(value["l"][number + 1]) for number in range(value["n"])]
    return {"d": _plain(value["d"])}


def hexed(
    session: str, owner: str, number: int, payload: bytes, *, length: int | None = None
) -> bytes:
    """An answer as it stands in the preferences."""
    size = len(payload) if length is None else length
    head = f"FRESCO1:{session}:{owner}:{number}:{size}:{zlib.adler32(payload)}:"
    return head.encode() + payload.hex().encode()


SESSION = "0123456789abcdef"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\x00\xff" * 100,
        b"FRESCO1:" + b"0" * 5000,
        hexed(SESSION, "me", 1, b'{"value":1}')[:-3],
        hexed(SESSION, "me", 1, b'{"value":1}')[:-2],
        hexed(SESSION, "me", 1, b'{"value":1}').replace(b":1:", b":2:", 0)[:-2] + b"00",
        hexed(SESSION, "me", 1, b'{"value":1}', length=10),
        hexed(SESSION, "me", 1, b"[1]"),
        hexed(SESSION, "me", 1, b"nonsense"),
        hexed(SESSION, "me", 1, b"[" * 100_000),
        hexed(SESSION.upper(), "me", 1, b'{"value":1}'),
        hexed(SESSION, "m e", 1, b'{"value":1}'),
        hexed(SESSION, "me", 10**12, b'{"value":1}'),
    ],
    ids=[
        "empty", "binary", "endless", "half a digit", "a digit less", "changed", "wrong length",
        "no object", "no JSON", "deep", "no session", "no owner", "no number",
    ],
)  # fmt: skip
def test_what_is_torn_or_forged_is_no_answer(text: bytes) -> None:
    assert list(answers_in(text)) == []


@given(
    payload=st.dictionaries(st.text(), st.integers() | st.text() | st.none()),
    before=st.binary(max_size=50),
    after=st.sampled_from([b"", b'",\n}', b" FRESCO1:", b"\x00"]),
    cut=st.integers(1, 30),
)
def test_whole_answers_are_found_anywhere_and_cut_ones_nowhere(
    payload: dict[str, Any], before: bytes, after: bytes, cut: int
) -> None:
    text = hexed(SESSION, "me", 3, json.dumps(payload).encode())

    (word,) = answers_in(before + text + after)
    assert (word.session, word.owner, word.number, word.content) == (SESSION, "me", 3, payload)
    assert list(answers_in(before + text[: -min(cut, len(text))])) == []


def test_stale_and_foreign_answers_are_passed_over(
    mailbox: Mailbox, folders: ResolveFolders
) -> None:
    prefs = folders.profiles / "Default" / "Fusion.prefs"
    prefs.parent.mkdir(parents=True)
    other = folders.profiles / "Second" / "Fusion.prefs"
    other.parent.mkdir()
    link = MailboxLink(mailbox, "me", answer_s=0.3)
    mailbox._owner = "me"  # pyright: ignore[reportPrivateUsage]
    other.write_bytes(hexed(SESSION, "me", 1, b'{"value":1}'))  # of an earlier companion

    for text in (
        hexed(mailbox.session, "other", 1, b'{"value":1}'),
        hexed(mailbox.session, "me", 2, b'{"value":1}'),
        hexed(mailbox.session, "me", 0, b'{"value":1}'),
    ):
        prefs.write_bytes(text)
        with pytest.raises(HostGone, match="no answer"):
            link.send({"do": "say", "text": ""})
        link._number = 0  # pyright: ignore[reportPrivateUsage]
    prefs.write_bytes(hexed(mailbox.session, "me", 1, b'{"value":"yes"}'))
    assert link.send({"do": "say", "text": ""}) == {"value": "yes"}


HOSTILE: list[str | bytes] = [
    "",
    "return",
    "return 7",
    "return {",
    "return nil",
    "return {fresco=2}",
    "error('boom')",
    "resolve:Quit()",
    "fusion:SetPrefs('Global.Fresco.Answer', 'x')",
    "return setmetatable({}, {__index=function() return 1 end})",
    'return {fresco=1, session=SESSION, owner=OWNER, id=1, ["do"]="call", on=0, method="Quit"}',
    b"\x1bLua\x51\x00\x01\x04\x04\x04\x08\x00",
    b"\x00" * 1000,
    "return {fresco=1," + "{" * 300,
]


def test_hostile_messages_do_nothing_and_the_next_is_answered(
    language: Any, free: World, click: Click, mailbox: Mailbox
) -> None:
    with click(language) as clicked:
        before = free.snapshot()
        request = mailbox._request  # pyright: ignore[reportPrivateUsage]

        # Compiled code, which only LuaJIT tells apart; without names it can do nothing either way.
        compiled = bytes(
            new_lua(language, encoding=None).eval(
                b"string.dump(loadstring('return {fresco=1, a=resolve:Quit()}'))"
            )
        )
        for text in [*HOSTILE, compiled]:
            saves, calls = clicked.side.saves, len(free.calls)
            request.write_bytes(text if isinstance(text, bytes) else text.encode())
            wait_for("the script to have read it", _later(clicked.side, 0.1))
            assert (clicked.side.saves, len(free.calls)) == (saves, calls), text
            assert clicked.bridge.resolve.GetVersion()[:3] == [21, 1, 0], text

        assert free.snapshot() == before


def test_stale_foreign_and_torn_messages_do_nothing(
    language: Any, free: World, click: Click, mailbox: Mailbox
) -> None:
    with click(language) as clicked:
        clicked.bridge.resolve.GetVersion()
        request = mailbox._request  # pyright: ignore[reportPrivateUsage]
        owner = mailbox._owner  # pyright: ignore[reportPrivateUsage]
        whole = {
            "fresco": 1, "session": mailbox.session, "owner": owner, "id": 2,
            "do": "call", "on": 0, "method": "OpenPage", "args": ["color"],
        }  # fmt: skip
        changes = (
            {"session": "0" * 16}, {"owner": "another"}, {"id": 1}, {"id": 0}, {"id": "2"},
            {"fresco": 2},
        )  # fmt: skip
        text = lua_chunk(whole)
        texts = [lua_chunk({**whole, **change}) for change in changes]
        texts += [text[:cut] for cut in range(0, len(text) - 1, 9)]

        for wrong in texts:
            request.write_text(wrong)
            wait_for("the script to have read it", _later(clicked.side, 0.1))
            assert free.page == "edit", wrong

        request.write_text(text)
        wait_for("the page", lambda: free.page == "color")


def _later(side: LuaSide, seconds: float) -> Callable[[], bool]:
    start = side.waited
    return lambda: side.waited > start + seconds


WRONG: list[dict[str, Any]] = [
    {"do": "call", "on": 0, "method": "Quit", "args": []},
    {"do": "call", "on": 0, "method": "DeleteProject", "args": ["A film"]},
    {"do": "call", "on": 99, "method": "GetName", "args": []},
    {"do": "call", "on": "resolve", "method": "GetName", "args": []},
    {"do": "call", "on": 0, "method": "GetVersion", "args": [{"o": 12}]},
    {"do": "call", "on": 0, "method": "GetVersion", "args": 7},
    {"do": "call", "on": 0, "method": "GetVersion"},
    {"do": "call", "on": 0, "args": []},
    {"do": "call"},
    {"do": "form", "fields": []},
    {"do": "explode"},
    {},
]


def test_what_may_not_be_called_is_refused(
    free: World,
    click: Click,
) -> None:
    with click() as clicked:
        for message in WRONG:
            assert set(clicked.link.send(message)) == {"error"}, message

        assert [call for call in free.calls if call != "Timeline.DeleteMarkerByCustomData"] == [
            "Resolve.GetProjectManager",
            "ProjectManager.GetCurrentProject",
            "Project.GetCurrentTimeline",
        ]


def test_an_error_over_there_is_a_refusal_here(
    free: World,
    click: Click,
) -> None:
    with click() as clicked, pytest.raises(HostRefused, match="may not be called"):
        clicked.bridge.resolve.Quit()


def test_a_message_that_is_read_twice_is_done_once(
    free: World,
    click: Click,
) -> None:
    with click() as clicked:
        bridge = clicked.bridge
        line = bridge.resolve.GetProjectManager().GetCurrentProject().GetCurrentTimeline()

        line.AddTrack("video")
        wait_for("more readings of the same file", _later(clicked.side, 0.5))

        assert len(free.timeline.video) == 2


def test_any_bytes_in_the_mailbox_are_survived(free: World, click: Click, mailbox: Mailbox) -> None:
    with click() as clicked:

        @settings(max_examples=20, deadline=None)
        @given(text=st.binary(max_size=300))
        def survives(text: bytes) -> None:
            mailbox._request.write_bytes(text)  # pyright: ignore[reportPrivateUsage]
            wait_for("the script to have read it", _later(clicked.side, 0.1))
            assert clicked.bridge.resolve.GetVersion()[:3] == [21, 1, 0]

        survives()


def test_a_second_companion_is_told_that_there_is_one(
    mailbox: Mailbox, plugin_folders: PluginFolders, folders: ResolveFolders
) -> None:
    second = Mailbox(plugin_folders.mailbox, folders.preferences)

    with pytest.raises(InstallFailed, match="runs already"):
        second.open()
    second.close()

    assert (plugin_folders.mailbox / "companion.lua").is_file()


@pytest.mark.parametrize(
    "answer",
    [{"value": {"x": 1}}, {"value": {"o": "seven"}}, {"value": {"d": 7}}, {"value": {"d": [[1]]}},
     {"value": {"d": [[[], 1]]}}, {"value": {"d": [[None, 1]]}}],
    ids=str,
)  # fmt: skip
def test_an_answer_that_makes_no_sense_is_told(answer: dict[str, Any]) -> None:
    class Odd:
        def send(self, message: dict[str, Any]) -> dict[str, Any]:
            return answer

        def close(self) -> None: ...

    with pytest.raises(HostGone, match="makes no sense"):
        Bridge(Odd()).resolve.GetVersion()


def test_the_mailbox_is_its_users_alone(mailbox: Mailbox, plugin_folders: PluginFolders) -> None:
    assert stat.S_IMODE(plugin_folders.mailbox.stat().st_mode) == 0o700


def test_the_stand_ins_lua_has_lost_what_the_sandbox_takes(
    language: Any, free: World, folders: ResolveFolders
) -> None:
    lua = side_of(free, folders, language).lua

    gone = [
        "io",
        "package",
        "require",
        "ffi",
        "debug",
        "os.execute",
        "os.remove",
        "os.rename",
        "python",
    ]
    assert [name for name in gone if lua.eval(f"{name} ~= nil")] == []
    assert lua.eval("_VERSION") == "Lua 5.1"


def test_resolve_used_directly_and_through_the_mailbox_tells_the_same(
    free: World,
    click: Click,
    media: MakeMedia,
) -> None:
    put(free, clip_of(media(RATES["24"])), left=3, count=8)
    free.timeline.marks = {"in": 1, "out": 4}
    with click() as clicked:
        far, near = Host(clicked.bridge.resolve), Host(Resolve(free))

        assert far.current_clip() == near.current_clip()
        assert far.clips_between_marks() == near.clips_between_marks()
        assert far.timeline() == near.timeline()
        assert far.playhead() == near.playhead()
