"""Every address and the door behind it."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from swarm.desk import asks, lists, me, opening, owners, teams, ticket, writing
from swarm.portal import cases, getting_in, health, links, measures

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
    Route("/teams/{key}", teams.history),
    Route("/teams/{key}/row", teams.row),
    Route("/teams/{key}/policy", teams.switch, methods=["POST"]),
    Route("/me", me.show),
    Route("/me/availability", me.availability, methods=["POST"]),
    Route("/me/skills", me.skills, methods=["POST"]),
    Route("/me/profile", me.profile, methods=["POST"]),
    Route("/me/password", me.password, methods=["POST"]),
    Route("/me/sessions/end", me.end_sessions, methods=["POST"]),
]

EVERYBODY: list[BaseRoute] = [
    Route("/", getting_in.home),
    Route("/sign-in", getting_in.sign_in_page),
    Route("/sign-in", getting_in.sign_in, methods=["POST"]),
    Route("/sign-out", getting_in.sign_out, methods=["POST"]),
    Route("/demo/sign-in", getting_in.demo_sign_in, methods=["POST"]),
    Route("/set-up", getting_in.set_up_page),
    Route("/set-up", getting_in.set_up, methods=["POST"]),
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
    Route("/healthz", health.alive),
    Route("/readyz", health.ready),
    Route("/metrics", measures.metrics),
]

ROUTES: list[BaseRoute] = [*STAFF, *EVERYBODY]
