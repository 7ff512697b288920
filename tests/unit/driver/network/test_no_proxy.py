"""NO_PROXY is understood in each form that other programs understand."""

from __future__ import annotations

import pytest

from placed.driver.network.no_proxy import is_listed
from placed.driver.network.tls_and_proxy import proxy_for


@pytest.fixture(autouse=True)
def only_these_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("*", "https://graph.example/v1.0"),
        ("graph.example", "https://graph.example/v1.0"),
        ("GRAPH.example", "https://graph.EXAMPLE/v1.0"),
        ("example", "https://graph.example/v1.0"),
        (".graph.example", "https://graph.example"),
        ("*.example", "https://graph.example/v1.0"),
        ("*example", "https://graph.example/v1.0"),
        ("graph.example:443", "https://graph.example/v1.0"),
        ("*.example:8443", "https://graph.example:8443/v1.0"),
        ("other.example, graph.example", "https://graph.example/v1.0"),
        ("other.example graph.example", "https://graph.example/v1.0"),
        ("10.0.0.0/8", "https://10.1.2.3/dav"),
        ("10.1.2.3/8", "https://10.9.9.9/dav"),
        ("10.1.2.3", "https://10.1.2.3:8443/dav"),
        ("10.0.0.0/8:8443", "https://10.1.2.3:8443/dav"),
        ("fd00::/8", "https://[fd00::1]/dav"),
        ("fd00::1", "https://[fd00::1]/dav"),
        ("[fd00::1]:443", "https://[fd00::1]/dav"),
    ],
)
def test_a_listed_host_is_reached_without_the_proxy(
    entry: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", entry)
    assert is_listed(url)
    assert proxy_for(url) is None


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("", "https://graph.example/v1.0"),
        (",", "https://graph.example/v1.0"),
        (".", "https://graph.example/v1.0"),
        ("raph.example", "https://graph.example/v1.0"),
        ("graph.example:8443", "https://graph.example/v1.0"),
        ("graph.example:many", "https://graph.example/v1.0"),
        ("sub.graph.example", "https://graph.example/v1.0"),
        ("10.0.0.0/8", "https://11.1.2.3/dav"),
        ("10.0.0.0/8", "https://graph.example/v1.0"),
        ("10.0.0.0/99", "https://10.1.2.3/dav"),
        ("fd00::/8", "https://10.1.2.3/dav"),
    ],
)
def test_all_other_hosts_are_reached_through_it(
    entry: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", entry)
    assert not is_listed(url)
    assert proxy_for(url) == "http://proxy.example:3128"
