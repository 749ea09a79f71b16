"""Foreign pages, foreign names, endless and slow bodies are turned away before any door opens."""

import asyncio

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from swarm.web.cookies import Cookie

OWN = "http://desk.example"


async def door(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"read {len(await request.body())}")


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("hello")
    await websocket.close()


ROUTES = (
    Route("/do", door, methods=["GET", "POST", "PUT", "DELETE"]),
    Route("/healthz", door),
    WebSocketRoute("/live", socket),
)


@pytest.fixture
def site(build):
    return build(*ROUTES)


@pytest.fixture
def client(site):
    return site.client


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://desk.example.evil.example"},
        {"origin": "http://desk.example:81"},
        {"origin": "https://desk.example"},
        {"origin": ""},
        {"origin": OWN, "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"cookie": "session=x"},
        {"cookie": "session=x", "referer": OWN},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_request_from_a_foreign_page_changes_nothing(client, method, headers):
    answer = client.request(method, "/do", headers=headers)
    assert answer.status_code == 403
    assert "another site" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": OWN, "cookie": "session=x"},
        {"origin": OWN, "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "same-origin", "cookie": "session=x"},
        {},
    ],
)
def test_own_pages_and_programs_without_cookies_may_post(client, headers):
    assert client.post("/do", headers=headers).status_code == 200


def test_two_origins_are_one_too_many(client):
    assert client.post("/do", headers=[("origin", OWN), ("origin", OWN)]).status_code == 403


def test_reading_needs_no_origin(client):
    headers = {"cookie": "session=x", "origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    assert client.get("/do", headers={"cookie": "session=x"}).status_code == 200
    assert client.get("/do", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"cookie": "session=x"},
        {"host": "evil.example"},
    ],
)
def test_a_socket_from_a_foreign_page_is_refused_before_it_opens(client, headers):
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        client.websocket_connect("ws://desk.example/live", headers=headers),
    ):
        pass
    assert refused.value.code == 1008


def test_a_socket_of_our_own_page_opens(client):
    with client.websocket_connect(
        "ws://desk.example/live", headers={"origin": OWN, "cookie": "session=x"}
    ) as open_socket:
        assert open_socket.receive_text() == "hello"
        with pytest.raises(WebSocketDisconnect):
            open_socket.receive_text()


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "",
        "desk.example.evil.example",
        "desk.example@evil.example",
        "desk.example:99999999",
        "desk.example/x",
        "127.0.0.1",
        "sub.example",
        "desk.example, evil.example",
        "desk.example\\evil",
    ],
)
def test_an_unknown_host_is_a_bad_request(client, host):
    assert client.get("/do", headers={"host": host}).status_code == 400


@pytest.mark.parametrize("host", ["desk.example", "DESK.example:8000", "[::1]:8000", "a.sub.example"])
def test_known_hosts_are_answered_at_any_port(client, host):
    assert client.get("/do", headers={"host": host}).status_code == 200


def test_two_hosts_are_one_too_many(client):
    assert client.get("/do", headers=[("host", "desk.example"), ("host", "evil.example")]).status_code == 400


def test_a_probe_may_ask_under_any_name(client):
    assert client.get("/healthz", headers={"host": "10.0.0.7:8000"}).status_code == 200


def test_the_name_used_is_an_origin_too_when_it_is_allowed(client):
    headers = {"host": "[::1]:8000", "origin": "http://[::1]:8000", "cookie": "session=x"}
    assert client.post("/do", headers=headers).status_code == 200


def test_over_https_only_https_pages_are_our_own(build):
    client = build(*ROUTES, base_url="https://desk.example").client
    assert client.post("/do", headers={"origin": "https://desk.example"}).status_code == 200
    assert client.post("/do", headers={"origin": "http://desk.example"}).status_code == 403
    assert "max-age" in client.get("/do").headers["strict-transport-security"]


@pytest.mark.parametrize("length", ["1048577", "9" * 30, "-1", "1_000", "\u0661"])
def test_a_length_that_is_too_large_or_nonsense_is_refused_unread(client, length):
    answer = client.post("/do", headers={"content-length": length.encode()}, content=b"")
    assert answer.status_code in (400, 413)


def test_a_body_without_length_is_cut_where_the_limit_is(build):
    client = build(*ROUTES, max_body=1000).client
    assert client.post("/do", content=iter([b"x" * 600] * 1)).status_code == 200
    assert client.post("/do", content=iter([b"x" * 600] * 3)).status_code == 413


@pytest.mark.anyio
@pytest.mark.parametrize("pieces", [0, 3])
async def test_a_body_that_never_ends_is_answered_in_time(build, pieces):
    site = build(*ROUTES, body_seconds=0.05)
    sent = []
    waiting = [{"type": "http.request", "body": b"x", "more_body": True}] * pieces

    async def receive():
        if waiting:
            return waiting.pop()
        await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/do",
        "query_string": b"",
        "headers": [(b"host", b"desk.example")],
    }
    async with asyncio.timeout(5):
        await site.app(scope, receive, send)
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


def test_every_answer_carries_the_headers_that_bind_browsers(client):
    for answer in (
        client.get("/do"),
        client.get("/none"),
        client.get("/do", headers={"host": "evil.example"}),
    ):
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        for part in (
            "default-src 'self'",
            "script-src 'self'",
            "style-src 'self'",
            "frame-ancestors 'none'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "ws://desk.example",
        ):
            assert part in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert "camera=()" in answer.headers["permissions-policy"]
        assert len(answer.headers["x-request-id"]) == 16


def test_a_request_has_its_own_number_whatever_the_client_says(client):
    first, second = (client.get("/do", headers={"x-request-id": "mine"}) for _ in range(2))
    assert len({first.headers["x-request-id"], second.headers["x-request-id"], "mine"}) == 3


def test_session_cookies_are_out_of_reach_of_scripts_and_siblings():
    answer = PlainTextResponse()
    Cookie("session", secure=True, max_age=60).put(answer, "x")
    told = answer.headers["set-cookie"]
    assert told.startswith("__Host-session=x;")
    assert {"HttpOnly", "Path=/", "SameSite=lax", "Secure", "Max-Age=60"} <= set(told.split("; "))
    assert "Domain" not in told


def test_a_cookie_planted_beside_ours_counts_as_none():
    cookie = Cookie("session", secure=False)
    assert cookie.find("a=1; session=x; b=2") == "x"
    assert cookie.find("session=x; session=y") is None
    assert cookie.find("session=") is None
    assert cookie.find("") is None
