"""Files in a real storage that speaks S3: whole, by our doors alone, and nothing lost when it is away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest
from msgspec.structs import replace
from obstore.store import S3Store

from swarm.files.bucket import CHUNK, PART
from swarm.files.shelf import Away
from swarm.files.storages import shelf_of
from swarm.keeping.examine_files import examine
from swarm.schedule import schedule
from swarm.settings import Settings
from tests.files.conftest import message, picture, send
from tests.files.test_files_in_both_lanes import hrefs, kept, rows, swept
from tests.portal.house import bodies, enter, furnish
from tests.support.backends import Backend
from tests.support.site import serve_site
from tests.support.storages import BUCKET, KEY, SECRET, Seaweed, seaweed


@pytest.fixture(scope="module")
def storage() -> Iterator[Seaweed]:
    with seaweed() as server:
        yield server


def names(storage: Seaweed) -> list[str]:
    """Everything in the bucket."""
    store = S3Store(
        BUCKET,
        endpoint=storage.url,
        region="us-east-1",
        access_key_id=KEY,
        secret_access_key=SECRET,
        client_options={"allow_http": True},
    )
    return sorted(one["path"] for page in obstore.list(store) for one in page)


def in_bucket(storage: Seaweed) -> dict[str, str]:
    return {f"files__{name}": value for name, value in storage.named().items()}


def test_bytes_go_in_and_come_out_whole(storage: Seaweed, tmp_path: Path) -> None:
    shelf = shelf_of(storage.settings(tmp_path))
    for size in (1, CHUNK - 1, CHUNK, CHUNK + 1, PART + 5, 3 * PART):
        token, data = f"{size:032x}", bytes(range(256)) * (size // 256 + 1)
        shelf.arriving(token).write_bytes(data[:size])
        shelf.arriving(f"{token}.safe").write_bytes(b"its copy")
        shelf.keep(token)
        assert b"".join(shelf.chunks(token)) == data[:size]
        assert f"desk/one/{token[:2]}/{token}" in names(storage)
        assert not list((tmp_path / "arriving").iterdir())
        for _time in range(2):
            shelf.forget(token)
        for name in (token, f"{token}.safe"):
            with pytest.raises(FileNotFoundError):
                next(shelf.chunks(name))
    assert names(storage) == []


def test_files_go_with_messages_and_the_loose_are_swept(backend: Backend, storage: Seaweed) -> None:
    with serve_site(backend, **in_bucket(storage)) as site:
        house = furnish(site)
        laura, number = enter(site, house)
        sent = send(laura, f"/case/{number}/messages", message(), ("photo.png", picture()))
        assert sent.status_code == 200, sent.text
        whole, shown = hrefs(laura, f"/case/{number}")
        assert laura.get(whole).content == picture()
        assert laura.get(shown).headers["content-type"] == "image/png"
        assert storage.url not in laura.get(f"/case/{number}").text
        assert site.person(house.otto).get(whole.removeprefix(f"/case/{number}")).status_code == 404
        send(laura, f"/case/{number}/files", {}, ("loose.txt", b"never sent"))
        assert (rows(site), len(names(storage)), kept(site)) == (2, 3, [])
        site.clock.move(hours=25)
        swept(site, schedule(site.settings)["sweep_files"][1])
        assert (rows(site), len(names(storage))) == (1, 2)
        for name in names(storage):
            shelf_of(site.settings.files).forget(name.rpartition("/")[2].removesuffix(".safe"))


@pytest.mark.fault
def test_a_storage_that_stalls_or_is_gone_loses_nothing(sqlite_backend: Backend) -> None:
    with (
        seaweed() as storage,
        serve_site(sqlite_backend, **in_bucket(storage), files__storage_seconds="1.5") as site,
    ):
        laura, number = enter(site, furnish(site))
        send(laura, f"/case/{number}/messages", message(), ("a.txt", b"before"))
        (href,) = hrefs(laura, f"/case/{number}")
        for strike in (storage.freeze, storage.kill):
            strike()
            began = time.monotonic()
            page = send(
                laura, f"/case/{number}/messages", message("My words"), ("b.txt", b"x"), face="text/html"
            )
            assert page.status_code == 503
            assert "their storage does not answer" in page.text and "My words</textarea>" in page.text
            away = laura.get(href)
            assert (away.status_code, "retry-after" in away.headers) == (503, True)
            assert time.monotonic() - began < 12
            assert laura.get("/healthz").status_code == 200
        assert len(bodies(site, number)) == 2
        assert kept(site) == []
        storage.start()
        assert laura.get(href).content == b"before"


def test_the_doctor_says_whether_it_is_reached_and_no_secret(storage: Seaweed, tmp_path: Path) -> None:
    def said(**other: str) -> str:
        found = examine(Settings(files=replace(storage.settings(tmp_path), **other)))
        return "\n".join(f"{one.level} {one.check}: {one.sentence}" for one in found)

    assert "ok Storage of files" in said()
    assert "error Storage of files" in said(endpoint="http://127.0.0.1:9")
    wrong = said(secret_key="wrong-secret-of-nobody")
    assert "error Storage of files" in wrong and "wrong-secret-of-nobody" not in wrong and SECRET not in wrong


def test_a_bucket_that_is_not_there_is_no_missing_file(storage: Seaweed, tmp_path: Path) -> None:
    elsewhere = replace(storage.settings(tmp_path), bucket="nothing")
    with pytest.raises((Away, FileNotFoundError)):
        next(shelf_of(elsewhere).chunks("0" * 32))
