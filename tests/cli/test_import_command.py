"""`swarm import`: what it prints, where, and with which exit code."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run

GOOD = "id,subject,body,queue\n1,No sound,The speaker is mute,Audio\n2,No picture,The screen is dark,Video\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "old.csv"
    path.write_text(GOOD)
    return path


def test_it_says_to_set_swarm_up_first(run: Run, file: Path) -> None:
    assert (
        run("import", str(file), code=1).stderr
        == "Nobody could own the tickets yet: run swarm set-up first.\n"
    )


def test_twice_is_once(set_up: Run, file: Path) -> None:
    assert set_up("import", str(file)).stdout.splitlines() == [
        "old.csv: 2 tickets imported, 0 were there already, 0 rows were bad.",
        "New teams: Audio, Video",
    ]
    again = set_up("import", str(file))
    assert again.stdout == "old.csv: 0 tickets imported, 2 were there already, 0 rows were bad.\n"
    assert again.stderr == ""
    assert set_up("ownership", "check").stdout == "2 tickets walked, 0 broken chains.\n"


def test_bad_rows_are_named_on_standard_error(set_up: Run, file: Path) -> None:
    file.write_text(GOOD + "3,,,Audio\n4,Too,many,Audio,columns\n5,Hum,A low hum,Audio\n")
    result = set_up("import", str(file), code=2)
    assert result.stderr.splitlines() == [
        "line 4: This row has neither a subject nor a body.",
        "line 5: This row has 5 columns, the header has 4.",
    ]
    assert result.stdout.startswith("old.csv: 3 tickets imported, 0 were there already, 2 rows were bad.")


def test_one_file_that_cannot_be_read_stops_no_other(set_up: Run, file: Path, tmp_path: Path) -> None:
    result = set_up("import", str(tmp_path / "none.csv"), str(file), code=1)
    assert "There is no file" in result.stderr
    assert "2 tickets imported" in result.stdout


def test_options_nobody_can_follow(set_up: Run, file: Path) -> None:
    for arguments, says in (
        (("--team", "nowhere"), "There is no team “nowhere”. There are: support."),
        (("--team-map", "Audio"), "Write --team-map as WORD=KEY, not “Audio”."),
        (("--team-map", "Audio=nowhere"), "There is no team “nowhere”."),
        (("--lead", "nobody@example.org"), "Nobody who works here has the address nobody@example.org."),
        (("--zone", "Mars/Base"), "There is no time zone called “Mars/Base”."),
        (("--language", "klingon!"), "is not the code of a language"),
        (("--map", "subject"), "Write a mapping as FIELD=COLUMN"),
        (("--map", "team="), "No column names the team."),
        (("--encoding", "no-such"), "There is no encoding called"),
    ):
        assert says in set_up("import", str(file), *arguments, code=1).stderr
    assert set_up("team", "list").stdout.count("\n") == 1


def test_options_that_map(set_up: Run, file: Path) -> None:
    set_up("person", "add", "mira@example.org", "--name", "Mira")
    set_up(
        "import", str(file), "--team-map", "Audio=Support", "--policy", "tiered", "--lead", "mira@example.org"
    )
    assert set_up("team", "list").stdout.splitlines() == [
        "support\tSupport\tTierless\tSam Okafor\t1",
        "video\tVideo\tTiered\tMira\t1",
    ]
