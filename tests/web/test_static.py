"""Our files are kept for ever under an address that changes with them, and nothing else is given out."""

import re

import pytest

from swarm.web.static import Static


@pytest.fixture
def site(build):
    return build()


def test_a_file_is_served_for_ever_under_its_hash(site):
    url = site.static.url("css/app.css")
    assert re.fullmatch("/static/[0-9a-f]{12}/css/app.css", url)
    answer = site.client.get(url)
    assert answer.text == "/* css/app.css */"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/css")
    assert (
        site.client.get(site.static.url("js/desk.js")).headers["content-type"].startswith("text/javascript")
    )


def test_an_unchanged_file_is_not_sent_again(site):
    url = site.static.url("css/app.css")
    tag = site.client.get(url).headers["etag"]
    again = site.client.get(url, headers={"if-none-match": tag})
    assert again.status_code == 304
    assert again.headers["cache-control"].endswith("immutable")


def test_an_address_from_before_an_upgrade_works_but_is_not_kept(site):
    answer = site.client.get("/static/000000000000/css/app.css")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"


def test_any_change_of_any_file_changes_the_address(files):
    before = Static(files).url("css/app.css")
    (files / "js/desk.js").write_text("changed")
    assert Static(files).url("css/app.css") != before


def test_what_gets_smaller_is_packed_for_who_takes_it(site, files):
    (files / "css/app.css").write_text("/* the same again */ " * 500)
    url = site.static.url("css/app.css")
    packed = site.client.get(url, headers={"accept-encoding": "br, gzip"})
    plain = site.client.get(url, headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.text == plain.text
    assert int(packed.headers["content-length"]) < len(plain.text) / 10
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert packed.headers["etag"] != plain.headers["etag"]
    assert packed.headers["cache-control"] == "public, max-age=31536000, immutable"
    (files / "css/app.css").write_text("/* another */ " * 500)
    changed = site.client.get(url, headers={"accept-encoding": "gzip"})
    assert changed.text == "/* another */ " * 500


def test_a_packed_file_is_not_sent_again_nor_in_parts(site, files):
    (files / "css/app.css").write_text("/* the same again */ " * 500)
    url = site.static.url("css/app.css")
    tag = site.client.get(url, headers={"accept-encoding": "gzip"}).headers["etag"]
    again = site.client.get(url, headers={"accept-encoding": "gzip", "if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert (
        site.client.get(url, headers={"accept-encoding": "identity", "if-none-match": tag}).status_code == 200
    )
    part = site.client.get(url, headers={"accept-encoding": "gzip", "range": "bytes=0-9"})
    assert (part.status_code, part.text) == (206, "/* the sam")
    head = site.client.head(url, headers={"accept-encoding": "gzip"})
    assert head.headers["content-encoding"] == "gzip" and head.content == b""


@pytest.mark.parametrize("accepts", ["", "gzip;q=0", "gzip; q=0.000", "br", "x-gzip", "identity"])
def test_who_does_not_take_gzip_gets_it_plain(site, files, accepts):
    url = site.static.url("js/desk.js")
    assert "content-encoding" not in site.client.get(url, headers={"accept-encoding": accepts}).headers


@pytest.mark.parametrize(
    "path",
    [
        "/static/x/../outside.txt",
        "/static/x/../../outside.txt",
        "/static/x/%2e%2e/%2e%2e/outside.txt",
        "/static/x/..%2foutside.txt",
        "/static/x/..%5coutside.txt",
        "/static/x//etc/passwd",
        "/static/x/%2fetc%2fpasswd",
        "/static/x/.secret",
        "/static/x/css/../.secret",
        "/static/x/css",
        "/static/x/",
        "/static/x",
        "/static/",
        "/static/x/a%00b",
        "/static/x/" + "a" * 5000,
    ],
)
def test_nothing_outside_the_folder_is_given_out(site, path):
    assert site.client.get(path).status_code in (404, 307)
    assert "outside" not in site.client.get(path).text


def test_links_out_of_the_folder_are_not_followed(site, files):
    (files / "out.txt").symlink_to(files.parent / "outside.txt")
    assert site.client.get("/static/x/out.txt").status_code == 404
