"""Who may do what at the doors of programs: `tests.access.table` has them with all others."""

from __future__ import annotations

from collections.abc import Mapping

from tests.access.rights import OWNERS, ROOM, OnTicket, Plain, see, staff

MANAGERS = Plain({"managers": 200, "staff": 403, "else": 401})
ADMINISTRATORS = Plain({"administrator": 200, "staff": 403, "else": 401})


def _on(passed: int = 200, /, **who: str) -> OnTicket:
    return OnTicket(who, (passed,))


# For programs, with a token of each kind of person in place of a cookie: the rules are those of the pages.
_API: Mapping[tuple[str, str], OnTicket | Plain] = {
    ("GET", "/openapi.json"): Plain({"else": 200}),
    ("GET", "/tickets"): staff(200, 401),
    ("POST", "/tickets"): Plain({"ladder": 201, "managers": 201, "staff": 403, "else": 401}),
    ("GET", "/tickets/{number:int}"): see(),
    ("POST", "/tickets/{number:int}/details"): _on(climbing="ladder managers", swarming="hive managers"),
    ("GET", "/tickets/{number:int}/lanes/{lane}/events lane=lane"): see(),
    ("GET", "/tickets/{number:int}/lanes/{lane}/events lane=room"): see(),
    ("GET", "/tickets/{number:int}/lanes/{lane}/events lane=attic"): staff(404, 401),
    ("POST", "/tickets/{number:int}/lanes/{lane}/messages lane=lane"): _on(
        201, climbing="ladder_owner", swarming="hive_owner", fresh="hive_lead"
    ),
    ("POST", "/tickets/{number:int}/lanes/{lane}/messages lane=room"): _on(201, **ROOM),
    # As JSON, which is refused once it is clear that files would be taken from whoever sends it.
    ("POST", "/tickets/{number:int}/lanes/{lane}/files lane=lane"): _on(
        415, climbing="ladder_owner", swarming="hive_owner", fresh="hive_lead"
    ),
    ("POST", "/tickets/{number:int}/lanes/{lane}/files lane=room"): _on(415, **ROOM),
    ("GET", "/files/{token} lane=lane"): see(),
    ("GET", "/files/{token} lane=room"): see(),
    ("POST", "/tickets/{number:int}/answer"): _on(**OWNERS),
    ("POST", "/tickets/{number:int}/pace"): _on(**OWNERS, solved="nobody"),
    ("POST", "/tickets/{number:int}/resolution"): _on(**OWNERS, solved="nobody"),
    ("POST", "/tickets/{number:int}/reopening"): _on(swarming="nobody", solved="hive_owner"),
    ("POST", "/tickets/{number:int}/owner"): _on(
        climbing="ladder_owner managers",
        waiting="ladder_two managers",
        swarming="hive_owner managers",
        fresh="hive managers",
    ),
    ("POST", "/tickets/{number:int}/handover"): _on(**OWNERS),
    ("POST", "/tickets/{number:int}/escalation"): _on(
        climbing="ladder_owner", waiting="nobody", swarming="nobody", fresh="nobody"
    ),
    ("POST", "/tickets/{number:int}/return"): _on(
        climbing="nobody", waiting="ladder_owner ladder_two", swarming="nobody"
    ),
    ("POST", "/tickets/{number:int}/mode"): _on(climbing="managers", swarming="managers", solved="nobody"),
    ("GET", "/tickets/{number:int}/swarm"): see(),
    ("POST", "/tickets/{number:int}/asks"): _on(
        201, climbing="nobody", swarming="hive_owner", fresh="hive_lead", solved="nobody"
    ),
    ("GET", "/tickets/{number:int}/proposal"): see(
        {"climbing": "nobody", "swarming": "hive_owner", "fresh": "hive_lead", "solved": "nobody"}
    ),
    ("POST", "/tickets/{number:int}/hand"): _on(
        climbing="nobody",
        swarming="hive_lead hive_one invited left dismissed declined skilled",
        fresh="hive_owner hive_one",
        solved="nobody",
    ),
    ("POST", "/tickets/{number:int}/leaving"): _on(204, climbing="nobody", swarming="swarm"),
    ("POST", "/tickets/{number:int}/dismissal"): _on(climbing="nobody", swarming="hive_owner"),
    ("POST", "/asks/{ask:int}/end"): _on(swarming="hive_owner"),
    ("GET", "/asked"): staff(200, 401),
    ("POST", "/invitations/{invitation:int}/acceptance"): Plain({"invited": 200, "staff": 404, "else": 401}),
    ("POST", "/invitations/{invitation:int}/refusal"): Plain({"invited": 204, "staff": 404, "else": 401}),
    ("GET", "/me"): staff(200, 401),
    ("POST", "/me/availability"): staff(200, 401),
    ("POST", "/me/skills"): staff(200, 401),
    ("GET", "/people"): MANAGERS,
    ("POST", "/people"): Plain({"administrator": 201, "staff": 403, "else": 401}),
    ("GET", "/people/{person:int}"): MANAGERS,
    ("POST", "/people/{person:int}/account"): ADMINISTRATORS,
    ("POST", "/people/{person:int}/retirement"): ADMINISTRATORS,
    ("POST", "/people/{person:int}/reinstatement"): ADMINISTRATORS,
    # What one knows oneself is said on one's own page: the token of who steers nothing has no such scope.
    ("POST", "/people/{person:int}/skills"): MANAGERS,
    ("GET", "/teams"): staff(200, 401),
    ("GET", "/teams/{key}"): staff(200, 401),
    ("GET", "/teams/{key}/members"): MANAGERS,
    ("POST", "/teams/{key}/members"): MANAGERS,
    ("POST", "/teams/{key}/members/removal"): MANAGERS,
    ("POST", "/teams/{key}/policy"): MANAGERS,
    ("GET", "/skills"): staff(200, 401),
}
API: Mapping[str, OnTicket | Plain] = {
    f"{method} /api/v1{path}": rule for (method, path), rule in _API.items()
}
