"""Codecs of editing, screen recordings and stills, with little or no loss."""

from __future__ import annotations

from tests.corpus.codecs import (
    PREDICTED,
    VideoCodec,
    video,
)

EDITING: dict[str, VideoCodec] = {
    "prores-proxy": video("prores_ks", "yuv422p10le", "mov mkv mxf", options={"profile": "0"}),
    "prores-lt": video("prores_ks", "yuv422p10le", "mov mkv mxf", options={"profile": "1"}),
    "prores-hq": video("prores_ks", "yuv422p10le", "mov mkv mxf", options={"profile": "3"}),
    "prores-4444": video(
        "prores_ks", "yuv444p10le yuva444p10le", "mov mkv mxf", options={"profile": "4"}
    ),
    "prores-4444xq": video(
        "prores_ks", "yuv444p10le yuva444p10le", "mov mkv mxf", options={"profile": "5"}
    ),
    "dnxhd": video(
        "dnxhd",
        "yuv422p",
        "mov mxf dnxhd",
        size=(1920, 1080),
        rates="24|25|30000/1001",
        bit_rate=36000000,
    ),
    "dnxhr-lb": video(
        "dnxhd", "yuv422p", "mov mxf", size=(320, 256), options={"profile": "dnxhr_lb"}
    ),
    "dnxhr-hq": video(
        "dnxhd", "yuv422p", "mov mxf", size=(320, 256), options={"profile": "dnxhr_hq"}
    ),
    "dnxhr-hqx": video(
        "dnxhd", "yuv422p10le", "mov mxf", size=(320, 256), options={"profile": "dnxhr_hqx"}
    ),
    "dnxhr-444": video(
        "dnxhd",
        "yuv444p10le gbrp10le",
        "mov mxf",
        size=(320, 256),
        options={"profile": "dnxhr_444"},
    ),
    "ffv1": video(
        "ffv1",
        "yuv420p yuv422p yuv444p yuv411p yuv410p yuv440p yuva420p yuva444p bgr0 bgra gray "
        "yuv420p10le yuv422p10le yuv444p10le yuv422p12le yuv444p12le yuv420p16le yuv444p16le "
        "yuva444p10le gbrp10le gbrp12le gbrp16le gbrap16le rgb48le gray10le gray16le ya8",
        "mkv avi mxf nut",
        size=(160, 128),
    ),
    "huffyuv": video("huffyuv", "yuv422p rgb24 bgra", "avi nut"),
    "ffvhuff": video(
        "ffvhuff",
        "yuv420p yuv444p yuv411p yuv410p yuv440p gbrp gbrap gray yuv420p10le yuv422p12le "
        "yuv444p16le yuva422p gray16le gbrp14le",
        "avi nut",
        size=(160, 128),
    ),
    "utvideo": video("utvideo", "gbrp gbrap yuv420p yuv422p yuv444p", "avi nut"),
    "magicyuv": video(
        "magicyuv", "gbrp gbrap yuv420p yuv422p yuv444p yuva444p gray", "avi mov nut"
    ),
    "qtrle": video("qtrle", "rgb24 argb gray rgb555be", "mov", groups=PREDICTED),
    "png": video(
        "png", "rgb24 rgba rgb48be rgba64be gray ya8 gray16be pal8", "mov avi nut pictures.png"
    ),
    "apng": video("apng", "rgb24 rgba rgb48be gray pal8", "apng"),
    "gif": video("gif", "pal8", "gif"),
    "webp": video("libwebp_anim", "bgra yuv420p", "webp", options={"lossless": "1"}),
    "webp-still": video("libwebp", "bgra", "pictures.webp", options={"lossless": "1"}),
    "raw": video("rawvideo", "yuv420p uyvy422", "avi mkv nut"),
    "raw-mov": video("rawvideo", "uyvy422", "mov"),
    "raw-planar": video("rawvideo", "yuv422p yuv444p nv12 gray", "avi nut"),
    "raw-rgb": video("rawvideo", "rgb24 bgr24 rgb555le", "avi mov nut"),
    "raw-deep": video("rawvideo", "yuv420p10le yuv422p10le yuv444p12le rgb48le", "nut"),
    "v210": video("v210", "yuv422p10le yuv422p", "mov avi nut", size=(96, 64)),
    "v308": video("v308", "yuv444p", "mov avi nut"),
    "v408": video("v408", "yuva444p", "mov avi nut"),
    "v410": video("v410", "yuv444p10le", "mov avi nut"),
    "r210": video("r210", "gbrp10le", "mov avi nut"),
    "r10k": video("r10k", "gbrp10le", "mov avi nut"),
    "cfhd": video("cfhd", "yuv422p10le gbrp12le gbrap12le", "mov avi nut", size=(160, 128)),
    "vc2": video(
        "vc2",
        "yuv420p yuv422p yuv444p yuv420p10le yuv422p10le yuv444p12le",
        "mkv mov ts nut dirac",
        size=(160, 128),
        bit_rate=200_000_000,
    ),
    "jpeg2000": video(
        "jpeg2000",
        "rgb24 rgba rgb48le gray yuv420p yuv422p10le yuv444p12le gray16le",
        "mov mxf mkv avi nut pictures.jp2",
    ),
    "jpegls": video("jpegls", "rgb24 gray gray16le", "avi nut"),
    "dv": video("dvvideo", "yuv420p", "dv avi mov mxf nut", size=(720, 576), rates="25"),
    "dv-ntsc": video(
        "dvvideo", "yuv411p", "dv avi mov mxf nut", size=(720, 480), rates="30000/1001"
    ),
    "zmbv": video("zmbv", "pal8 rgb555le bgr0", "avi nut", groups=PREDICTED),
    "flashsv": video("flashsv", "bgr24", "avi nut", groups=PREDICTED),
    "lcl-zlib": video("zlib", "bgr24", "avi nut"),
    "msrle": video("msrle", "pal8", "avi", groups=PREDICTED),
    "smc": video("smc", "pal8", "mov", groups=PREDICTED),
    "dxv": video("dxv", "rgba", "mov"),
    "avrp": video("avrp", "gbrp10le", "mov"),
    "targa": video("targa", "bgr24 bgra gray", "mov avi nut pictures.tga"),
    "tiff": video("tiff", "rgb24 rgb48le rgba gray gray16le", "mov pictures.tif"),
    "bmp": video("bmp", "bgr24 gray", "pictures.bmp"),
    "dpx": video("dpx", "rgb24 gbrp10be gbrp12be rgb48be", "pictures.dpx"),
    "exr": video("exr", "gbrpf32le gbrapf32le", "pictures.exr"),
    "sgi": video("sgi", "rgb24 rgb48be", "mov"),
    "y4m": video("rawvideo", "yuv420p yuv422p yuv444p gray", "y4m"),
}
