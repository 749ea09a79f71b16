"""What workers counted is added up, also when some are gone or in the middle of writing."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from swarm import figures
from swarm.figures import Figures


def figures_of(count: float) -> Figures:
    totals = {"asked": [("asked_total", {"route": "/a"}, count), ("asked_total", {"route": "/b"}, 1.0)]}
    return Figures(totals=totals, now={"open": [("open", {}, count)]})


def told(folder: Path) -> dict[str, float]:
    """Totals of all, by route."""
    everybody = figures.read(folder).values()
    [its] = figures.added(*(one.totals for one in everybody)).values()
    return {labels["route"]: value for _name, labels, value in its}


def alive(folder: Path) -> set[str]:
    return {name for name, one in figures.read(folder).items() if one.now}


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_who_is_gone_counts_on_and_leaves_no_file(tmp_path: Path) -> None:
    figures.keep(tmp_path, "1-a", figures_of(5))
    for number in range(2, 30):
        figures.keep(tmp_path, f"{number}-a", figures_of(1))
        figures.fold(tmp_path, {1})
        assert told(tmp_path) == {"/a": 5 + number - 1, "/b": number}
        assert alive(tmp_path) == {"1-a"}
        assert files(tmp_path) == ["1-a.json", "gone.json"]


def test_a_process_number_that_comes_again_is_another_worker(tmp_path: Path) -> None:
    figures.keep(tmp_path, "7-a", figures_of(2))
    figures.fold(tmp_path, ())
    figures.keep(tmp_path, "7-b", figures_of(3))
    assert told(tmp_path)["/a"] == 5
    figures.fold(tmp_path, ())
    assert told(tmp_path)["/a"] == 5


def test_a_fold_that_broke_off_before_it_tidied_up_counts_nobody_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures.keep(tmp_path, "7-a", figures_of(2))

    def broken(_path: Path) -> None:
        raise PermissionError

    with monkeypatch.context() as broken_here, pytest.raises(PermissionError):
        broken_here.setattr(Path, "unlink", broken)
        figures.fold(tmp_path, ())
    assert told(tmp_path)["/a"] == 2 and alive(tmp_path) == set()
    figures.fold(tmp_path, ())
    assert told(tmp_path)["/a"] == 2
    assert files(tmp_path) == ["gone.json"]


@pytest.mark.parametrize("half", ["8-a.json", "8-a.half", "gone.json"])
def test_a_file_that_is_half_made_is_passed_by(half: str, tmp_path: Path) -> None:
    figures.keep(tmp_path, "7-a", figures_of(2))
    for text in (b"", b'{"totals": {"asked": [["ask', b"\x00" * 100):
        (tmp_path / half).write_bytes(text)
        assert told(tmp_path)["/a"] == 2
    figures.fold(tmp_path, {7})
    assert told(tmp_path)["/a"] == 2


def test_totals_never_fall_while_workers_come_and_go(tmp_path: Path) -> None:
    over = threading.Event()

    def live_and_die() -> None:
        for number in range(1, 150):
            for count in (1.0, 2.0):
                figures.keep(tmp_path, f"{number}-a", figures_of(count))
            figures.fold(tmp_path, ())
        over.set()

    figures.keep(tmp_path, "1-0", figures_of(0))
    living = threading.Thread(target=live_and_die)
    living.start()
    highest = 0.0
    while not over.is_set():
        now = told(tmp_path)["/a"]
        assert now >= highest
        highest = now
    living.join()
    assert told(tmp_path)["/a"] == 2 * 149
