"""What one person writes in a room, the others see at once; the customer never."""

from swarm.people import actions as people
from swarm.tickets import actions as tickets
from swarm.tickets.opening import NewTicket, open_ticket
from tests.support.site import Site


def test_a_line_in_the_room_reaches_the_others_and_never_the_customer(site: Site) -> None:
    def build(work):
        mira = people.add_person(work, name="Mira", email="mira@example.org", role="agent").id
        noor = people.add_person(work, name="Noor", email="noor@example.org", role="agent").id
        team = people.create_team(
            work, key="a", name="A", duty_lead_id=mira, policy="tierless", share=0, tiers=["1"]
        ).id
        people.set_membership(work, mira, {team: 1})
        people.set_membership(work, noor, {team: 1})
        customer = people.add_customer(work, name="Ana", email="ana@example.org")
        ticket = open_ticket(
            work,
            NewTicket(
                team_id=team,
                subject="Help",
                body="It broke",
                customer=customer,
                language="en",
                client_id="x" * 8,
            ),
        )
        return mira, noor, ticket.id

    mira, noor, ticket = site.do(build)
    owner, watcher, customer = site.person(mira), site.person(noor), site.customer(ticket)
    site.do(lambda work: tickets.take(work, ticket), owner.actor)
    with (
        watcher.socket({f"room:{ticket}": 0}) as seen,
        customer.socket({f"lane:{ticket}": 0}, "/live/case") as outside,
    ):
        assert owner.say(ticket, "room", "The cursor is lost, secret-4711").status_code == 303
        frame = seen.event("room.message_posted")
        assert "secret-4711" in frame["do"][0][2]
        assert owner.say(ticket, "lane", "I am on it").status_code == 303
        shown = outside.event("lane.message_posted")
        while "I am on it" not in str(shown):
            shown = outside.event("lane.message_posted")
        assert "secret-4711" not in str(outside.frames)
