"""Every refusal has words, the right status and a usable face; a crash tells nothing of its inside."""

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from swarm.web.errors import Conflict, Forbidden, Gone, NotFound, TooMany, Typed, Unavailable, wants

PROBLEMS = {
    "forbidden": Forbidden("Only <b>the owner</b> may do that."),
    "missing": NotFound(),
    "conflict": Conflict("Mira took it a moment ago.", Typed.blank(reason="My long reason")),
    "gone": Gone("This link was used."),
    "often": TooMany(7),
    "down": Unavailable(),
    "teapot": HTTPException(418, "secret detail"),
    "odd": HTTPException(499, "secret detail"),
}


async def door(request: Request) -> Response:
    name = request.path_params["name"]
    if name == "crash":
        raise RuntimeError("secret detail")
    raise PROBLEMS[name]


@pytest.fixture
def client(build):
    return build(Route("/p/{name}", door)).client


def test_a_browser_gets_a_page_with_the_sentence_escaped(client):
    answer = client.get("/p/forbidden", headers={"accept": "text/html"})
    assert answer.status_code == 403
    assert answer.text.startswith("<!doctype html>")
    assert "Only &lt;b&gt;the owner&lt;/b&gt; may do that." in answer.text
    assert answer.headers["x-request-id"] in answer.text
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("headers", [{"hx-request": "true"}, {"x-swarm-request": "piece"}])
def test_a_page_that_swaps_pieces_gets_a_piece(client, headers):
    answer = client.get("/p/conflict", headers=headers)
    assert answer.status_code == 409
    assert "<html" not in answer.text
    assert "Mira took it a moment ago." in answer.text


@pytest.mark.parametrize("headers", [{"accept": "application/json"}, {"x-swarm-request": "json"}])
def test_a_program_gets_problem_json(client, headers):
    answer = client.get("/p/gone", headers=headers)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "No longer here",
        "status": 410,
        "detail": "This link was used.",
        "request_id": answer.headers["x-request-id"],
    }


def test_what_was_typed_is_shown_again_with_the_refusal(client):
    assert "My long reason" in client.get("/p/conflict").text


def test_hidden_and_unknown_look_the_same(client):
    hidden, unknown = client.get("/p/missing"), client.get("/nowhere")
    assert hidden.status_code == unknown.status_code == 404
    strip = [answer.text.replace(answer.headers["x-request-id"], "") for answer in (hidden, unknown)]
    assert strip[0] == strip[1]


def test_waiting_times_are_told(client):
    assert client.get("/p/often").headers["retry-after"] == "7"
    assert client.get("/p/down").headers["retry-after"] == "5"


def test_a_wrong_method_names_the_right_ones(client):
    answer = client.post("/p/gone")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize("headers", [{}, {"accept": "application/json"}, {"hx-request": "true"}])
@pytest.mark.parametrize(("name", "status"), [("crash", 500), ("teapot", 418), ("odd", 499)])
def test_a_failure_tells_its_number_and_nothing_else(client, name, status, headers):
    answer = client.get(f"/p/{name}", headers=headers)
    assert answer.status_code == status
    assert "secret" not in answer.text
    assert "RuntimeError" not in answer.text
    assert len(answer.headers["x-request-id"]) == 16
    assert "default-src" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("headers", "face"),
    [
        ({}, "page"),
        ({"accept": "*/*"}, "page"),
        ({"accept": "text/html,application/json"}, "page"),
        ({"accept": "application/json"}, "json"),
        ({"accept": "*/*", "content-type": "application/json"}, "json"),
        ({"hx-request": "true", "hx-request-type": "partial"}, "piece"),
        ({"hx-request": "true", "hx-request-type": "full"}, "page"),
    ],
)
def test_the_asker_chooses_the_face(headers, face):
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    assert wants(Request({"type": "http", "headers": raw})) == face
