"""Signing in and out: the same for who exists and who does not, slowed, and gone when it is over."""

from __future__ import annotations

import re
import threading
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from swarm.accounts import passwords
from swarm.accounts.actions import key_of, set_password
from swarm.accounts.models import SessionRow
from swarm.people.actions import add_person, deactivate
from tests.portal.house import at_once
from tests.support.backends import Backend
from tests.support.site import Site, Visitor, serve_site

PASSWORD = "correct horse battery"
HASH = passwords.hash_of(PASSWORD)


def employ(site: Site, email: str = "mira@example.org", role: Any = "agent") -> int:
    return site.do(
        lambda work: add_person(work, name="Mira Jansen", email=email, role=role, password=HASH).id
    )


@pytest.fixture
def mira(site: Site) -> int:
    employ(site, "ada@example.org", "administrator")
    return employ(site)


def sign_in(
    visitor: Visitor, email: str = "mira@example.org", password: str = PASSWORD, **form: str
) -> httpx2.Response:
    return visitor.post("/sign-in", {"email": email, "password": password, **form})


def sessions(site: Site) -> list[SessionRow]:
    return site.look(
        lambda work: list(work.session.scalars(select(SessionRow).order_by(SessionRow.created_at)))
    )


def test_the_right_password_opens_the_desk(site: Site, mira: int) -> None:
    visitor = site.stranger()
    answer = sign_in(visitor, "MIRA@example.org")
    assert (answer.status_code, answer.headers["location"]) == (303, "/mine")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert visitor.get("/").headers["location"] == "/mine"
    assert visitor.get("/sign-in").headers["location"] == "/mine"
    kept = sessions(site)
    assert [row.person_id for row in kept] == [mira]
    assert kept[0].key == key_of(visitor.http.cookies["session"])


@pytest.mark.parametrize(
    "target",
    [
        "https://elsewhere.example",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "javascript:alert(1)",
        "elsewhere",
    ],
)
def test_next_leads_nowhere_else(site: Site, mira: int, target: str) -> None:
    page = site.stranger().get("/sign-in?next=" + target.replace("\\", "%5C"))
    assert page.status_code == 200
    assert "elsewhere.example" not in page.text
    assert sign_in(site.stranger(), next=target).headers["location"] == "/mine"


def test_next_leads_back_to_a_page_of_ours(site: Site, mira: int) -> None:
    assert 'name="next" value="/tickets/41"' in site.stranger().get("/sign-in?next=/tickets/41").text
    assert sign_in(site.stranger(), next="/tickets/41").headers["location"] == "/tickets/41"


def same(answer: httpx2.Response) -> str:
    """The page without what differs between any two."""
    return re.sub(r'value="[^"]*"', "", answer.text)


def test_nothing_tells_whether_an_account_exists(
    site: Site, mira: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = []
    plain = passwords.fits

    def spy(password: str, kept: str | None) -> bool:
        checked.append(kept)
        return plain(password, kept)

    monkeypatch.setattr("swarm.portal.getting_in.fits", spy)
    site.do(lambda work: add_person(work, name="No Password", email="none@example.org", role="agent"))
    gone = employ(site, "gone@example.org")
    site.do(lambda work: deactivate(work, gone))
    addresses = ["mira@example.org", "nobody@example.org", "none@example.org", "gone@example.org"]
    answers = [sign_in(site.stranger(), address, "wrong " + PASSWORD) for address in addresses]
    assert {answer.status_code for answer in answers} == {401}
    assert len({same(answer) for answer in answers}) == 1
    assert len(checked) == 4
    assert [kept is not None for kept in checked] == [True, False, False, False]
    assert sign_in(site.stranger(), "gone@example.org").status_code == 401
    assert sign_in(site.stranger(), "none@example.org", "nobody has this password").status_code == 401
    assert sessions(site) == []


def test_a_refused_page_keeps_the_address_and_not_the_password(site: Site, mira: int) -> None:
    answer = sign_in(site.stranger(), password="something wrong", next="/queue")
    assert 'value="mira@example.org"' in answer.text
    assert 'value="/queue"' in answer.text
    assert "something wrong" not in answer.text


def test_guesses_are_slowed_by_account_and_by_address(backend: Backend) -> None:
    with serve_site(backend, limits__sign_in_per_minute="3") as site:
        employ(site)
        visitor = site.stranger()
        guesses = [sign_in(visitor, password="wrong wrong wrong").status_code for _ in range(4)]
        assert guesses == [401, 401, 401, 429]
        right = sign_in(visitor)
        assert right.status_code == 429
        assert int(right.headers["retry-after"]) > 0
        assert sign_in(visitor, "somebody@else.example.org").status_code == 429


def test_each_sign_in_is_a_new_session_and_ends_the_one_before(site: Site, mira: int) -> None:
    visitor = site.stranger()
    sign_in(visitor)
    first = visitor.http.cookies["session"]
    sign_in(visitor)
    second = visitor.http.cookies["session"]
    assert first != second
    assert [row.ended_at is not None for row in sessions(site)] == [True, False]


def test_a_planted_cookie_does_not_become_the_session(site: Site, mira: int) -> None:
    visitor = site.stranger()
    answer = visitor.post(
        "/sign-in", {"email": "mira@example.org", "password": PASSWORD}, Cookie="session=planted"
    )
    assert answer.status_code == 303
    assert "planted" not in answer.headers["set-cookie"]
    assert key_of("planted") not in [row.key for row in sessions(site)]


def test_signing_out_ends_it(site: Site, mira: int) -> None:
    visitor = site.stranger()
    sign_in(visitor)
    secret = visitor.http.cookies["session"]
    assert visitor.get("/sign-out").status_code == 405
    assert visitor.post("/sign-out", Origin="https://elsewhere.example").status_code == 403
    assert visitor.get("/").headers["location"] == "/mine"
    answer = visitor.post("/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert "session" not in visitor.http.cookies
    assert site.stranger().get("/", Cookie=f"session={secret}").status_code == 200
    assert site.stranger().post("/sign-out").status_code == 303


def test_a_session_ends_unused_or_after_its_days(site: Site, mira: int) -> None:
    visitor = site.stranger()
    sign_in(visitor)
    for _ in range(3):
        site.clock.move(hours=10)
        assert visitor.get("/me").status_code == 200
    site.clock.move(hours=13)
    assert visitor.get("/me").headers["location"].startswith("/sign-in")
    sign_in(visitor)
    for _ in range(35):
        site.clock.move(hours=10)
        last = visitor.get("/me").status_code
    assert last == 303


def test_a_new_password_and_a_deactivation_end_sessions(site: Site, mira: int) -> None:
    first, second = site.stranger(), site.stranger()
    sign_in(first)
    sign_in(second)
    keep = key_of(first.http.cookies["session"])
    site.do(lambda work: set_password(work, mira, passwords.hash_of("another password"), but=[keep]))
    assert first.get("/").headers["location"] == "/mine"
    assert second.get("/").status_code == 200
    site.do(lambda work: deactivate(work, mira))
    assert first.get("/").status_code == 200


def test_at_most_so_many_hashes_at_once(site: Site, mira: int, monkeypatch: pytest.MonkeyPatch) -> None:
    lock, most, now = threading.Lock(), 0, 0
    plain = passwords.fits

    def counted(password: str, kept: str | None) -> bool:
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
        try:
            return plain(password, kept)
        finally:
            with lock:
                now -= 1

    monkeypatch.setattr("swarm.portal.getting_in.fits", counted)
    answers = at_once(6, lambda: sign_in(site.stranger()).status_code)
    assert answers == [303] * 6
    assert most <= site.settings.passwords.at_once


BAD: dict[str, tuple[dict[str, str], int]] = {
    "role": ({"role": "administrator"}, 422),
    "person": ({"person_id": "1"}, 422),
    "no password": ({"password": ""}, 422),
    "long password": ({"password": "x" * 201}, 422),
    "control character": ({"email": "a\x00b@example.org"}, 422),
    "long next": ({"next": "/" + "x" * 2001}, 422),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(site: Site, mira: int, name: str) -> None:
    wrong, status = BAD[name]
    form = {"email": "mira@example.org", "password": PASSWORD, **wrong}
    for accept in ("text/html", "application/json"):
        assert site.stranger().post("/sign-in", form, Accept=accept).status_code == status
    assert sessions(site) == []


def test_what_no_page_of_ours_sends(site: Site, mira: int) -> None:
    visitor, own = site.stranger(), {"Origin": site.url}
    form = {"email": "mira@example.org", "password": PASSWORD}
    assert visitor.http.post("/sign-in", json=form, headers=own).status_code == 415
    assert visitor.post("/sign-in", form, Origin="https://elsewhere.example").status_code == 403
    assert visitor.post("/sign-in", form, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    kinds = {"Content-Type": "application/x-www-form-urlencoded"}
    twice = b"email=mira%40example.org&password=a&password=b"
    assert visitor.http.post("/sign-in", content=twice, headers={**own, **kinds}).status_code == 422
    assert visitor.http.get("/sign-in", params=form).status_code == 200
    assert sessions(site) == []
