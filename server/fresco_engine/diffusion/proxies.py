"""Proxies that downloads go through, as the environment names them."""

from __future__ import annotations

import importlib
import os
from urllib.parse import urlsplit

_NAMES = ("HTTPS_PROXY", "ALL_PROXY", "HTTP_PROXY")
_UNDERSTOOD = ("http", "https", "socks5", "socks5h")
_SOCKS_PACKAGES = ("socksio", "socks")
"""One for each of the two network libraries that versions of huggingface_hub use."""


def mend() -> None:
    """Write `socks://`, as desktops do, in the way that network libraries understand.

    The proxy then looks names up: a machine that needs one often cannot.
    """
    for name, proxy in _proxies():
        if proxy.lower().startswith("socks://"):
            os.environ[name] = f"socks5h://{proxy[len('socks://') :]}"


def why_not() -> str:
    """Why a proxy cannot be used at all; empty where nothing speaks against it."""
    for name, proxy in _proxies():
        kind = proxy.partition("://")[0].lower() if "://" in proxy else "http"
        if kind not in _UNDERSTOOD:
            understood = ", ".join(f"{known}://" for known in _UNDERSTOOD)
            return f"{name} names a proxy by {kind}://; only {understood} can be used"
        if kind.startswith("socks") and not _can_speak_socks():
            return f"{name} names a SOCKS proxy, which needs 'pip install socksio pysocks'"
    return ""


def named() -> str:
    """The proxies with where they are named, without passwords; empty where there are none."""
    return ", ".join(f"{_without_user(proxy)} ({name})" for name, proxy in _proxies())


def _proxies() -> list[tuple[str, str]]:
    names = (name for upper in _NAMES for name in (upper, upper.lower()) if name in os.environ)
    return [(name, os.environ[name].strip()) for name in names if os.environ[name].strip()]


def _can_speak_socks() -> bool:
    for name in _SOCKS_PACKAGES:
        try:
            importlib.import_module(name)
        except ImportError:
            return False
    return True


def _without_user(proxy: str) -> str:
    address = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    return f"{address.scheme}://{address.netloc.rpartition('@')[2]}"
