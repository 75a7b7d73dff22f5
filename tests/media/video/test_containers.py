"""Only the file that was named is ever opened."""

from __future__ import annotations

import ast
import os
import struct
from collections.abc import Callable
from pathlib import Path

import av
import av.error
import pytest
from fresco_media.clip import Clip
from fresco_media.errors import ClipUnreadable
from fresco_media.files.opening import NotAFile
from fresco_media.video.containers import CONTAINERS, open_input

from tests.media.odd_files import Film, mux, number_in

MakeClip = Callable[..., Path]


def references(secret: Path) -> dict[str, str]:
    """Texts that make players read the file at `secret`."""
    name, address = secret.name, secret.as_uri()
    return {
        "hls": f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{secret}\n#EXT-X-ENDLIST\n",
        "hls-by-address": f"#EXTM3U\n#EXTINF:2,\n{address}\n#EXT-X-ENDLIST\n",
        "m3u": f"\ufeff#EXTM3U\n{name}\n",
        "concat": f"ffconcat version 1.0\nfile '{secret}'\n",
        "dash": (
            '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">'
            f"<Period><AdaptationSet><Representation><BaseURL>{secret}</BaseURL>"
            "</Representation></AdaptationSet></Period></MPD>"
        ),
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
        "imf": f'<?xml version="1.0"?>\n<CompositionPlaylist>{secret}</CompositionPlaylist>',
        "pls": f"[playlist]\nFile1={secret}\nNumberOfEntries=1\n",
        "asx": f'<asx version="3.0"><entry><ref href="{address}"/></entry></asx>',
        "asf-reference": f"[Reference]\r\nRef1={address}\r\n",
        "smil": f'<smil><body><video src="{address}"/></body></smil>',
        "xspf": f'<?xml version="1.0"?><playlist><location>{address}</location></playlist>',
        "vobsub": f"# VobSub index file, v7\nid: en, index: 0\n# {secret}\n",
        "address": f"{address}\n",
    }


@pytest.mark.parametrize("name", ["clip.mp4", "clip.m3u8", "clip.ts", "clip.mkv", "clip"])
@pytest.mark.parametrize("kind", references(Path("/secret.ts")))
def test_files_that_only_name_media_are_refused(tmp_path: Path, kind: str, name: str) -> None:
    secret = mux(tmp_path / "secret.ts", Film(count=5))
    folder = tmp_path / "uploads"
    folder.mkdir()
    path = folder / name
    path.write_text(references(secret)[kind], encoding="utf-8")

    with pytest.raises(ClipUnreadable, match="only names media stored elsewhere"):
        Clip.open(path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_playlist_is_known_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "list.mp4"
    path.write_bytes("#EXTM3U\nsecret.ts\n".encode(encoding))

    with pytest.raises(ClipUnreadable, match="only names media stored elsewhere"):
        Clip.open(path)


@pytest.mark.parametrize(
    "demuxer",
    ["hls", "concat", "dash", "image2", "lavfi", "rtsp", "sdp", "vobsub", "tty", "imf", "mlv"],
)
def test_no_container_that_opens_other_files_is_let_in(demuxer: str) -> None:
    assert demuxer not in CONTAINERS.split(",")


def test_a_film_whose_track_lies_in_another_file_does_not_reach_it(tmp_path: Path) -> None:
    secret = mux(tmp_path / "secret.mov", Film(count=5, first=100))
    path = tmp_path / "reference.mov"
    path.write_bytes(with_data_elsewhere(secret.read_bytes(), secret))
    followed = {"enable_drefs": "1", "use_absolute_path": "1"}

    with av.open(str(path), container_options=followed) as container:
        assert len(list(container.decode(video=0))) == 5, "this film does refer to the other one"
    with pytest.raises(ClipUnreadable, match="save it self-contained"):
        Clip.open(path)


def with_data_elsewhere(content: bytes, other: Path) -> bytes:
    """A QuickTime film whose data reference is an alias of `other`, without data of its own."""
    url = content.index(b"url ", content.index(b"dref"))
    alias = alias_of(other)
    entry = struct.pack(">I4sI", 12 + len(alias), b"alis", 0) + alias
    made = content[: url - 4] + entry + content[url + 8 :]
    growth = len(entry) - 12
    for name in (b"dref", b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        at = made.rindex(name, 0, made.index(b"alis")) - 4
        (size,) = struct.unpack(">I", made[at : at + 4])
        made = made[:at] + struct.pack(">I", size + growth) + made[at + 4 :]
    begin = made.index(b"mdat") + 4
    end = made.index(b"moov") - 4
    return made[:begin] + bytes(end - begin) + made[end:]


def alias_of(path: Path) -> bytes:
    """A Macintosh alias record that holds a path (kind 2: absolute, with colons)."""
    name = path.name.encode()[:63]
    fixed = struct.pack(">4sHHH", b"\0\0\0\0", 150, 2, 0)
    fixed += struct.pack(">B27s", 6, b"volume") + bytes(4 + 2 + 2 + 4)
    fixed += struct.pack(">B63s", len(name), name) + bytes(4 + 4 + 4 + 4)
    fixed += struct.pack(">HH", 1, 1) + bytes(16)
    full = ("volume" + str(path).replace("/", ":")).encode()
    padded = full + b"\0" * (len(full) % 2)
    return fixed + struct.pack(">HH", 2, len(full)) + padded + struct.pack(">HH", 0xFFFF, 0)


def test_what_a_file_is_called_does_not_matter(tmp_path: Path) -> None:
    film = Film(count=6)
    for name in ("film.txt", "film.m3u8", "film.jpg.sdp", "film", "100%d.concat"):
        path = mux(tmp_path / "film.mkv", film).rename(tmp_path / name)

        numbers = [number_in(frame.image) for frame in Clip.open(path).frames()]

        assert numbers == list(range(6)), name


def test_an_open_file_can_be_read_instead_of_a_path(tmp_path: Path) -> None:
    path = mux(tmp_path / "film.mp4", Film(count=20, gop=5))

    with path.open("rb") as file, open_input(file) as container:
        stream = container.streams.video[0]
        container.seek(10 * 512, stream=stream)
        sought = next(container.demux(stream))
        count = sum(1 for _ in container.decode(stream))

    assert (sought.pts or 0) > 0
    assert count > 0


def test_a_playlist_handed_over_open_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.m3u8"
    path.write_text("#EXTM3U\nsecret.ts\n")

    with path.open("rb") as file, pytest.raises(ClipUnreadable, match="stored elsewhere"):
        open_input(file)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes in folders")
def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")

    with pytest.raises(NotAFile, match="it is a pipe, not a file"):
        open_input(tmp_path / "pipe.mp4")


def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    path = mux(tmp_path / "film.mkv", Film(count=6))
    before = os.dup(0)
    os.close(before)

    for _ in range(5):
        open_input(path).close()
    after = os.dup(0)
    os.close(after)

    assert after == before


def test_damage_is_not_called_a_playlist(tmp_path: Path) -> None:
    path = tmp_path / "noise.mp4"
    path.write_bytes(bytes(range(256)) * 20)

    with pytest.raises((av.error.FFmpegError, ClipUnreadable)) as caught:
        open_input(path)

    assert "elsewhere" not in str(caught.value)


def test_media_are_opened_for_reading_in_one_place_only() -> None:
    root = Path(__file__).parents[3]
    sources = [
        path
        for folder in ("media", "server", "gui", "client", "plugins")
        for path in (root / folder).rglob("*.py")
    ]

    openers = [path for path in sources if any(map(_opens_media, _calls(path)))]

    assert [path.name for path in openers] == ["containers.py"]


def _calls(path: Path) -> list[ast.Call]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def _opens_media(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    mode = call.args[1] if len(call.args) > 1 else None
    is_writing = isinstance(mode, ast.Constant) and mode.value == "w"
    return name.endswith("VideoCapture") or (name == "av.open" and not is_writing)
