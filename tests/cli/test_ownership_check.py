"""`swarm ownership check` walks every chain and finds each kind of break."""

import pytest
from sqlalchemy import text

from swarm.events import SYSTEM
from swarm.store import Store, Work
from tests.cli.conftest import Run
from tests.support.backends import Backend
from tests.support.town import Town, build, open_store


def break_it(store: Store, statement: str) -> None:
    """Change rows behind the product's back; its triggers forbid it, so they go first."""

    def do(work: Work) -> None:
        if work.session.get_bind().dialect.name == "sqlite":
            for verb in ("update", "delete"):
                work.session.execute(text(f"DROP TRIGGER ownerships_no_{verb}"))
        else:
            work.session.execute(text("ALTER TABLE ownerships DISABLE TRIGGER ALL"))
        work.session.execute(text(statement))

    store.write_now(SYSTEM, do)


def worked(backend: Backend) -> tuple[Store, Town]:
    from swarm.tickets.actions import hand_over, take

    store = open_store(backend)
    town = build(store)
    first, *_others = (town.open("ladder") for _number in range(3))
    town.do("ada", lambda work: take(work, first))
    town.do("ada", lambda work: hand_over(work, first, town.people["ben"], "Your street"))
    return store, town


def test_whole_chains(backend: Backend, run: Run) -> None:
    worked(backend)[0].close()
    assert run("ownership", "check").stdout == "3 tickets walked, 0 broken chains.\n"


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("DELETE FROM ownerships WHERE ticket_id = 1 AND position = 2", "link 2 of its chain is missing"),
        (
            "DELETE FROM ownerships WHERE ticket_id = 1 AND position = 3",
            "its owner is not the last of its chain",
        ),
        ("DELETE FROM ownerships WHERE ticket_id = 1", "it has no chain of owners"),
        ("UPDATE ownerships SET from_id = owner_id WHERE ticket_id = 1 AND position = 2", "does not follow"),
        ("UPDATE tickets SET owner_version = 9 WHERE id = 1", "its owner changed 8 times, its chain says 2"),
        (
            "UPDATE people SET active = false WHERE id = (SELECT owner_id FROM tickets WHERE id = 1)",
            "its owner no longer works here",
        ),
    ],
)
def test_a_broken_chain_is_named(backend: Backend, run: Run, statement: str, says: str) -> None:
    store, _town = worked(backend)
    break_it(store, statement)
    store.close()
    result = run("ownership", "check", code=1)
    assert "Ticket 1: " in result.stderr
    assert says in result.stderr
    assert result.stdout == "3 tickets walked, 1 broken chain.\n"
