"""Files that lie, deceive, explode or overflow: refused with a sentence, or kept without harm."""

from __future__ import annotations

import http.client
import stat
from pathlib import Path

import pytest

from swarm.audit.models import Audited
from swarm.files.kinds import kind_of
from swarm.files.names import LONGEST, clean, disposition
from swarm.people.actions import add_person
from tests.files.conftest import bomb, message, picture, send, until
from tests.files.test_files_in_both_lanes import hrefs, kept, rows
from tests.portal.house import House, bodies, enter, furnish
from tests.support.backends import Backend
from tests.support.site import Site, serve_site, text_of

HTML = b"<!doctype html><script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("page.png", HTML),
        ("drawing.svg", SVG),
        ("gif.html", b"GIF89a/*" + HTML + b"*/=1"),
        ("cut.png", picture(size=(300, 300))[:-40]),
        ("cut.jpg", picture("JPEG", (300, 300))[:300]),
        ("bomb.png", bomb()),
    ],
)
def test_what_is_no_whole_small_picture_is_only_a_download(
    site: Site, house: House, name: str, data: bytes
) -> None:
    laura, number = enter(site, house)
    sent = send(laura, f"/case/{number}/messages", message(), (name, data))
    assert sent.status_code == 200, sent.text
    (href,) = hrefs(laura, f"/case/{number}")
    got = laura.get(href)
    assert got.headers["content-disposition"].startswith("attachment;")
    assert not got.headers["content-type"].startswith(("text/html", "image/svg"))
    assert got.content == data
    token = href.split("/")[-2]
    assert laura.get(f"/case/{number}/pictures/{token}").status_code == 404
    assert len(kept(site)) == 1


def test_a_picture_with_a_page_behind_it_is_shown_without_the_page(site: Site, house: House) -> None:
    laura, number = enter(site, house)
    send(laura, f"/case/{number}/messages", message(), ("two.png", picture() + HTML))
    (_whole, shown) = hrefs(laura, f"/case/{number}")
    safe = laura.get(shown)
    assert safe.headers["content-type"] == "image/png"
    assert b"script" not in safe.content


@pytest.mark.parametrize(
    ("sent", "cleaned"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\plan.pdf", "plan.pdf"),
        ("a\r\nSet-Cookie: x=1.txt", "aSet-Cookie_ x=1.txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("CON.txt", "_CON.txt"),
        ("..", "file"),
        ("", "file"),
        ("\0\x07", "file"),
        (" . plan.txt. ", "plan.txt"),
        ("a\u2028b.txt", "a b.txt"),
        ("x" * 300 + ".png", "x" * (LONGEST - 4) + ".png"),
        ("Überweisung März.pdf", "Überweisung März.pdf"),
    ],
)
def test_a_name_is_cleaned(sent: str, cleaned: str) -> None:
    assert clean(sent) == cleaned
    header = disposition(clean(sent))
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2


def test_a_hostile_name_is_harmless_on_every_page(site: Site, house: House) -> None:
    laura, number = enter(site, house)
    name = '"><img src=x onerror=alert(1)>.txt'
    sent = send(laura, f"/case/{number}/messages", message(), (name, b"text"))
    assert sent.status_code == 200, sent.text
    for page in (laura.get(f"/case/{number}"), site.person(house.mira).get(f"/tickets/{number}")):
        assert "<img src=x" not in page.text
    (href,) = hrefs(laura, f"/case/{number}")
    assert laura.get(href).content == b"text"


@pytest.mark.parametrize("face", ["text/html", "application/json"])
def test_what_is_refused_is_named_and_the_text_is_kept(backend: Backend, face: str) -> None:
    limits = {"files__most": "2", "files__most_bytes": "1000", "files__message_bytes": "1500"}
    with serve_site(backend, **limits) as site:
        house = furnish(site)
        laura, number = enter(site, house)
        cases = (
            ([("setup.exe", b"x")], ".exe are not taken"),
            ([("setup.exe.txt", b"x")], ".exe are not taken"),
            ([("harmless.txt", b"MZ" + b"\0" * 100)], "Programs are not taken"),
            ([("large.txt", b"x" * 1001)], "too large"),
            ([("a.txt", b"x" * 900), ("b.txt", b"x" * 900)], "Together"),
            ([("empty.txt", b"")], "is empty"),
            ([("a.txt", b"1"), ("b.txt", b"2"), ("c.txt", b"3")], "At most 2 files"),
        )
        for files, why in cases:
            answer = send(laura, f"/case/{number}/messages", message("My words"), *files, face=face)
            assert answer.status_code == 422, why
            assert why in text_of(answer.text), answer.text[:500]
            assert face != "text/html" or "My words</textarea>" in answer.text
        assert len(bodies(site, number)) == 1
        assert (rows(site), kept(site)) == (0, [])


def test_an_upload_that_is_too_large_for_any_door_is_cut(backend: Backend) -> None:
    limits = {"files__message_bytes": "100000", "server__body_bytes": "100000"}
    with serve_site(backend, **limits) as site:
        laura, number = enter(site, furnish(site))
        form = message()
        answer = send(laura, f"/case/{number}/messages", form, ("a.txt", b"x" * 300_000))
        assert answer.status_code == 413
        elsewhere = send(laura, "/sign-in", form, ("a.txt", b"x" * 150_000))
        assert elsewhere.status_code == 413
        assert (rows(site), kept(site)) == (0, [])


def test_very_much_within_an_hour_is_for_later(backend: Backend) -> None:
    with serve_site(backend, files__hour_bytes="1500") as site:
        laura, number = enter(site, furnish(site))
        codes = []
        for _ in range(2):
            sent = send(laura, f"/case/{number}/messages", message(), ("a.txt", b"x" * 1000))
            codes.append(sent.status_code)
        site.clock.move(hours=2)
        codes.append(send(laura, f"/case/{number}/messages", message(), ("a.txt", b"x" * 1000)).status_code)
        assert codes == [200, 422, 200]
        assert len(kept(site)) == 2


def test_an_upload_cut_in_the_middle_leaves_nothing(site: Site, house: House) -> None:
    laura, number = enter(site, house)
    cookies = "; ".join(f"{one.name}={one.value}" for one in laura.http.cookies.jar)
    line = http.client.HTTPConnection(site.url.removeprefix("http://"), timeout=10)
    line.putrequest("POST", f"/case/{number}/messages")
    for name, value in (
        ("Cookie", cookies),
        ("Origin", site.url),
        ("Content-Type", "multipart/form-data; boundary=xx"),
        ("Content-Length", "500000"),
    ):
        line.putheader(name, value)
    line.endheaders()
    line.send(
        b'--xx\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n' + b"x" * 200_000
    )
    arriving = Path(site.settings.files.folder) / "arriving"
    until(lambda: arriving.is_dir() and any(arriving.iterdir()))
    line.close()
    until(lambda: kept(site) == [])
    assert rows(site) == 0
    assert len(bodies(site, number)) == 1


def scanner(home: Path, words: str) -> str:
    script = home / "scan"
    script.write_text(f"#!/bin/sh\n{words}\n")
    script.chmod(script.stat().st_mode | stat.S_IEXEC)
    return str(script)


def test_a_virus_is_refused_and_a_broken_scanner_lets_nothing_through(
    backend: Backend, tmp_path: Path
) -> None:
    script = scanner(
        tmp_path,
        'grep -q BROKEN "$1" && exit 2\ngrep -q SLOW "$1" && exec sleep 60\n'
        'grep -q VIRUS "$1" && echo "$1: Eicar-Test-Signature FOUND" && exit 1\nexit 0',
    )
    with serve_site(backend, files__scan=script, files__scan_seconds="2") as site:
        laura, number = enter(site, furnish(site))
        for data, status, why in (
            (b"a VIRUS in it", 422, "The virus scan found something"),
            (b"BROKEN", 422, "cannot be checked for viruses right now"),
            (b"SLOW", 422, "cannot be checked for viruses right now"),
            (b"clean", 200, ""),
        ):
            answer = send(laura, f"/case/{number}/messages", message(), ("a.txt", data))
            assert answer.status_code == status, data
            assert why in answer.text
        assert (rows(site), len(kept(site))) == (1, 1)
        noted = site.look(
            lambda work: work.session.query(Audited).filter_by(kind="ticket.file_refused").all()
        )
        assert [(one.about, one.actor.partition(":")[0], one.data) for one in noted] == [
            (
                f"ticket:{number}",
                "customer",
                {"ticket_id": number, "name": "a.txt", "verdict": "Eicar-Test-Signature FOUND"},
            )
        ]
        root = site.do(
            lambda work: add_person(work, name="Root", email="r@example.org", role="administrator").id
        )
        page = text_of(site.person(root).get(f"/audit?what=tickets&ticket={number}").text)
        assert "The virus scan refused “a.txt” from Laura Kemp: Eicar-Test-Signature FOUND" in page


def test_where_files_cannot_be_kept_it_is_said_and_nothing_is_posted(
    backend: Backend, tmp_path: Path
) -> None:
    # A file where the folder should be: not even root can write below it.
    (tmp_path / "full").write_bytes(b"")
    with serve_site(backend, files__folder=str(tmp_path / "full")) as site:
        laura, number = enter(site, furnish(site))
        answer = send(laura, f"/case/{number}/messages", message("My words"), ("a.txt", b"x"))
        assert answer.status_code == 507
        assert "cannot be kept right now" in answer.text
        assert (rows(site), len(bodies(site, number))) == (0, 1)


def test_kinds_are_told_by_content() -> None:
    assert kind_of(b"%PDF-1.4") == "application/pdf"
    assert kind_of(b"\x7fELF\x02") == "program/linux"
    assert kind_of("Grüße".encode()) == "text/plain"
    assert kind_of(b"  \n<SVG ") == "text/markup"
    assert kind_of(b"\xff\xfe\0\0") == "application/octet-stream"
