"""Files go with messages, and whoever may read the message fetches them; nobody else finds them."""

from __future__ import annotations

import io
import re
import secrets
from pathlib import Path

from PIL import Image
from sqlalchemy import func, select

from swarm.schedule import Run, schedule
from swarm.tickets.models import File, Message
from tests.files.conftest import message, picture, send
from tests.portal.house import House, enter, field_in, link_in, opening, tickets
from tests.support.site import Site, Visitor

HREF = re.compile(r'(?:href|src)="((?:/case/\d+)?/(?:files|pictures)/[^"]+)"')


def hrefs(visitor: Visitor, path: str) -> list[str]:
    """What a page offers to fetch."""
    return HREF.findall(visitor.get(path).text)


def kept(site: Site) -> list[Path]:
    """Every file on the disk."""
    return [path for path in Path(site.settings.files.folder).rglob("*") if path.is_file()]


def rows(site: Site) -> int:
    return site.look(lambda work: work.session.scalar(select(func.count()).select_from(File)) or 0)


def test_a_customers_file_is_read_by_both_sides(site: Site, house: House) -> None:
    laura, number = enter(site, house)
    mira = site.person(house.mira)
    sent = send(laura, f"/case/{number}/messages", message(), ("export.log", b"It stopped.\n"))
    assert sent.status_code == 200, sent.text
    for visitor, page in ((laura, f"/case/{number}"), (mira, f"/tickets/{number}")):
        (href,) = hrefs(visitor, page)
        got = visitor.get(href)
        assert got.content == b"It stopped.\n"
        assert got.headers["content-disposition"].startswith('attachment; filename="export.log"')
        assert got.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in got.headers["content-security-policy"]
        assert got.headers["cache-control"] == "private, no-cache"


def test_a_rooms_file_is_no_customers(site: Site, house: House) -> None:
    laura, number = enter(site, house)
    mira = site.person(house.mira)
    sent = send(mira, f"/tickets/{number}/room/messages", message(), ("inside.png", picture()))
    assert sent.status_code == 200, sent.text
    found = hrefs(mira, f"/tickets/{number}")
    assert len(found) == 2
    assert hrefs(laura, f"/case/{number}") == []
    for href in found:
        assert mira.get(href).status_code == 200
        assert laura.get(f"/case/{number}{href}").status_code == 404
        assert laura.get(href).status_code == 303
        assert site.person(house.otto).get(href).status_code == 404
        assert site.stranger().get(f"/case/{number}{href}").status_code == 401
    unknown = f"/case/{number}/files/{secrets.token_hex(16)}/inside.png"
    words = laura.get(unknown, Accept="application/json").json()["detail"]
    hidden = laura.get(f"/case/{number}{found[0]}", Accept="application/json").json()["detail"]
    assert words == hidden


def test_one_customers_file_is_not_anothers(site: Site, house: House) -> None:
    laura, number = enter(site, house)
    other, others = enter(site, house, email="somebody@else.example.org")
    send(laura, f"/case/{number}/messages", message(), ("mine.txt", b"mine"))
    (href,) = hrefs(laura, f"/case/{number}")
    assert other.get(href).status_code == 404
    assert other.get(href.replace(f"/case/{number}/", f"/case/{others}/")).status_code == 404


def test_a_picture_is_shown_drawn_anew_and_kept_as_it_was(site: Site, house: House) -> None:
    laura, number = enter(site, house)
    exif = Image.Exif()
    exif[0x010E] = "taken at 52.37, 4.89"
    exif[0x0112] = 6
    data = picture("JPEG", (400, 200), exif=exif)
    send(laura, f"/case/{number}/messages", message(), ("photo.jpg", data))
    (whole, shown) = hrefs(laura, f"/case/{number}")
    assert laura.get(whole).content == data
    safe = laura.get(shown)
    assert safe.headers["content-type"] == "image/jpeg"
    assert b"52.37" not in safe.content
    with Image.open(io.BytesIO(safe.content)) as drawn:
        assert drawn.size == (200, 400), "turned as the camera said"
        assert not drawn.getexif()
    again = laura.get(shown, **{"If-None-Match": safe.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_files_reach_an_open_page_with_their_message(site: Site, house: House) -> None:
    laura, number = enter(site, house)
    mira = site.person(house.mira)
    with (
        mira.socket({f"lane:{number}": 0}) as staff,
        laura.socket({f"lane:{number}": 0}, "/live/case") as customer,
    ):
        send(laura, f"/case/{number}/messages", message("Look"), ("shot.png", picture()))
        for wire, href in ((staff, '"/pictures/'), (customer, f'"/case/{number}/pictures/')):
            frame = wire.until(lambda frame: frame["t"] == "event" and "Look" in str(frame))
            assert href in str(frame)


def test_files_sent_ahead_go_with_the_message_that_names_them(site: Site, house: House) -> None:
    laura, number = enter(site, house)
    ahead = send(laura, f"/case/{number}/files", {}, ("a.txt", b"first"))
    assert ahead.status_code == 201, ahead.text
    (token,) = ahead.json()["files"]
    assert laura.get(f"/case/{number}/files/{token}/a.txt").status_code == 404, "not before its message"
    posted = laura.post(
        f"/case/{number}/messages", {**message(""), "files": token}, Accept="application/json"
    )
    assert posted.status_code == 200, posted.text
    assert laura.get(f"/case/{number}/files/{token}/a.txt").content == b"first"
    twice = laura.post(f"/case/{number}/messages", {**message(), "files": token}, Accept="application/json")
    assert twice.status_code == 422
    assert "files" in twice.json()["problems"]


def test_nobody_attaches_what_another_sent_or_what_was_for_another_lane(site: Site, house: House) -> None:
    laura, number = enter(site, house)
    other, others = enter(site, house, email="somebody@else.example.org")
    mira = site.person(house.mira)
    hers = send(laura, f"/case/{number}/files", {}, ("a.txt", b"a")).json()["files"][0]
    room = send(mira, f"/tickets/{number}/room/files", {}, ("b.txt", b"b")).json()["files"][0]
    tries = (
        (other, f"/case/{others}/messages", hers),
        (mira, f"/tickets/{number}/lane/messages", room),
        (mira, f"/tickets/{number}/room/messages", hers),
        (laura, f"/case/{number}/messages", room),
        (laura, f"/case/{number}/messages", secrets.token_hex(16)),
    )
    for visitor, path, token in tries:
        answer = visitor.post(path, {**message(), "files": token}, Accept="application/json")
        assert answer.status_code == 422, path
    assert site.look(lambda work: work.session.scalar(select(func.sum(Message.files)))) == 0


def test_an_exact_retry_is_one_message_and_another_file_a_conflict(site: Site, house: House) -> None:
    laura, number = enter(site, house)
    form = message()
    first = send(laura, f"/case/{number}/messages", form, ("a.txt", b"one"))
    again = send(laura, f"/case/{number}/messages", form, ("a.txt", b"one"))
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    for files in ([("a.txt", b"two")], [("b.txt", b"one")], [("a.txt", b"one"), ("a.txt", b"one")], []):
        assert send(laura, f"/case/{number}/messages", form, *files).status_code in (409,), files
    assert len(hrefs(laura, f"/case/{number}")) == 1


def test_a_ticket_is_opened_with_files_once(site: Site, house: House) -> None:
    visitor = site.stranger()
    form = opening(house)
    first = send(visitor, "/open", form, ("screen.png", picture()), face="text/html")
    assert first.status_code == 201, first.text
    again = send(visitor, "/open", form, ("screen.png", picture()), face="text/html")
    assert link_in(first) == link_in(again)
    assert (
        send(visitor, "/open", form, ("screen.png", picture(size=(9, 9))), face="text/html").status_code
        == 409
    )
    assert tickets(site) == 1
    visitor.post(link_in(first))
    number = site.look(lambda work: work.session.scalars(select(Message.ticket_id)).one())
    assert [visitor.get(href).status_code for href in hrefs(visitor, f"/case/{number}")] == [200, 200]


def test_a_colleague_opens_a_ticket_with_files(site: Site, house: House) -> None:
    mira = site.person(house.mira)
    form = {
        "client_id": field_in(mira.get("/tickets/new"), "client_id"),
        "name": "Ana",
        "subject": "By phone",
        "body": "It broke.",
        "team": str(house.support),
    }
    answer = send(mira, "/tickets", form, ("plan.pdf", b"%PDF-1.7 x"), face="text/html")
    assert answer.status_code == 303, answer.text
    (href,) = hrefs(mira, answer.headers["location"])
    assert mira.get(href).headers["content-type"] == "application/pdf"


def test_without_a_file_chosen_the_form_is_a_message_alone(site: Site, house: House) -> None:
    laura, number = enter(site, house)
    edge = "x1x"
    body = "".join(
        f'--{edge}\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n{value}\r\n'
        for name, extra, value in (
            ("client_id", "", secrets.token_hex(8)),
            ("body", "", "Nothing with it"),
            ("files", '; filename=""\r\nContent-Type: application/octet-stream', ""),
        )
    )
    headers = {
        "Origin": site.url,
        "Content-Type": f"multipart/form-data; boundary={edge}",
        "Accept": "text/html",
    }
    path = f"/case/{number}/messages"
    answer = laura.http.post(path, content=f"{body}--{edge}--\r\n".encode(), headers=headers)
    assert answer.status_code == 303, answer.text
    assert rows(site) == 0
    assert kept(site) == []


def test_what_never_went_with_a_message_is_swept(site: Site, house: House) -> None:
    laura, number = enter(site, house)
    send(laura, f"/case/{number}/files", {}, ("a.png", picture()))
    send(laura, f"/case/{number}/messages", message(), ("b.png", picture()))
    assert (rows(site), len(kept(site))) == (2, 4)
    run = schedule(site.settings)["sweep_files"][1]
    swept(site, run)
    assert rows(site) == 2
    site.clock.move(hours=25)
    swept(site, run)
    assert (rows(site), len(kept(site))) == (1, 2)


def swept(site: Site, run: Run) -> None:
    """As the clock does it: bytes after the commit, rows in the next run."""
    for _time in range(2):
        after = site.do(run)
        assert callable(after)
        after()
