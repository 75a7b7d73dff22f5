"""Models are downloaded through whatever proxy the environment names."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.hub import serving
from fakes.socks import proxying
from fresco_engine.diffusion.sources import download
from fresco_engine.errors import ModelNotFound
from huggingface_hub.utils import close_session

HUB_ID = "somebody/tiny"
NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """No proxies, an empty cache, and a hub that can only be found through a proxy."""
    for name in NAMES:
        # Set first, so that what is written during the test is taken back, too.
        for either in (name, name.lower()):
            monkeypatch.setenv(either, "")
            monkeypatch.delenv(either)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    close_session()  # it keeps the proxies of the first call
    yield monkeypatch
    close_session()


@pytest.fixture
def hub(tmp_path: Path, environment: pytest.MonkeyPatch) -> Iterator[None]:
    """A hub under a name that only the proxy knows."""
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "model_index.json").write_text("{}", "utf-8")
    with serving({HUB_ID: folder}) as address:
        hidden = address.replace("127.0.0.1", "hub.example.invalid")
        template = hidden + "/{repo_id}/resolve/{revision}/{filename}"
        environment.setattr("huggingface_hub.constants.ENDPOINT", hidden)
        environment.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
        yield


@pytest.mark.parametrize("name", ["ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"])
@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks"])
@pytest.mark.usefixtures("hub")
def test_a_model_comes_through_a_socks_proxy(
    name: str, scheme: str, environment: pytest.MonkeyPatch
) -> None:
    with proxying() as proxy:
        environment.setenv(name, f"{scheme}://{proxy.address}/")

        folder = download(HUB_ID, ["*"])

    assert (folder / "model_index.json").read_text("utf-8") == "{}"
    assert set(proxy.asked_for) == {"hub.example.invalid"}


@pytest.mark.usefixtures("hub")
def test_user_and_password_are_given_to_the_proxy(environment: pytest.MonkeyPatch) -> None:
    with proxying(login="me:pass word") as proxy:
        environment.setenv("ALL_PROXY", f"socks5://me:pass%20word@{proxy.address}")

        folder = download(HUB_ID, ["*"])

    assert (folder / "model_index.json").exists()
    assert set(proxy.logins) == {"me:pass word"}


@pytest.mark.usefixtures("hub")
def test_a_proxy_that_refuses_the_login_is_named_without_the_password(
    environment: pytest.MonkeyPatch,
) -> None:
    with proxying(login="me:right") as proxy:
        environment.setenv("ALL_PROXY", f"socks5://me:wrong@{proxy.address}")

        with pytest.raises(ModelNotFound) as caught:
            download(HUB_ID, ["*"])

    assert f"the proxy socks5://{proxy.address} (ALL_PROXY)" in str(caught.value)
    assert "wrong" not in str(caught.value)


@pytest.mark.usefixtures("hub")
def test_a_proxy_that_does_not_answer_is_named(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("all_proxy", "socks5h://127.0.0.1:9")

    with pytest.raises(ModelNotFound, match=r"the proxy socks5h://127\.0\.0\.1:9 \(all_proxy\)"):
        download(HUB_ID, ["*"])


@pytest.mark.parametrize("kind", ["socks4", "socks4a", "ftp"])
@pytest.mark.usefixtures("hub")
def test_a_proxy_of_a_kind_that_cannot_be_used_is_a_sentence(
    kind: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("ALL_PROXY", f"{kind}://127.0.0.1:9")

    with pytest.raises(ModelNotFound, match=f"ALL_PROXY names a proxy by {kind}://; only http://"):
        download(HUB_ID, ["*"])


@pytest.mark.parametrize("package", ["socksio", "socks"])
@pytest.mark.usefixtures("hub")
def test_without_the_package_for_socks_one_is_told_what_to_install(
    package: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setitem(sys.modules, package, None)  # pyright: ignore[reportArgumentType]
    environment.setenv("HTTP_PROXY", "socks5://127.0.0.1:9")

    with pytest.raises(ModelNotFound, match="pip install socksio pysocks"):
        download(HUB_ID, ["*"])
