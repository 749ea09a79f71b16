"""A team's policy: tiered, tierless, or a split drawn in permuted blocks."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd
from random import Random
from typing import Literal

from sqlalchemy import select, update

from swarm.events import Actor
from swarm.events.refusals import ALLOWED, Refused, Stale, Unfit, Verdict, ensure
from swarm.modes.events import PolicyAnnounced, PolicyChanged
from swarm.modes.models import Block, Draw, PolicyChange
from swarm.people.models import Person, Team
from swarm.store import Work
from swarm.text.language import _

Policy = Literal["tiered", "tierless", "split"]
SHARE_STEP = 5
"""Shares are multiples of 5 percent, so that a block has at most 20 tickets."""

chance: Random = secrets.SystemRandom()
"""Replaced in tests by a seeded one."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """The mode of a new ticket and, under a split, how it was drawn."""

    mode: str
    policy_version: int
    block: int | None = None
    position: int | None = None
    block_size: int | None = None
    probability: float | None = None


def may_switch(actor: Actor) -> Verdict:
    """Change a team's policy."""
    if actor.manages:
        return ALLOWED
    return Refused(_("Only managers switch how a team works."))


def policy_name(policy: str, share: int) -> str:
    """As a person reads it."""
    match policy:
        case "tiered":
            return _("Tiered")
        case "tierless":
            return _("Tierless")
        case _other:
            return _("Split, %(share)s %% tierless") % {"share": share}


def switch(work: Work, team_id: int, policy: Policy, share: int, note: str, version: int) -> None:
    """Set the policy that new tickets follow; the one made against an older version loses.

    Raises `NotAllowed`, `Unfit`, and `Stale` naming who was faster and what they set.
    """
    ensure(may_switch(work.actor))
    if policy == "split" and (share % SHARE_STEP or not 0 < share < 100):
        raise Unfit(_("The share is a number of percent from 5 to 95, in steps of 5."), "share")
    share = {"tiered": 0, "tierless": 100}.get(policy, share)
    changed = work.session.execute(
        update(Team)
        .where(Team.id == team_id, Team.policy_version == version)
        .values(policy=policy, share=share, policy_version=version + 1)
        .returning(Team.id)
    ).first()
    if changed is None:
        raise _overtaken(work, team_id)
    work.session.add(
        PolicyChange(
            team_id=team_id,
            version=version + 1,
            policy=policy,
            share=share,
            note=note,
            by_id=work.actor.person_id,
            at=work.now,
        )
    )
    for stream, event in ((f"team:{team_id}", PolicyChanged), ("house:1", PolicyAnnounced)):
        work.record(stream, event(team_id=team_id, version=version + 1, policy=policy, share=share))


def _overtaken(work: Work, team_id: int) -> Stale | Unfit:
    row = work.session.execute(
        select(Team.name, Team.policy, Team.share, Person.name, PolicyChange.note)
        .join(
            PolicyChange,
            (PolicyChange.team_id == Team.id) & (PolicyChange.version == Team.policy_version),
            isouter=True,
        )
        .join(Person, Person.id == PolicyChange.by_id, isouter=True)
        .where(Team.id == team_id)
    ).first()
    if row is None:
        return Unfit(_("There is no such team."))
    team, policy, share, who, note = row
    return Stale(
        _("%(who)s was faster: %(team)s is now “%(policy)s” (%(note)s). Nothing of yours was changed.")
        % {
            "who": who or _("Somebody"),
            "team": team,
            "policy": policy_name(policy, share),
            "note": note or _("no note"),
        }
    )


def choose(work: Work, team: Team, priority: int, *, history: bool = False) -> Drawn:
    """The mode of a ticket opened now.

    Under a split the next letter of the block of this team, priority and policy version (permuted-block
    randomisation, after Zelen 1974); `history` is drawn freely and never uses up a block.
    """
    if team.policy != "split":
        return Drawn(team.policy, team.policy_version)
    if history:
        return Drawn("tierless" if chance.random() * 100 < team.share else "tiered", team.policy_version)
    key = (team.id, priority, team.policy_version)
    block = work.session.get(Block, key, with_for_update=True)
    if block is None:
        block = Block(
            team_id=team.id,
            priority=priority,
            policy_version=team.policy_version,
            number=1,
            order=_permuted(team.share),
            used=0,
        )
        work.session.add(block)
    elif block.used == len(block.order):
        block.number, block.order, block.used = block.number + 1, _permuted(team.share), 0
    letter = block.order[block.used]
    block.used += 1
    return Drawn(
        "tierless" if letter == "h" else "tiered",
        team.policy_version,
        block.number,
        block.used,
        len(block.order),
        team.share / 100,
    )


def keep_draw(work: Work, ticket_id: int, team_id: int, priority: int, drawn: Drawn) -> None:
    """Record the draw beside the ticket; nothing to record without a split."""
    if drawn.block is None or drawn.position is None or drawn.block_size is None or drawn.probability is None:
        return
    work.session.add(
        Draw(
            ticket_id=ticket_id,
            team_id=team_id,
            priority=priority,
            policy_version=drawn.policy_version,
            block=drawn.block,
            position=drawn.position,
            block_size=drawn.block_size,
            probability=drawn.probability,
            mode=drawn.mode,
        )
    )


def history_of(work: Work, team_id: int, limit: int = 50) -> Sequence[tuple[PolicyChange, str | None]]:
    """Changes of a team's policy, newest first, each with the name of who made it."""
    return work.session.execute(
        select(PolicyChange, Person.name)
        .join(Person, Person.id == PolicyChange.by_id, isouter=True)
        .where(PolicyChange.team_id == team_id)
        .order_by(PolicyChange.version.desc())
        .limit(limit)
    ).all()


def _permuted(share: int) -> str:
    # The smallest block that holds the share exactly; of short ones one to three, so that the last letter of
    # a block cannot be foretold from the ones before.
    unit = 100 // gcd(share, 100)
    size = unit * chance.randint(1, max(1, min(3, 12 // unit)))
    hives = size * share // 100
    letters = list("h" * hives + "l" * (size - hives))
    chance.shuffle(letters)
    return "".join(letters)
