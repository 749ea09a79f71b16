"""Who may do what at every address, frame and stream, written down as data.

A door's name is its method and its path as the route table has them; `lane=…` after it is a variant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.access.people import KINDS, STAFF
from tests.access.rights import BESIDE, GROUPS, OWNERS, READS, ROOM, SEES, OnTicket, Plain
from tests.access.rights import ahead as _ahead
from tests.access.rights import do as _do
from tests.access.rights import see as _see
from tests.access.rights import staff as _staff
from tests.access.table_api import API

ABSENT = Plain({"else": 404})
CASE = Plain({"customer": 200, "other_customer": 404, "else": 401})
NO_CASE = Plain({"customer": 404, "other_customer": 404, "else": 401})
FILE = OnTicket(SEES, (200,))
MANAGERS = Plain({"managers": 204, "staff": 403, "else": 401})
ADMINISTRATORS = Plain({"administrator": 204, "staff": 403, "else": 401})
ADMINISTERED = Plain({"administrator": 200, "staff": 403, "else": 303})
STEERED = Plain({"managers": 200, "staff": 403, "else": 303})
GUEST = Plain({"guest": 200, "else": 404})
KNOW_ANA = ("ladder", "hive", "invited", "swarm")
"""Who sees a ticket of hers, besides managers."""
ANA = Plain({"managers": 200, **dict.fromkeys(KNOW_ANA, 200), "staff": 404, "else": 303})
NOTED = Plain(
    {
        **dict.fromkeys(("ladder_owner", "hive_owner", "hive_lead", "managers"), 204),
        **dict.fromkeys(KNOW_ANA, 403),
        "staff": 404,
        "else": 401,
    }
)
INVITED = Plain({"invited": 204, "staff": 404, "else": 401})

DOORS: Mapping[str, OnTicket | Plain] = {
    # The desk's pages: any colleague; all others are sent to sign in.
    "GET /mine": _staff(200, 303),
    "GET /asked": _staff(200, 303),
    "GET /rooms": _staff(200, 303),
    "GET /queue": _staff(200, 303),
    "GET /tickets": _staff(200, 303),
    "GET /rail": _staff(200, 401),
    "GET /tickets/new": _staff(200, 303),
    # Customers, one of whom has all of these tickets.
    "GET /customers": _staff(200, 303),
    "GET /customers/known": _staff(200, 303),
    "GET /find": _staff(200, 303),
    "GET /customers/{customer:int}": ANA,
    "GET /customers/{customer:int}/about": ANA,
    "POST /customers/{customer:int}": NOTED,
    "POST /customers/{customer:int}/notes": NOTED,
    "GET /customers/{customer:int}/merge": Plain(
        {"managers": 200, **dict.fromkeys(KNOW_ANA, 403), "staff": 404, "else": 303}
    ),
    "POST /customers/{customer:int}/merge": MANAGERS,
    "GET /teams": _staff(200, 303),
    "GET /teams/{key}": _staff(200, 303),
    "GET /teams/{key}/row": _staff(200, 303),
    "GET /me": _staff(200, 303),
    # Administration: managers steer, administrators give accounts; of the ladder and one of its people.
    "GET /people": STEERED,
    "GET /people/new": Plain({"administrator": 200, "staff": 403, "else": 303}),
    "GET /people/{person:int}": STEERED,
    "GET /people/second-step": Plain({"administrator": 200, "staff": 403, "else": 303}),
    "POST /people/second-step": ADMINISTRATORS,
    "POST /people/{person:int}/second-step/removal": ADMINISTRATORS,
    "GET /skills": STEERED,
    "GET /teams/new": STEERED,
    "GET /teams/{key}/settings": STEERED,
    "GET /audit": Plain({"administrator": 200, "staff": 403, "else": 303}),
    "GET /webhooks": ADMINISTERED,
    "GET /webhooks/new": ADMINISTERED,
    "GET /webhooks/{webhook:int}": ADMINISTERED,
    "POST /webhooks": Plain({"administrator": 201, "staff": 403, "else": 401}),
    "POST /webhooks/{webhook:int}": ADMINISTRATORS,
    "POST /webhooks/{webhook:int}/state": ADMINISTRATORS,
    "POST /webhooks/{webhook:int}/secret": Plain({"administrator": 201, "staff": 403, "else": 401}),
    "POST /webhooks/{webhook:int}/again": ADMINISTRATORS,
    "POST /webhooks/{webhook:int}/removal": ADMINISTRATORS,
    "POST /people": ADMINISTRATORS,
    "POST /people/{person:int}/account": ADMINISTRATORS,
    "POST /people/{person:int}/link": Plain({"administrator": 201, "staff": 403, "else": 401}),
    "POST /people/{person:int}/letter": ADMINISTRATORS,
    "POST /people/{person:int}/retirement": ADMINISTRATORS,
    "POST /people/{person:int}/reinstatement": ADMINISTRATORS,
    # Who ends their own sessions ends all others.
    "POST /people/{person:int}/sessions/end": Plain(
        {"administrator": 204, "outsider": 204, "staff": 403, "else": 401}
    ),
    "POST /people/{person:int}/teams": MANAGERS,
    "POST /people/{person:int}/skills": Plain({"managers": 204, "outsider": 204, "staff": 403, "else": 401}),
    "POST /skills": MANAGERS,
    "POST /skills/{skill:int}": MANAGERS,
    "POST /skills/{skill:int}/removal": MANAGERS,
    "POST /teams": MANAGERS,
    "POST /teams/{key}/settings": MANAGERS,
    # A ticket's screen: who sees the ticket sees both its lanes.
    "GET /tickets/{number:int}": _see(),
    "GET /tickets/{number:int}/head": _see(),
    "GET /tickets/{number:int}/side": _see(),
    "GET /tickets/{number:int}/foot/{lane} lane=lane": _see(),
    "GET /tickets/{number:int}/foot/{lane} lane=room": _see(),
    "GET /tickets/{number:int}/foot/{lane} lane=attic": ABSENT,
    "GET /tickets/{number:int}/older/{lane} lane=lane": _see(),
    "GET /tickets/{number:int}/older/{lane} lane=room": _see(),
    "GET /tickets/{number:int}/older/{lane} lane=attic": ABSENT,
    "GET /tickets/{number:int}/timeline": _see(),
    "GET /tickets/{number:int}/paper": _see(),
    # Files: whoever may read the message, at the door of their own kind; the room's by no customer's door.
    "GET /files/{token}/{name} lane=lane": FILE,
    "GET /files/{token}/{name} lane=room": FILE,
    "GET /pictures/{token} lane=lane": FILE,
    "GET /pictures/{token} lane=room": FILE,
    "GET /case/{number:int}/files/{token}/{name} lane=lane": CASE,
    "GET /case/{number:int}/files/{token}/{name} lane=room": NO_CASE,
    "GET /case/{number:int}/pictures/{token} lane=lane": CASE,
    "GET /case/{number:int}/pictures/{token} lane=room": NO_CASE,
    "POST /tickets/{number:int}/{lane}/files lane=lane": _ahead(
        {"climbing": "ladder_owner", "swarming": "hive_owner", "fresh": "hive_lead"}
    ),
    "POST /tickets/{number:int}/{lane}/files lane=room": _ahead(ROOM),
    "POST /tickets/{number:int}/{lane}/files lane=attic": ABSENT,
    "POST /case/{number:int}/files": Plain({"customer": 201, "other_customer": 404, "else": 401}),
    # What is done on a ticket.
    "POST /tickets": Plain({"ladder": 204, "managers": 204, "staff": 403, "else": 401}),
    "POST /tickets/{number:int}/{lane}/messages lane=lane": OnTicket(
        {"climbing": "ladder_owner", "swarming": "hive_owner", "fresh": "hive_lead"}, (200,)
    ),
    "POST /tickets/{number:int}/{lane}/messages lane=room": OnTicket(ROOM, (200,)),
    "POST /tickets/{number:int}/{lane}/messages lane=attic": ABSENT,
    "POST /tickets/{number:int}/read": _do(**READS),
    "POST /tickets/{number:int}/pace": _do(**OWNERS, solved="nobody"),
    "POST /tickets/{number:int}/resolution": _do(**OWNERS, solved="nobody"),
    "POST /tickets/{number:int}/reopening": _do(swarming="nobody", solved="hive_owner"),
    "POST /tickets/{number:int}/answer": _do(**OWNERS),
    "POST /tickets/{number:int}/details": _do(climbing="ladder managers", swarming="hive managers"),
    "POST /tickets/{number:int}/link": OnTicket(OWNERS, (200,)),
    "POST /tickets/{number:int}/link/end": _do(**OWNERS),
    "POST /tickets/{number:int}/owner": _do(
        # An owner who takes what they have is told that they have it.
        climbing="ladder_owner managers",
        waiting="ladder_two managers",
        swarming="hive_owner managers",
        fresh="hive managers",
    ),
    "POST /tickets/{number:int}/handover": _do(**OWNERS),
    "POST /tickets/{number:int}/escalation": _do(
        climbing="ladder_owner", waiting="nobody", swarming="nobody", fresh="nobody"
    ),
    "POST /tickets/{number:int}/return": _do(
        climbing="nobody", waiting="ladder_owner ladder_two", swarming="nobody"
    ),
    "POST /tickets/{number:int}/mode": _do(climbing="managers", swarming="managers", solved="nobody"),
    "POST /tickets/{number:int}/asks": _do(
        climbing="nobody", swarming="hive_owner", fresh="hive_lead", solved="nobody"
    ),
    "GET /tickets/{number:int}/proposal": _see(
        {"climbing": "nobody", "swarming": "hive_owner", "fresh": "hive_lead", "solved": "nobody"}
    ),
    "POST /tickets/{number:int}/hand": _do(
        climbing="nobody",
        swarming="hive_lead hive_one invited left dismissed declined skilled",
        fresh="hive_owner hive_one",
        solved="nobody",
    ),
    "POST /tickets/{number:int}/leaving": _do(climbing="nobody", swarming="swarm"),
    "POST /tickets/{number:int}/dismissal": _do(climbing="nobody", swarming="hive_owner"),
    "POST /tickets/{number:int}/guests": OnTicket(
        {"climbing": "nobody", "swarming": "hive_owner", "fresh": "hive_lead", "solved": "nobody"}, (200,)
    ),
    "POST /tickets/{number:int}/guests/withdrawal": _do(swarming="hive_owner managers"),
    "POST /asks/{ask:int}/end": _do(swarming="hive_owner"),
    "POST /invitations/{invitation:int}/acceptance": INVITED,
    "POST /invitations/{invitation:int}/refusal": INVITED,
    # The switch.
    "POST /teams/{key}/policy": MANAGERS,
    # My own page; the password is tried with a wrong one.
    "POST /me/availability": _staff(204, 401),
    "POST /me/skills": _staff(204, 401),
    "POST /me/letters": _staff(204, 401),
    "POST /me/profile": _staff(204, 401),
    "POST /me/password": _staff(422, 401),
    "POST /me/sessions/end": _staff(204, 401),
    # A token is made with the password; the one that is ended is the outsider's.
    "GET /me/tokens": _staff(200, 303),
    "POST /me/tokens": _staff(422, 401),
    "POST /me/tokens/end": _staff(204, 401),
    "POST /me/tokens/{token:int}/end": Plain({"outsider": 204, "staff": 404, "else": 401}),
    "POST /people/{person:int}/tokens/{token:int}/end": Plain(
        {"administrator": 204, "outsider": 204, "staff": 403, "else": 401}
    ),
    "GET /me/second-step": _staff(200, 303),
    # Each asks for the password, or for what only follows from it.
    "POST /me/second-step/app": _staff(422, 401),
    "POST /me/second-step/app/confirmation": _staff(404, 401),
    "POST /me/second-step/passkey/options": _staff(422, 401),
    "POST /me/second-step/passkey": _staff(404, 401),
    "POST /me/second-step/removal": _staff(422, 401),
    "POST /me/second-step/codes": _staff(422, 401),
    **API,
    # Everybody's.
    "GET /": _staff(303, 200),
    "GET /sign-in": _staff(303, 200),
    "POST /sign-in": Plain({"else": 401}),
    # Without a password that was right there is no second step.
    "GET /sign-in/second": Plain({"half_way": 200, "else": 303}),
    "POST /sign-in/second": Plain({"half_way": 422, "else": 303}),
    "POST /sign-in/second/options": Plain({"half_way": 200, "else": 410}),
    "POST /sign-in/second/passkey": Plain({"half_way": 422, "else": 303}),
    "GET /sign-in/add": Plain({"else": 303}),
    "POST /sign-in/add": Plain({"else": 410}),
    "POST /sign-out": Plain({"else": 303}),
    "POST /demo/sign-in": ABSENT,
    "GET /demo": ABSENT,
    "POST /demo": ABSENT,
    "GET /demo/stage": ABSENT,
    "GET /set-up": Plain({"else": 303}),
    "POST /set-up": Plain({"else": 409}),
    "GET /forgotten": Plain({"else": 200}),
    "POST /forgotten": Plain({"else": 200}),
    "POST /language": Plain({"else": 303}),
    "GET /account/{secret}": Plain({"else": 200}),
    "POST /account/{secret}": Plain({"else": 303}),
    "GET /open": Plain({"else": 200}),
    "POST /open": Plain({"else": 201}),
    "GET /link/{secret}": Plain({"else": 200}),
    "POST /link/{secret}": Plain({"else": 303}),
    "GET /case/{number:int}": CASE,
    "GET /case/{number:int}/head": CASE,
    "GET /case/{number:int}/note": CASE,
    "GET /case/{number:int}/foot": CASE,
    "GET /case/{number:int}/older": CASE,
    "POST /case/{number:int}/messages": CASE,
    "POST /case/{number:int}/read": Plain({"customer": 204, "other_customer": 404, "else": 401}),
    "POST /case/{number:int}/letters": Plain({"customer": 204, "other_customer": 404, "else": 401}),
    "GET /join/{secret}": Plain({"else": 200}),
    "POST /join/{secret}": Plain({"else": 303}),
    # A guest's own address, and one whose access ended.
    "GET /guest/{guest:int}": GUEST,
    "GET /guest/{guest:int}/head": GUEST,
    "GET /guest/{guest:int}/older/{lane} lane=lane": GUEST,
    "GET /guest/{guest:int}/older/{lane} lane=room": GUEST,
    "GET /guest/{guest:int}/older/{lane} lane=attic": ABSENT,
    "POST /guest/{guest:int}/messages": GUEST,
    "POST /guest/{guest:int}/files": Plain({"guest": 201, "else": 404}),
    "POST /guest/{guest:int}/leaving": GUEST,
    # By the ticket: whichever of a browser's guests is of it.
    "GET /guest/of/{number:int}/files/{token}/{name} lane=lane": GUEST,
    "GET /guest/of/{number:int}/files/{token}/{name} lane=room": GUEST,
    "GET /guest/of/{number:int}/pictures/{token} lane=lane": GUEST,
    "GET /guest/of/{number:int}/pictures/{token} lane=room": GUEST,
    "GET /guest/{guest:int} who=ended_guest": ABSENT,
    "GET /guest/{guest:int}/head who=ended_guest": ABSENT,
    "GET /guest/{guest:int} who=other_guest": Plain({"other_guest": 200, "else": 404}),
    "POST /guest/{guest:int}/messages who=ended_guest": ABSENT,
    "POST /guest/{guest:int}/files who=ended_guest": ABSENT,
    "POST /guest/{guest:int}/leaving who=ended_guest": ABSENT,
    "GET /healthz": Plain({"else": 200}),
    "GET /readyz": Plain({"else": 200}),
    # For whoever has the token alone, which is none of these.
    "GET /metrics": ABSENT,
    "GET /static": Plain({"else": 200}),
}

SOCKETS: Mapping[str, tuple[str, ...]] = {
    "/live": tuple(STAFF),
    "/live/case": ("customer", "other_customer"),
    "/live/guest/{guest:int}": ("guest", "other_guest"),
}
"""Who is let in; everybody else is told that they are signed out."""
WATCHERS = {kind: path for path, kinds in SOCKETS.items() for kind in kinds}
"""Everybody who may open a socket, and which."""

STREAMS: Mapping[str, Mapping[str, str]] = {
    "person": {},
    "house": {"1": "staff"},
    "team": {"ladder": "ladder managers", "hive": "hive managers"},
    "lane": {**{name: f"{who} customer" for name, who in SEES.items()}, **BESIDE},
    "room": {**SEES, **BESIDE},
    "customer": {"ana": f"{' '.join(KNOW_ANA)} managers", "olu": "ladder hive managers"},
}
"""Who may watch which; a person's own stream is for that person alone."""

FRAMES: Mapping[str, str] = {
    "watch": "a stream of STREAMS, for whom it names",
    "unwatch": "anybody; it only ends something",
    "ping": "anybody",
    "typing": "whoever may write there; customers hear of the owner only, and only on their lane",
    "post": "as the form: POSTS",
}
POSTS: Mapping[str, Mapping[str, str]] = {
    "lane": {
        "climbing": "ladder_owner customer",
        "waiting": "ladder_owner customer",
        "swarming": "hive_owner customer",
    },
    "room": {name: ROOM[name] for name in ("climbing", "waiting", "swarming")},
}
"""Who may write through the socket; others get 403 where they see the ticket, 404 where not."""


def members(who: str) -> frozenset[str]:
    """The kinds behind a list of names and groups."""
    found = frozenset(kind for name in who.split() for kind in GROUPS.get(name, (name,)))
    assert found <= set(KINDS), f"unknown kinds: {found - set(KINDS)}"
    return found


def expected(door: str, kind: str, ticket: str) -> tuple[int, ...]:
    """The statuses that are right at this door."""
    rule = DOORS[door]
    if isinstance(rule, Plain):
        for name, status in rule.status.items():
            if name == "else" or kind in members(name):
                return (status,)
        raise AssertionError(f"{door} says nothing of {kind}")
    if kind not in STAFF:
        return (303,) if door.startswith("GET ") and " /api/" not in door else (401,)
    if kind in members(rule.who[ticket]):
        return rule.passed
    return (403,) if kind in members(SEES[ticket]) else (404,)


def cells(door: str) -> Iterator[tuple[str, str]]:
    """Ticket and kind of everybody who tries this door; whom no ticket knows tries it with one."""
    rule = DOORS[door]
    tickets = ("swarming",) if isinstance(rule, Plain) else tuple(rule.who)
    for ticket in tickets:
        for kind in KINDS:
            if ticket == tickets[0] or kind in (*STAFF, "customer", "other_customer"):
                yield ticket, kind
