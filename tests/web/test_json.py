"""JSON is read strictly: what two readers could understand differently is refused."""

import time
from typing import Annotated

import msgspec
import pytest
from httpx2 import Response
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from swarm.web import strict_json
from swarm.web.errors import BadRequest
from swarm.web.forms import Form, Many, Number, OneLine, read_json


class Post(Form):
    body: Annotated[str, OneLine(20)]
    count: Annotated[int, Number(0, 5)] = 0
    loud: bool = False
    tags: Annotated[tuple[Annotated[str, OneLine(5)], ...], Many(2)] = ()
    team: Annotated[int, Number(1)] | None = None


async def door(request: Request) -> JSONResponse:
    return JSONResponse(msgspec.to_builtins(await read_json(request, Post)))


@pytest.fixture
def client(build):
    return build(Route("/post", door, methods=["POST"])).client


def post(client: TestClient, body: bytes, kind: str = "application/json") -> Response:
    return client.post("/post", content=body, headers={"content-type": kind})


def test_a_right_object_is_read(client):
    answer = post(client, b'{"body": " hi ", "count": 5, "loud": true, "tags": ["a"], "team": null}')
    assert answer.json() == {"body": "hi", "count": 5, "loud": True, "tags": ["a"], "team": None}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"NaN",
        b'{"body": "a", "count": NaN}',
        b'{"body": "a", "count": Infinity}',
        b'{"body": "a", "count": 1e999}',
        b'{"body": "a", "count": ' + b"9" * 5000 + b"}",
        b'{"body": "a", "body": "b"}',
        b'{"body": "\xff"}',
        b'{"body": "\xed\xa0\x80"}',
        b"\xff\xfe{\x00}\x00",
        b'{"body": "a\n"}',
        b'{"\\ud800": 1}',
        b"[" * 100_000,
        b'{"a":' * 33 + b"1" + b"}" * 33,
    ],
)
def test_doubtful_json_is_a_bad_request(client, body):
    answer = post(client, body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"body": "\\ud800"}', "body"),
        (b'{"body": "\\u0000"}', "body"),
        (b'{"body": 5}', "body"),
        (b'{"count": 1}', "body"),
        (b'{"body": "a", "count": "1"}', "count"),
        (b'{"body": "a", "count": true}', "count"),
        (b'{"body": "a", "count": 1.0}', "count"),
        (b'{"body": "a", "count": 6}', "count"),
        (b'{"body": "a", "loud": 1}', "loud"),
        (b'{"body": "a", "tags": "a"}', "tags"),
        (b'{"body": "a", "tags": ["a", "b", "c"]}', "tags"),
        (b'{"body": "a", "tags": [["a"]]}', "tags"),
        (b'{"body": "a", "role": "administrator"}', "role"),
    ],
)
def test_wrong_fields_are_named(client, body, field):
    answer = post(client, body)
    assert answer.status_code == 422
    assert list(answer.json()["problems"]) == [field]


@pytest.mark.parametrize("kind", ["text/plain", "", "application/x-www-form-urlencoded", "application/jsonp"])
def test_json_under_another_name_is_refused_because_a_foreign_page_could_send_it(client, kind):
    assert post(client, b'{"body": "a"}', kind).status_code == 415


@pytest.mark.parametrize(
    "text", [b'"' + b'\\"' * 500_000, b'"\\' * 300_000, b"[]" * 500_000, b'"a' * 400_000]
)
def test_no_json_is_slow_to_refuse(text):
    started = time.thread_time()
    with pytest.raises(BadRequest):
        strict_json.loads(text)
    assert time.thread_time() - started < 1


def test_brackets_inside_strings_are_not_depth():
    assert strict_json.loads(b'["' + b"[" * 1000 + b'\\""]') == ["[" * 1000 + '"']
