"""Every address and the door behind it."""

from __future__ import annotations

import re

from starlette.routing import BaseRoute, Route
from starlette.types import Scope

from swarm.administration import audit, people, person, required, skills
from swarm.administration import teams as team_settings
from swarm.desk import asks, files, lists, me, opening, owners, teams, ticket, writing
from swarm.desk import second_step as my_second_step
from swarm.portal import account, cases, forgotten, getting_in, health, links, measures, second_step
from swarm.portal import files as case_files

STAFF: list[BaseRoute] = [
    Route("/mine", lists.mine),
    Route("/asked", lists.asked),
    Route("/rooms", lists.rooms),
    Route("/queue", lists.queue),
    Route("/tickets", lists.everything),
    Route("/tickets", opening.open_for_customer, methods=["POST"]),
    Route("/rail", lists.rail),
    Route("/tickets/new", opening.new),
    Route("/tickets/{number:int}", ticket.show),
    Route("/tickets/{number:int}/head", ticket.head),
    Route("/tickets/{number:int}/side", ticket.side),
    Route("/tickets/{number:int}/foot/{lane}", ticket.foot),
    Route("/tickets/{number:int}/older/{lane}", ticket.older),
    Route("/tickets/{number:int}/timeline", ticket.timeline),
    Route("/tickets/{number:int}/{lane}/messages", writing.post, methods=["POST"]),
    Route("/tickets/{number:int}/{lane}/files", files.send, methods=["POST"]),
    Route("/pictures/{token}", files.picture),
    Route("/files/{token}/{name}", files.fetch),
    Route("/tickets/{number:int}/read", writing.read, methods=["POST"]),
    Route("/tickets/{number:int}/pace", writing.pace, methods=["POST"]),
    Route("/tickets/{number:int}/resolution", writing.resolve, methods=["POST"]),
    Route("/tickets/{number:int}/reopening", writing.reopen, methods=["POST"]),
    Route("/tickets/{number:int}/answer", writing.mark_answer, methods=["POST"]),
    Route("/tickets/{number:int}/details", writing.details, methods=["POST"]),
    Route("/tickets/{number:int}/link", writing.link, methods=["POST"]),
    Route("/tickets/{number:int}/link/end", writing.end_access, methods=["POST"]),
    Route("/tickets/{number:int}/owner", owners.take, methods=["POST"]),
    Route("/tickets/{number:int}/handover", owners.hand_over, methods=["POST"]),
    Route("/tickets/{number:int}/escalation", owners.escalate, methods=["POST"]),
    Route("/tickets/{number:int}/return", owners.send_back, methods=["POST"]),
    Route("/tickets/{number:int}/mode", owners.move_mode, methods=["POST"]),
    Route("/tickets/{number:int}/asks", asks.ask, methods=["POST"]),
    Route("/tickets/{number:int}/proposal", asks.proposal),
    Route("/tickets/{number:int}/hand", asks.raise_hand, methods=["POST"]),
    Route("/tickets/{number:int}/leaving", asks.leave, methods=["POST"]),
    Route("/tickets/{number:int}/dismissal", asks.dismiss, methods=["POST"]),
    Route("/asks/{ask:int}/end", asks.close, methods=["POST"]),
    Route("/invitations/{invitation:int}/acceptance", asks.accept, methods=["POST"]),
    Route("/invitations/{invitation:int}/refusal", asks.decline, methods=["POST"]),
    Route("/teams", teams.show),
    Route("/teams", team_settings.found, methods=["POST"]),
    Route("/teams/new", team_settings.new),
    Route("/teams/{key}", teams.history),
    Route("/teams/{key}/settings", team_settings.show),
    Route("/teams/{key}/settings", team_settings.settle, methods=["POST"]),
    Route("/teams/{key}/row", teams.row),
    Route("/teams/{key}/policy", teams.switch, methods=["POST"]),
    Route("/people", people.show),
    Route("/people", people.add, methods=["POST"]),
    Route("/people/new", people.new),
    Route("/people/second-step", required.show),
    Route("/people/second-step", required.require, methods=["POST"]),
    Route("/people/{person:int}", person.show),
    Route("/people/{person:int}/second-step/removal", person.clear_second_step, methods=["POST"]),
    Route("/people/{person:int}/account", person.account, methods=["POST"]),
    Route("/people/{person:int}/teams", person.teams, methods=["POST"]),
    Route("/people/{person:int}/skills", person.skills, methods=["POST"]),
    Route("/people/{person:int}/link", person.link, methods=["POST"]),
    Route("/people/{person:int}/letter", person.letter, methods=["POST"]),
    Route("/people/{person:int}/sessions/end", person.end_sessions, methods=["POST"]),
    Route("/people/{person:int}/retirement", person.retire, methods=["POST"]),
    Route("/people/{person:int}/reinstatement", person.take_back, methods=["POST"]),
    Route("/skills", skills.show),
    Route("/skills", skills.add, methods=["POST"]),
    Route("/skills/{skill:int}", skills.rename, methods=["POST"]),
    Route("/skills/{skill:int}/removal", skills.remove, methods=["POST"]),
    Route("/audit", audit.show),
    Route("/me", me.show),
    Route("/me/availability", me.availability, methods=["POST"]),
    Route("/me/skills", me.skills, methods=["POST"]),
    Route("/me/profile", me.profile, methods=["POST"]),
    Route("/me/password", me.password, methods=["POST"]),
    Route("/me/second-step", my_second_step.show),
    Route("/me/second-step/app", my_second_step.new_app, methods=["POST"]),
    Route("/me/second-step/app/confirmation", my_second_step.confirm_app, methods=["POST"]),
    Route("/me/second-step/passkey/options", my_second_step.passkey_options, methods=["POST"]),
    Route("/me/second-step/passkey", my_second_step.new_passkey, methods=["POST"]),
    Route("/me/second-step/removal", my_second_step.remove, methods=["POST"]),
    Route("/me/second-step/codes", my_second_step.new_codes, methods=["POST"]),
    Route("/me/sessions/end", me.end_sessions, methods=["POST"]),
]

EVERYBODY: list[BaseRoute] = [
    Route("/", getting_in.home),
    Route("/sign-in", getting_in.sign_in_page),
    Route("/sign-in", getting_in.sign_in, methods=["POST"]),
    Route("/sign-in/second", second_step.show),
    Route("/sign-in/second", second_step.code, methods=["POST"]),
    Route("/sign-in/second/options", second_step.options, methods=["POST"]),
    Route("/sign-in/second/passkey", second_step.passkey, methods=["POST"]),
    Route("/sign-in/add", second_step.add_page),
    Route("/sign-in/add", second_step.add, methods=["POST"]),
    Route("/sign-out", getting_in.sign_out, methods=["POST"]),
    Route("/demo/sign-in", getting_in.demo_sign_in, methods=["POST"]),
    Route("/set-up", getting_in.set_up_page),
    Route("/set-up", getting_in.set_up, methods=["POST"]),
    Route("/forgotten", forgotten.show),
    Route("/forgotten", forgotten.ask, methods=["POST"]),
    Route("/account/{secret}", account.show),
    Route("/account/{secret}", account.choose, methods=["POST"]),
    Route("/open", cases.open_page),
    Route("/open", cases.open_case, methods=["POST"]),
    Route("/link/{secret}", links.show),
    Route("/link/{secret}", links.exchange, methods=["POST"]),
    Route("/case/{number:int}", cases.show),
    Route("/case/{number:int}/head", cases.head),
    Route("/case/{number:int}/note", cases.note),
    Route("/case/{number:int}/foot", cases.foot),
    Route("/case/{number:int}/older", cases.older),
    Route("/case/{number:int}/messages", cases.post, methods=["POST"]),
    Route("/case/{number:int}/files", case_files.send, methods=["POST"]),
    Route("/case/{number:int}/pictures/{token}", case_files.picture),
    Route("/case/{number:int}/files/{token}/{name}", case_files.fetch),
    Route("/healthz", health.alive),
    Route("/readyz", health.ready),
    Route("/metrics", measures.metrics),
]

ROUTES: list[BaseRoute] = [*STAFF, *EVERYBODY]

_TAKES_FILES = re.compile(
    r"/open|/tickets|(/tickets/[0-9]{1,16}/(lane|room)|/case/[0-9]{1,16})/(messages|files)"
)


def takes_files(scope: Scope) -> bool:
    """Whether a request may be as large and slow as files are: a form at a door that takes them."""
    kinds = [value for name, value in scope["headers"] if name == b"content-type"]
    return (
        scope.get("method") == "POST"
        and any(kind.lower().startswith(b"multipart/form-data") for kind in kinds)
        and _TAKES_FILES.fullmatch(scope["path"]) is not None
    )
