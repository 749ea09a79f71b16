"""What people send is read completely or refused with a sentence a field; nothing unknown gets through."""

import enum
from typing import Annotated, Literal

import msgspec
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from swarm.text.language import _
from swarm.web.errors import Invalid
from swarm.web.forms import Form, Many, ManyLines, Number, OneLine, Secret, read_form, read_query, typed_again


class Mode(enum.Enum):
    TIERED = "tiered"
    TIERLESS = "tierless"


class Open(Form):
    subject: Annotated[str, OneLine(20)]
    body: Annotated[str, ManyLines(50, min=3)]
    note: Annotated[str, OneLine(20, min=0)] = ""
    password: Annotated[str, Secret(30)] | None = None
    priority: Literal["low", "urgent"] = "low"
    stars: Literal[1, 2] = 1
    mode: Mode = Mode.TIERED
    version: Annotated[int, Number(0, 10)] = 0
    urgent: bool = False
    skills: Annotated[tuple[Annotated[int, Number(1)], ...], Many(3)] = ()
    team: Annotated[int, Number(1)] | None = None

    def __post_init__(self) -> None:
        if self.subject == self.body:
            raise Invalid({"body": _("Say more than the subject.")})


RIGHT = {"subject": "Export", "body": "It stops."}


async def door(request: Request) -> JSONResponse:
    return JSONResponse(msgspec.to_builtins(await read_form(request, Open)))


async def again(request: Request) -> JSONResponse:
    try:
        await read_form(request, Open)
    except Invalid as invalid:
        typed = invalid.typed
        return JSONResponse(
            {"values": dict(typed.values), "chosen": dict(typed.chosen), "problems": dict(typed.problems)},
            422,
        )
    return JSONResponse({})


async def search(request: Request) -> JSONResponse:
    return JSONResponse(msgspec.to_builtins(read_query(request, Open)))


@pytest.fixture
def client(build):
    return build(
        Route("/open", door, methods=["POST"]),
        Route("/again", again, methods=["POST"]),
        Route("/search", search),
    ).client


def problems(client: TestClient, **fields: object) -> dict[str, str]:
    found: dict[str, str] = client.post("/again", data={**RIGHT, **fields}).json().get("problems", {})
    return found


def test_a_right_form_is_read_with_its_types(client):
    sent = {
        **RIGHT,
        "subject": "  Ex\tport ",
        "body": "one\r\ntwo",
        "priority": "urgent",
        "stars": "2",
        "mode": "tierless",
        "version": "7",
        "urgent": "on",
        "skills": ["3", "4"],
        "team": "",
        "password": " as typed ",
    }
    assert client.post("/open", data=sent).json() == {
        "subject": "Ex port",
        "body": "one\ntwo",
        "note": "",
        "password": " as typed ",
        "priority": "urgent",
        "stars": 2,
        "mode": "tierless",
        "version": 7,
        "urgent": True,
        "skills": [3, 4],
        "team": None,
    }


def test_multipart_and_query_strings_read_the_same(client):
    assert (
        client.post("/open", files={name: (None, value) for name, value in RIGHT.items()}).status_code == 200
    )
    assert client.get("/search", params=RIGHT).json()["subject"] == "Export"
    assert client.get("/search", params={**RIGHT, "x": "1"}).status_code == 422


def test_every_problem_is_told_at_once_and_what_was_typed_is_kept(client):
    sent = {
        "subject": "s" * 21,
        "body": "x",
        "version": "many",
        "skills": ["1", "2", "3", "4"],
        "password": "p" * 31,
    }
    answer = client.post("/again", data=sent).json()
    assert answer["problems"] == {
        "subject": "At most 20 characters, this has 21.",
        "body": "At least 3 characters.",
        "version": "This must be a whole number.",
        "skills": "At most 3.",
        "password": "At most 30 characters, this has 31.",
    }
    assert answer["values"] == {"subject": "s" * 21, "body": "x", "version": "many"}
    assert answer["chosen"] == {"skills": ["1", "2", "3", "4"]}


@pytest.mark.parametrize("name", ["role", "owner_id", "__class__", "subject[]", "Subject", ""])
def test_an_unknown_field_is_refused(client, name):
    answer = client.post("/open", data={**RIGHT, name: "administrator"})
    assert answer.status_code == 422
    assert problems(client, **{name: "x"}) == {name: "This field is not known here."}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("subject", ""),
        ("subject", " \t "),
        ("subject", "a\0b"),
        ("subject", "\u202egpj.exe"),
        ("body", "\x1b[2J and more"),
        ("password", "a\0b"),
        ("version", "11"),
        ("version", "-1"),
        ("version", "1e1"),
        ("version", "1_0"),
        ("version", "\u0663"),
        ("version", ""),
        ("version", "9" * 5000),
        ("version", "NaN"),
        ("skills", "0"),
        ("skills", ""),
        ("team", "0"),
        ("team", "null"),
        ("priority", "highest"),
        ("priority", ""),
        ("stars", "3"),
        ("mode", "TIERED"),
        ("urgent", "maybe"),
    ],
)
def test_wrong_values_are_refused_with_a_sentence(client, name, value):
    assert set(problems(client, **{name: value})) == {name}


@pytest.mark.parametrize("name", ["subject", "version", "urgent", "priority"])
def test_a_field_sent_twice_is_refused_instead_of_picking_one(client, name):
    assert set(problems(client, **{name: ["1", "2"]})) >= {name}


def test_an_unticked_box_means_no(client):
    assert client.post("/open", data=RIGHT).json()["urgent"] is False


def test_a_problem_across_fields_keeps_what_was_typed(client):
    answer = client.post("/again", data={"subject": "same", "body": "same"}).json()
    assert answer["problems"] == {"body": "Say more than the subject."}
    assert answer["values"]["subject"] == "same"


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("text/plain", b"subject=a&body=bcd", 415),
        ("application/json", b"{}", 415),
        ("", b"subject=a&body=bcd", 415),
        ("application/x-www-form-urlencoded; charset=utf-7", b"subject=a&body=bcd", 415),
        ("multipart/form-data; boundary=x; charset=punycode", b"", 415),
        ("multipart/form-data", b"", 400),
        ("multipart/form-data; boundary=x", b"nonsense", 400),
        ("multipart/form-data; boundary=\xff".encode("latin-1"), b"", 400),
        ("application/x-www-form-urlencoded", b"subject=%ff&body=bcd", 400),
        ("application/x-www-form-urlencoded", b"subject=%ed%a0%80&body=bcd", 400),
        ("application/x-www-form-urlencoded", b"subject=\xff&body=bcd", 400),
        ("application/x-www-form-urlencoded", b"a=1&" * 201, 400),
        ("application/x-www-form-urlencoded", b"subject=" + b"a" * 300_000, 400),
        ("application/x-www-form-urlencoded", b"subject=" + b"a" * 1_100_000, 413),
    ],
)
def test_what_cannot_be_read_has_the_right_status(client, kind, body, status):
    answer = client.post("/open", content=body, headers={"content-type": kind})
    assert answer.status_code == status


def multipart(*parts: bytes) -> bytes:
    return (
        b"".join(b"--x\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts) + b"--x--\r\n"
    )


@pytest.mark.parametrize(
    "part",
    [
        b'name="subject"\r\n\r\n\xff\xfe',
        b'name="subject"; filename="a.txt"\r\n\r\nfile',
        b'name="subject"\r\n\r\n' + b"a" * 300_000,
        b"\r\n\r\nno name",
    ],
)
def test_broken_letters_files_and_endless_parts_are_refused_in_multipart(client, part):
    answer = client.post(
        "/open", content=multipart(part), headers={"content-type": "multipart/form-data; boundary=x"}
    )
    assert answer.status_code == 400


def test_a_problem_nobody_caught_shows_the_typed_words_again_escaped(client):
    answer = client.post("/open", data={"subject": "<script>x</script>", "body": "", "password": "hunter2"})
    assert answer.status_code == 422
    assert "&lt;script&gt;x&lt;/script&gt;" in answer.text
    assert "hunter2" not in answer.text


def test_a_form_refused_by_a_rule_is_shown_again_as_it_was_sent_but_for_secrets():
    form = Open(subject="a", body="bcd", password="hunter2", mode=Mode.TIERLESS, urgent=True, skills=(3, 4))
    typed = typed_again(form, "Mira was faster.")
    assert typed.sentence == "Mira was faster."
    assert typed.value("mode") == "tierless"
    assert typed.has("urgent", "on")
    assert typed.has("skills", 4)
    assert typed.value("team", "?") == ""
    assert "hunter2" not in repr(typed)


def test_a_form_that_would_take_unknown_fields_cannot_be_declared():
    class Loose(msgspec.Struct):
        subject: str

    class Wide(Form):
        anything: dict[str, str]

    from swarm.web import fields

    for form in (Loose, Wide):
        with pytest.raises(TypeError):
            list(fields.of(form))
