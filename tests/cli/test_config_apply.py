"""The file of teams: read once, and again only on purpose."""

import re
from pathlib import Path

import pytest

from swarm import seeds
from swarm.events import SYSTEM
from swarm.events.refusals import No
from swarm.modes.models import PolicyChange
from swarm.people.models import Team
from swarm.people.queries import members
from tests.cli.conftest import Run
from tests.support.backends import Backend
from tests.support.town import build, open_store

FILE = """
[[skills]]
key = "product"
name = "The product"

[[teams]]
key = "support"
name = "Help desk"
policy = "tiered"
tiers = ["Front", "Middle", "Back"]
duty_lead = "lea@example.org"

[[people]]
name = "Lea Berg"
email = "lea@example.org"
role = "agent"
teams = [{ team = "support", tier = 2 }]
skills = ["product"]
"""


def test_applying_says_what_changed_and_twice_says_nothing(
    set_up: Run, backend: Backend, tmp_path: Path
) -> None:
    file = tmp_path / "teams.toml"
    file.write_text(FILE)
    said = set_up("config", "apply", str(file), "--as", "sam@example.org").stdout.splitlines()
    assert said == [
        "Skill Product knowledge: now called The product",
        "Lea Berg: account added, without a password",
        "Team Support: now called Help desk",
        "Team Help desk: tiers changed",
        "Team Help desk: new tickets are Tiered",
        "Team Help desk: lea@example.org is the duty lead now",
        "Lea Berg: teams changed",
        "Lea Berg: skills added",
    ]
    assert set_up("config", "apply", str(file)).stdout == "Nothing to change.\n"
    store = open_store(backend)
    team = store.read_now(SYSTEM, lambda work: work.session.query(Team).one())
    assert (team.key, team.name, team.policy, team.policy_version) == ("support", "Help desk", "tiered", 2)
    assert store.read_now(SYSTEM, lambda work: work.session.query(PolicyChange).one()).by_id == 1
    names = store.read_now(SYSTEM, lambda work: [one.name for one, _rung in members(work.session, team.id)])
    assert names == ["Lea Berg", "Sam Okafor"]
    store.close()


def test_what_pages_changed_stays_until_then(set_up: Run, backend: Backend) -> None:
    set_up("person", "add", "mira@example.org", "--name", "Mira")
    set_up("team", "lead", "support", "mira@example.org")
    assert set_up("config", "apply").stdout == "Nothing to change.\n"
    assert "Mira" in set_up("team", "list").stdout


def test_the_shipped_file_can_be_used() -> None:
    assert [team.key for team in seeds.read().teams] == ["support"]


def test_tickets_that_wait_above_keep_their_tier(backend: Backend, run: Run, tmp_path: Path) -> None:
    store = open_store(backend)
    town = build(store)
    from swarm.routing.escalation import escalate
    from swarm.tickets.actions import take

    ticket = town.open("ladder")
    town.do("ada", lambda work: take(work, ticket))
    town.do("ada", lambda work: escalate(work, ticket, "Hard", "Tried it all"))
    key = store.read_now(SYSTEM, lambda work: work.session.get_one(Team, town.teams["ladder"]).key)
    store.close()
    file = tmp_path / "teams.toml"
    file.write_text(f'[[teams]]\nkey = "{key}"\nname = "Ladder"\npolicy = "tiered"\ntiers = ["Only"]\n')
    assert "has 1 open ticket above tier 1" in run("config", "apply", str(file), code=1).stderr


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[teams]\n", "is not valid TOML"),
        ("[[taems]]\n", "unknown field `taems`".replace("`", "")),
        ('[[teams]]\nkey = "a"\nname = "A"\npolicy = "flat"\n', "teams a policy: Invalid enum value 'flat'"),
        (
            '[[teams]]\nkey = "A B"\nname = "A"\n',
            "teams A B key: Expected `str` matching regex".replace("`", ""),
        ),
        ('[[teams]]\nkey = "a"\nname = "A"\npolicy = "split"\nshare = 33\n', "teams a share: Expected"),
        ('[[teams]]\nkey = "a"\n', "teams a: Object missing required field name"),
        (
            '[[teams]]\nkey = "a"\nname = "A"\n[[teams]]\nkey = "a"\nname = "B"\n',
            "The team a stands in it twice.",
        ),
        (
            '[[people]]\nname = "P"\nemail = "p@x"\nskills = ["s"]\n',
            "P has the skill s, which it does not list.",
        ),
        (
            '[[people]]\nname = "P"\nemail = "p@x"\nteams = [{ team = "t" }]\n',
            "P is in the team t, which it does not list.",
        ),
        (
            '[[teams]]\nkey = "t"\nname = "T"\n[[people]]\nname = "P"\nemail = "p@x"\n'
            'teams = [{ team = "t", tier = 2 }]\n',
            "P is in tier 2 of t, which has 1.",
        ),
        ('teams = "none"\n', "Expected array, got str"),
    ],
)
def test_a_bad_file_is_a_sentence(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "teams.toml"
    file.write_text(text)
    with pytest.raises(No, match=re.escape(says)) as refused:
        seeds.read(file)
    assert str(file) in refused.value.sentence


def test_a_duty_lead_needs_an_account(set_up: Run, tmp_path: Path) -> None:
    file = tmp_path / "teams.toml"
    file.write_text('[[teams]]\nkey = "a"\nname = "A"\nduty_lead = "no@example.org"\n')
    assert (
        "The duty lead no@example.org of team A has no account."
        in set_up("config", "apply", str(file), code=1).stderr
    )
    assert "cannot be read" in set_up("config", "apply", str(tmp_path / "nothing.toml"), code=1).stderr
    assert set_up("team", "list").stdout.count("\n") == 1
