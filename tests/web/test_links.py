"""Addresses come from the settings, never from the request, and lead nowhere else."""

import pytest

from swarm.web.links import Links, local_path, origin


def test_an_absolute_address_starts_with_the_configured_base():
    assert Links("https://desk.example/").absolute("/t/41?a=1") == "https://desk.example/t/41?a=1"
    assert Links("https://desk.example:443/swarm/").absolute("/t/41") == "https://desk.example/swarm/t/41"


@pytest.mark.parametrize("path", ["t/41", "//evil.example", "https://evil.example", "/a\r\nB: c"])
def test_only_our_own_paths_have_an_address(path):
    with pytest.raises(ValueError, match="not a local path"):
        Links("https://desk.example").absolute(path)


@pytest.mark.parametrize(
    "target",
    [
        None,
        "",
        "https://evil.example",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/a\r\nSet-Cookie: x=y",
        "/" + "a" * 3000,
        "/\ud800",
    ],
)
def test_a_redirect_never_leaves_the_site(target):
    assert local_path(target, "/mine") == "/mine"


@pytest.mark.parametrize("target", ["/", "/t/41?next=https://x.example#m-3", "/a//b", "/s?q=\u00e9"])
def test_a_redirect_within_the_site_is_kept(target):
    assert local_path(target) == target


@pytest.mark.parametrize("url", ["ftp://x", "desk.example", "", "http://", "http://a:b"])
def test_a_base_that_is_no_web_address_is_refused(url):
    with pytest.raises(ValueError):
        origin(url)
