"""The served description is of the doors there are, all of them, and is what its standard says."""

from __future__ import annotations

import json
import re

import httpx2
import jsonschema_rs
from starlette.routing import Route

from swarm.api.openapi import describe
from swarm.api.table import DOORS
from tests.api.program import BASE, described
from tests.support.site import PATIENCE, Site


def test_every_route_is_described_and_nothing_else(site: Site) -> None:
    there = {
        (method.lower(), re.sub(r":\w+\}", "}", route.path))
        for route in site.app.routes
        if isinstance(route, Route) and route.path.startswith(f"{BASE}/") and not route.path.endswith(".json")
        for method in route.methods or ()
        if method != "HEAD"
    }
    document = described(site).document
    assert there == {(method, path) for path, its in document["paths"].items() for method in its}
    assert len(there) == len(DOORS)


def test_every_operation_says_what_a_reader_and_a_generator_need(site: Site) -> None:
    document = described(site).document
    operations = [one for its in document["paths"].values() for one in its.values()]
    names = [one["operationId"] for one in operations]
    assert len(set(names)) == len(names)
    tags = {tag["name"] for tag in document["tags"]}
    for one in operations:
        assert one["summary"] and set(one["tags"]) <= tags
        assert "Scope: `" in one["description"]
        assert {"401", "403", "404", "422", "429"} <= set(one["responses"])
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("description"), name
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


def test_every_reference_leads_somewhere(site: Site) -> None:
    document = described(site).document
    for ref in set(re.findall(r'"\$ref": ?"#/([^"]+)"', json.dumps(document))):
        place = document
        for part in ref.split("/"):
            place = place[part]
        assert place


def test_a_door_that_changes_changes_the_description() -> None:
    whole, fewer = describe(DOORS, "http://x"), describe(DOORS[1:], "http://x")
    assert "get" in whole["paths"]["/api/v1/tickets"] and "get" not in fewer["paths"]["/api/v1/tickets"]
    forms = whole["components"]["schemas"]
    assert forms["Written"]["properties"]["body"] == {"type": "string", "minLength": 1, "maxLength": 20_000}
    assert forms["Written"]["additionalProperties"] is False


def test_what_stands_below_a_field_in_the_code_is_said_of_it(site: Site) -> None:
    schemas = described(site).document["components"]["schemas"]
    assert schemas["Ticket"]["properties"]["version"]["description"].startswith("Of the ownership")
    assert schemas["Event"]["properties"]["n"]["description"] == "Its number there, without gaps from 1."
    assert "description" not in schemas["Ticket"]["properties"]["subject"]


def test_it_is_there_for_anybody_and_names_our_address(site: Site) -> None:
    answer = httpx2.get(f"{site.url}{BASE}/openapi.json", timeout=PATIENCE)
    assert answer.headers["content-type"] == "application/json"
    document = answer.json()
    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [{"url": site.url}]
    assert document["components"]["securitySchemes"]["token"] == {"type": "http", "scheme": "bearer"}
