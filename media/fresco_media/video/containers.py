"""Opening media files for reading: the only place that does, and what it lets in.

A file is taken for what it holds, never for what it is called, and only if it holds the media
itself. Playlists, manifests and reference films (HLS, DASH, ffconcat, SDP, IMF ...) make FFmpeg
open whatever they name, so they are refused before FFmpeg follows them; the protocols that could
follow anything are switched off as well.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

import av
import av.container
import av.error

from fresco_media.errors import ClipUnreadable
from fresco_media.files.opening import open_file, settled
from fresco_media.video.channels import settle_layouts

# FFmpeg's demuxers that hold media themselves and open nothing else.
_FILMS = (
    "mov,mp4,m4a,3gp,3g2,mj2",
    "matroska,webm",
    "mpegts,mpegtsraw,mpeg,avi,flv,live_flv,kux,asf,asf_o,mxf,ogg,nut,gxf,lxf,dv,rm,swf,wtv,ty,pva",
    "gif,apng,jpegxl_anim,ivf,obu,av1,h261,h263,h264,hevc,vvc,evc,m4v,mpegvideo,mjpeg,mjpeg_2000",
    "vc1,vc1test,dirac,dnxhd,cavsvideo,avs2,avs3,ipu,yuv4mpegpipe,cine,r3d,apv,nuv,nsv,iff",
    "amv,4xm,bink,smk,roq,rpl,flic,film_cpk,vmd,wc3movie,mtv,mvi,mv,smjpeg,siff,thp,usm,vivo,ea",
    "bethsoftvid,bfi,c93,cdxl,dhav,dsicin,dxa,frm,gdv,hnm,idcin,ipmovie,jv,lmlm4,mm,moflex,msnwctcp",
    "mgsts,nc,anm,bmv,mxg,iv8,filmstrip,cdg,paf,pmp,psxstr,pdv,rl2,sga,smush,tiertexseq,tmv,txd,vividas,vqf,xmv,yop,ifv,fits,ser",
)
_SOUNDS = (
    "wav,w64,aiff,caf,au,flac,mp3,aac,ac3,eac3,dts,dtshd,truehd,mlp,ape,wv,tta,tak,amr,amrnb,amrwb",
    "gsm,voc,mpc,mpc8,oma,qcp,xwma,dsf,loas,latm,iamf,ac4,spdif,sox,shn,aea,ast,bonk,osq,qoa,rso",
)
_STILLS = (
    "bmp_pipe,dds_pipe,dpx_pipe,exr_pipe,gif_pipe,hdr_pipe,j2k_pipe,jpeg_pipe,jpegls_pipe",
    "jpegxl_pipe,jpegxs_pipe,pam_pipe,pbm_pipe,pcx_pipe,pfm_pipe,pgm_pipe,pgmyuv_pipe,phm_pipe",
    "png_pipe,ppm_pipe,psd_pipe,qoi_pipe,sgi_pipe,sunrast_pipe,tiff_pipe,webp_pipe,xbm_pipe,xwd_pipe,pgx_pipe",
)
CONTAINERS = ",".join((*_FILMS, *_SOUNDS, *_STILLS))

# Where files that only name media begin with, in lower case and without leading space.
_REFERENCES = (
    b"#extm3u",
    b"ffconcat",
    b"[playlist]",
    b"[reference]",
    b"v=0",
    b"rtsp",
    b"http:",
    b"https:",
    b"file:",
    b"<asx",
    b"<smil",
    b"# vobsub",
    b"title:",
)
# Names of elements in the first lines of XML that does the same.
_REFERENCE_ELEMENTS = (
    b"<mpd",
    b"<smoothstreamingmedia",
    b"<playlist",
    b"<assetmap",
    b"<compositionplaylist",
    b"<smil",
    b"<asx",
    b"<manifest",
    b"<xmeml",
    b"<fcpxml",
    b"<mlt",
)
_HEAD_BYTES = 4096
_JPEG = b"\xff\xd8\xff"
_TEXT_CONTROLS = frozenset(b"\t\n\r\f\x1b")

REFERENCE = (
    "it is a playlist or another file that only names media stored elsewhere; "
    "choose the video itself"
)
TEXT = "it is a text file, not a video"


def open_input(source: Path | BinaryIO) -> av.container.InputContainer:
    """Open the media file at a path, or an open binary file that can seek.

    Nothing but this one file is ever opened, whatever is written in it.

    Raises:
        ClipUnreadable: it is a playlist, a text file, or nothing that can be read from twice.
        OSError, av.error.FFmpegError: it cannot be opened, or no known container.
    """
    try:
        return _opened(source)
    except av.error.FFmpegError:
        head = _head_of(source)
        if head.startswith(_JPEG):
            # FFmpeg does not recognise progressive ones in a row.
            return _opened(source, "mjpeg")
        reason = _reason(head)
        if reason is None:
            raise
    raise ClipUnreadable(path_of(source), reason)


def path_of(source: Path | BinaryIO) -> Path:
    """The path to name in a sentence about `source`."""
    if isinstance(source, Path):
        return source
    name = getattr(source, "name", None)
    return Path(name if isinstance(name, str) else "clip")


def _opened(source: Path | BinaryIO, kind: str | None = None) -> av.container.InputContainer:
    """The media file opened as the container `kind`, or as what it seems to be."""
    return _open_path(source, kind) if isinstance(source, Path) else _open_file(source, kind)


def _open_path(path: Path, kind: str | None) -> av.container.InputContainer:
    if os.name == "nt":
        # FFmpeg's own C library numbers open files there, so a descriptor means nothing to it.
        with settled(path) as name:
            return _open(name, kind, {"protocol_whitelist": "file"})
    # By descriptor FFmpeg needs no protocol that could open a second file, and sees no file name.
    with open_file(path) as file:  # FFmpeg makes a copy of the descriptor for itself.
        return _open("fd:", kind, {"protocol_whitelist": "fd", "fd": str(file.fileno())})


def _open_file(file: BinaryIO, kind: str | None) -> av.container.InputContainer:
    file.seek(0)
    return _open(file, kind, {"protocol_whitelist": "none"})


def _open(
    file: str | BinaryIO, kind: str | None, options: dict[str, str]
) -> av.container.InputContainer:
    container = av.open(
        file,
        "r",
        format=kind,
        metadata_errors="replace",
        container_options={
            "format_whitelist": CONTAINERS,
            # Films whose tracks lie in other files (QuickTime's data references).
            "enable_drefs": "0",
            "use_absolute_path": "0",
            # Where a receiver renumbers its streams in mid-recording, they are the same streams.
            "merge_pmt_versions": "1",
            **options,
        },
    )
    settle_layouts(container)
    return container


def _head_of(source: Path | BinaryIO) -> bytes:
    if isinstance(source, Path):
        with open_file(source) as file:
            return file.read(_HEAD_BYTES)
    source.seek(0)
    return source.read(_HEAD_BYTES)


def _reason(head: bytes) -> str | None:
    """Why a file that begins with `head` is refused; None if its kind says nothing."""
    text = head.removeprefix(b"\xef\xbb\xbf")
    if text[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = text.decode("utf-16", "ignore").encode()
    if not text or any(byte < 32 and byte not in _TEXT_CONTROLS for byte in text):
        return None
    lowered = text.lstrip().lower()
    is_reference = lowered.startswith(_REFERENCES) or (
        lowered.startswith(b"<") and any(name in lowered for name in _REFERENCE_ELEMENTS)
    )
    return REFERENCE if is_reference else TEXT
