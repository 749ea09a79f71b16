"""One-click sign-in: in the demo, on the demo's own database, and nowhere else."""

from __future__ import annotations

import pytest

from swarm.people.actions import add_person
from swarm.store.instance import locked
from tests.support.backends import Backend
from tests.support.site import Site, serve_site


def staff(site: Site, *, demo: bool) -> int:
    def do(work: object) -> int:
        from swarm.store import Work

        assert isinstance(work, Work)
        locked(work).demo = demo
        for role in ("agent", "specialist", "manager", "administrator"):
            person = add_person(work, name=f"The {role}", email=f"{role}@example.org", role=role)
        return person.id

    return site.do(do)


def test_a_card_signs_in(backend: Backend) -> None:
    with serve_site(backend, demo="true") as site:
        ada = staff(site, demo=True)
        visitor = site.stranger()
        page = visitor.get("/sign-in?next=/queue").text
        for role in ("agent", "specialist", "manager", "administrator"):
            assert f"The {role}" in page
        answer = visitor.post("/demo/sign-in", {"person": str(ada), "next": "/queue"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/queue")
        assert visitor.get("/").headers["location"] == "/mine"
        for wrong in (
            {"person": "999"},
            {"person": "9" * 40},
            {"person": "x"},
            {"person": str(ada), "role": "x"},
        ):
            assert site.stranger().post("/demo/sign-in", wrong).status_code in (404, 422)
        assert (
            visitor.post("/demo/sign-in", {"person": str(ada)}, Origin="https://else.example").status_code
            == 403
        )


@pytest.mark.parametrize(("setting", "database"), [("false", True), ("true", False), ("false", False)])
def test_elsewhere_there_is_no_such_door(backend: Backend, setting: str, database: bool) -> None:
    with serve_site(backend, demo=setting) as site:
        ada = staff(site, demo=database)
        visitor = site.stranger()
        answer = visitor.post("/demo/sign-in", {"person": str(ada)})
        assert answer.status_code == 404
        assert "set-cookie" not in answer.headers
        assert "The administrator" not in visitor.get("/sign-in").text
