"""The shipped configuration and the code say the same; what cannot be used is refused with a sentence."""

import json
import re
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from swarm.settings import Settings, SettingsError, load, resources

SHIPPED = resources("config", "swarm.toml")


def test_the_shipped_file_has_exactly_the_settings_and_defaults_of_the_code() -> None:
    assert tomllib.loads(SHIPPED.read_text(encoding="utf-8")) == json.loads(msgspec.json.encode(Settings()))


def test_every_setting_has_a_line_of_meaning_above_it() -> None:
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    bare = [line for above, line in pairwise(lines) if re.match(r"\w+ =", line) and above[:2] != "# "]
    assert bare == []


def test_nothing_set_gives_the_defaults() -> None:
    assert load({}) == Settings()


def test_the_environment_wins_over_a_file_and_the_file_over_the_defaults(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[server]\nport = 9001\nhost = "0.0.0.0"\n[tickets]\nprefix = "HELP"\n')
    settings = load(
        {"SWARM_CONFIG": str(own), "SWARM_SERVER__PORT": "9002", "SWARM_LIVE__BEAT_SECONDS": "0.5"}
    )
    assert (settings.server.port, settings.server.host) == (9002, "0.0.0.0")
    assert (settings.tickets.prefix, settings.live.beat_seconds) == ("HELP", 0.5)
    assert settings.server.body_bytes == Settings().server.body_bytes


@pytest.mark.parametrize("name", ["SWARM_DATABASE_URL", "SWARM_DATABASE__URL"])
def test_the_database_can_be_named_in_two_ways(name: str) -> None:
    assert load({name: "postgresql+psycopg://u@h/d"}).database.url == "postgresql+psycopg://u@h/d"


def test_the_environment_writes_switches_and_lists() -> None:
    settings = load(
        {"SWARM_DEMO": "true", "SWARM_LOG__JSON": "1", "SWARM_SERVER__ALLOWED_HOSTS": "a.example, b.example"}
    )
    assert settings.demo and settings.log.json
    assert settings.server.hosts >= {"a.example", "b.example", "localhost"}


def test_links_start_with_the_base_address_or_this_machine() -> None:
    assert load({"SWARM_SERVER__PORT": "81"}).server.address == "http://localhost:81"
    assert load({"SWARM_SERVER__BASE_URL": "https://help.example/"}).server.address == "https://help.example"


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        (
            {"SWARM_SERVER__PROT": "1"},
            "There is no setting server.prot, which SWARM_SERVER__PROT sets. Did you mean port?",
        ),
        (
            {"SWARM_SERVER_PORT": "1"},
            "There is no setting server_port, which SWARM_SERVER_PORT sets. Did you mean server?",
        ),
        (
            {"SWARM_SERVER": "1"},
            "SWARM_SERVER names a whole section; add two underscores and the setting's name.",
        ),
        ({"SWARM_SERVER__PORT": "x"}, "The setting server.port cannot be used: Expected int, got str."),
        ({"SWARM_SERVER__PORT": "70000"}, "The setting server.port cannot be used: Expected int <= 65535."),
        ({"SWARM_DEMO": "maybe"}, "The setting demo cannot be used: Expected bool, got str."),
        ({"SWARM_LOG__LEVEL": "loud"}, "The setting log.level cannot be used: Invalid enum value 'loud'."),
        (
            {"SWARM_CONFIG": "/nowhere.toml"},
            "The configuration file /nowhere.toml cannot be read: No such file or directory.",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_sentence(environ: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(environ)
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[servr]\nport = 1\n", "There is no setting servr"),
        ("[server]\nnoise = 1\n", "There is no setting server.noise"),
        ("server = 1\n", "is a section: write [server]"),
        ("[server\n", "is not valid TOML"),
        ('[server]\nport = "x"\n', "The setting server.port cannot be used"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_a_sentence(tmp_path: Path, text: str, part: str) -> None:
    own = tmp_path / "own.toml"
    own.write_text(text)
    with pytest.raises(SettingsError, match=re.escape(part)):
        load({"SWARM_CONFIG": str(own)})


def test_settings_cannot_be_changed_afterwards() -> None:
    settings: Any = load({})
    with pytest.raises(AttributeError):
        settings.demo = True
