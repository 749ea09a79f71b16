"""A CSV file becomes tickets: what is found out, what is mapped, what is a bad row and on which line."""

import codecs
import os
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm.tickets.csv_rows import BadRow, ImportRefused, Options, Row, describe, parse_map, read_rows

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(text: str | bytes, encoding: str = "utf-8", name: str = "in.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write_file


def good(path: Path, options: Options | None = None) -> list[Row]:
    rows = list(read_rows(path, options))
    assert not [row for row in rows if isinstance(row, BadRow)], rows
    return [row for row in rows if isinstance(row, Row)]


def bad(path: Path, options: Options | None = None) -> list[tuple[int, str]]:
    return [(row.line, row.reason) for row in read_rows(path, options) if isinstance(row, BadRow)]


def only_reason(path: Path, options: Options | None = None) -> str:
    ((_line, reason),) = bad(path, options)
    return reason


def refused(path: Path, options: Options | None = None) -> str:
    with pytest.raises(ImportRefused) as caught:
        list(read_rows(path, options))
    return caught.value.sentence


def test_a_row_is_read_into_the_parts_of_a_ticket(write: Write) -> None:
    path = write(
        "id,Subject,BODY,answer,Queue,priority,language,type,tag_1,tag_2,"
        "E-Mail,Customer Name,Company,created_at,status\n"
        "7,Printer,It jams.,Pull the tray.,IT,Medium,en-GB,incident,paper,Paper,a@example.org,Ann,Acme,"
        "2024-05-31T14:30:00+02:00,Solved\n"
    )
    (row,) = good(path)
    assert (row.line, row.external_id, row.subject, row.body, row.answer) == (
        2, "7", "Printer", "It jams.", "Pull the tray.",
    )  # fmt: skip
    assert (row.team, row.priority, row.language, row.category, row.status) == (
        "IT", "normal", "en", "Incident", "resolved",
    )  # fmt: skip
    assert row.tags == ("paper",)
    assert (row.customer_email, row.customer_name, row.company) == ("a@example.org", "Ann", "Acme")
    assert row.opened_at == datetime(2024, 5, 31, 12, 30, tzinfo=UTC)


def test_what_the_file_does_not_say_is_empty(write: Write) -> None:
    (row,) = good(write("subject,body\nHello,World\n"))
    assert (row.external_id, row.priority, row.language, row.status, row.opened_at, row.tags) == (
        "", "", "", "", None, (),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("Betreff;Nachricht;Priorität", "priority"),
        ("Objet;Description;Priorité", "priority"),
        ("Asunto;Descripción;Idioma", "language"),
        ("Assunto;Descrição;Situação", "status"),
        ("Onderwerp;Omschrijving;Prioriteit", "priority"),
        ("TITLE;Message;Assigned-Group", "team"),
    ],
)
def test_columns_are_known_by_their_names_in_six_languages(write: Write, header: str, field: str) -> None:
    table = describe(write(header + "\n"))
    assert {"subject", "body", field} == set(table.mapping)
    assert table.rows == 0


def test_a_column_can_be_named_by_hand(write: Write) -> None:
    path = write("Kurz,Lang,Bemerkung\nA,B,C\n")
    (row,) = good(path, Options(map=parse_map(["subject=Kurz", "body=lang", "answer=Bemerkung"])))
    assert (row.subject, row.body, row.answer) == ("A", "B", "C")


def test_a_field_can_be_left_out_by_hand(write: Write) -> None:
    path = write("subject,body,status\nA,B,whatever\n")
    assert good(path, Options(map=parse_map(["status="])))[0].status == ""
    assert describe(path, Options(map=parse_map(["status="]))).unused == ("status",)


def test_a_column_that_is_not_there_is_refused_with_those_that_are(write: Write) -> None:
    sentence = refused(write("Kurz,Lang\nA,B\n"), Options(map=(("subject", "Betreff"),)))
    assert sentence == "There is no column “Betreff”. The columns are: Kurz, Lang."


def test_a_field_that_is_not_there_is_refused_with_those_that_are(write: Write) -> None:
    sentence = refused(write("Kurz,Lang\nA,B\n"), Options(map=(("colour", "Kurz"),)))
    assert "no field “colour”" in sentence
    assert "subject, body, answer" in sentence


def test_a_mapping_without_an_equals_sign_and_a_file_without_a_subject_are_refused(write: Write) -> None:
    with pytest.raises(ImportRefused, match="FIELD=COLUMN"):
        parse_map(["subject"])
    assert "--map subject=COLUMN" in refused(write("colour,size\nred,4\n"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(write: Write, delimiter: str) -> None:
    cells = [["subject", "body", "priority"], ["Halt", '"one, two; three | four\nfive"', "low"]]
    path = write("\n".join(delimiter.join(row) for row in cells))
    assert describe(path).delimiter == delimiter
    assert good(path)[0].body == "one, two; three | four\nfive"


def test_the_line_a_spreadsheet_writes_first_names_the_delimiter(write: Write) -> None:
    (row,) = good(write("sep=;\r\nsubject;body\r\nA;B, C\r\n"))
    assert (row.line, row.body) == (3, "B, C")


@pytest.mark.parametrize(
    ("encoding", "mark", "found"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", codecs.BOM_UTF8, "utf-8"),
        ("cp1252", b"", "cp1252"),
        ("utf-16-le", codecs.BOM_UTF16_LE, "utf-16-le"),
        ("utf-16-be", codecs.BOM_UTF16_BE, "utf-16-be"),
        ("utf-16-le", b"", "utf-16-le"),
        ("utf-32-le", codecs.BOM_UTF32_LE, "utf-32-le"),
    ],
)
def test_the_encoding_is_found(write: Write, encoding: str, mark: bytes, found: str) -> None:
    path = write(mark + "subject,body\nGrüße für Ève,Não há saída – señor €\n".encode(encoding))
    assert describe(path).encoding == found
    assert good(path)[0].subject == "Grüße für Ève"


def test_an_encoding_of_another_alphabet_is_found(write: Write) -> None:
    text = "subject,body\n" + "Не приходит письмо,Добрый день. Мы не получаем письма со вчерашнего вечера.\n"
    path = write(text, "cp1251")
    assert good(path)[0].subject == "Не приходит письмо"


def test_an_encoding_can_be_named_and_must_exist(write: Write) -> None:
    path = write("subject,body\nGrüße,B\n", "mac_roman")
    assert good(path, Options(encoding="mac_roman"))[0].subject == "Grüße"
    assert refused(path, Options(encoding="klingon")) == "There is no encoding called “klingon”."
    assert "klingon" not in refused(path, Options(encoding="base64"))


def test_an_empty_subject_is_the_first_line_of_the_body_cut_after_a_word(write: Write) -> None:
    path = write(
        'subject,body\n,"\n  Short one.  \nmore"\n,'
        + "word " * 40
        + "\n,second without end "
        + "x" * 300
        + "\n"
    )
    short, long, endless = (row.subject for row in good(path))
    assert short == "Short one."
    assert long.endswith("word…")
    assert len(long) <= 120
    assert endless == "second without end…"


def test_an_empty_body_is_the_subject(write: Write) -> None:
    assert good(write("subject,body\nOnly this,\n"))[0].body == "Only this"


def test_lines_are_counted_as_an_editor_counts_them(write: Write) -> None:
    path = write('subject,body\r\n"A","one\r\ntwo\r\n\r\nfour"\r\n\r\nB,b,too many\r\nC,c\r\n')
    assert [row.line for row in read_rows(path)] == [2, 7, 8]
    assert bad(path) == [(7, "This row has 3 columns, the header has 2.")]


def test_the_count_for_the_progress_bar_is_what_reading_gives(write: Write) -> None:
    path = write('subject,body\n"A","one\ntwo"\n\nB,b,b\n,\nC,"c\n')
    assert describe(path).rows == len(list(read_rows(path))) == 4


@pytest.mark.parametrize(
    ("header", "row", "reason"),
    [
        ("subject,body,x", "A,B", "This row has 2 columns, the header has 3."),
        ("subject,body,x", ",,", "This row has neither a subject nor a body."),
        ("subject,priority", "A,whenever", "“whenever” is not a priority. Use low, normal, high or urgent."),
        ("subject,language", "A,xx", "“xx” is not the code of a language, such as en or de."),
        ("subject,language", "A,../etc", "“../etc” is not the code of a language, such as en or de."),
        ("subject,created", "A,yesterday", "“yesterday” is not a date, such as 2024-05-31 14:30."),
        ("subject,created", "A,2024-02-30", "“2024-02-30” is not a date, such as 2024-05-31 14:30."),
        ("subject,date", "A,0001-01-01T00+14", "“0001-01-01T00+14” is not a date, such as 2024-05-31 14:30."),
        ("subject,created", "A,1066-10-14", "The date “1066-10-14” is in the future or too long ago."),
        ("subject,email", "A,nobody", "“nobody” is not an e-mail address."),
        ("subject,body", "A\x00,B", "The column “subject” holds a control character (U+0000)."),
        ("subject,body", "A,B\x1b[31m", "The column “body” holds a control character (U+001B)."),
        ("subject,body", "s" * 201 + ",B", "The column “subject” is 201 characters long; the most is 200."),
        ("subject,body", "A," + 20_001 * "b",
         "The column “body” is 20001 characters long; the most is 20000."),
        ("subject,answer", "A," + 20_001 * "b",
         "The column “answer” is 20001 characters long; the most is 20000."),
        ("subject,body", 'A,"B" C', "A quotation mark is opened or closed where it can't be."),
        ("subject,body", 'A,"B', "A quotation mark is opened here and never closed."),
        ("subject,tag_1", "A," + "t" * 61, "The tag “" + "t" * 39 + "…” is too long."),
    ],
)  # fmt: skip
def test_a_bad_row_has_its_line_and_its_reason_in_a_sentence(
    write: Write, header: str, row: str, reason: str
) -> None:
    assert bad(write(f"{header}\n{row}\n")) == [(2, reason)]


def test_an_id_counts_once_and_the_second_names_the_first(write: Write) -> None:
    path = write("id,subject\n1,A\n2,B\n1,C\n")
    assert bad(path) == [(4, "The id “1” is already that of line 2.")]


def test_a_row_without_an_id_counts_once(write: Write) -> None:
    assert bad(write("subject,body\nA,B\nA,C\nA,B\n")) == [(4, "This row is the same as line 2.")]


def test_a_bad_row_does_not_use_up_its_id(write: Write) -> None:
    assert bad(write("id,subject,priority\n1,A,never\n1,A,low\n")) == [
        (2, "“never” is not a priority. Use low, normal, high or urgent.")
    ]


def test_a_few_broken_bytes_are_broken_rows_of_a_utf_8_file(write: Write) -> None:
    path = write("subject,body\nGrüße,für dich\n".encode() + b"caf\xe9,B\n" + "Ève,où\n".encode())
    assert bad(path) == [(3, "The column “subject” holds bytes that are not text in utf-8.")]
    assert [row.line for row in read_rows(path) if isinstance(row, Row)] == [2, 4]


def test_half_a_character_at_the_end_is_a_bad_row(write: Write) -> None:
    path = write("subject,body\nGrüße,B\n".encode("utf-16") + b"A")
    assert [line for line, _reason in bad(path)] == [3]


def test_one_quotation_mark_too_many_takes_one_row_not_the_rest(write: Write) -> None:
    rows = [
        "id,subject,body,priority",
        "1,A,a,low",
        '2,"B,b,low',
        '3,C,"c, and\nmore",low',
        '4,"D",d,high',
        "5,E,e,low",
    ]
    path = write("\n".join(rows) + "\n")
    found = list(read_rows(path))
    assert [(row.line, type(row).__name__) for row in found] == [
        (2, "Row"), (3, "BadRow"), (4, "Row"), (6, "Row"), (7, "Row"),
    ]  # fmt: skip


def test_an_unclosed_quotation_mark_at_the_end_is_named_by_the_line_it_opens_on(write: Write) -> None:
    path = write('subject,body\nA,B\nC,"never\nends\nhere')
    (row,) = [row for row in read_rows(path) if isinstance(row, BadRow)]
    assert (row.line, row.last_line) == (3, 5)
    assert row.reason == "A quotation mark is opened here and never closed."


def test_a_line_without_end_is_one_bad_row_and_is_never_held_whole(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swarm.tickets.csv_text.MAX_LINE", 1_000)
    path = write("subject,body\nA,B\n" + "x" * 50_000 + ",y\nC,D\n")
    found = list(read_rows(path))
    assert [(row.line, type(row).__name__) for row in found] == [(2, "Row"), (3, "BadRow"), (4, "Row")]


def test_a_quoted_field_without_end_stops_at_the_limit_of_a_field(write: Write) -> None:
    path = write('id,subject,body,answer\n1,A,"' + "line\n" * 60_000 + '2,B,b,"b"\n')
    first, second = read_rows(path)
    assert isinstance(first, BadRow)
    assert (first.line, "too long" in first.reason) == (2, True)
    assert isinstance(second, Row)
    assert (second.line, second.external_id) == (60_002, "2")


@pytest.mark.parametrize(
    ("word", "level"),
    [("Medium", "normal"), ("CRITICAL", "urgent"), ("sehr hoch", "urgent"), ("Élevée", "high"),
     ("baja", "low"), ("média", "normal"), ("spoed", "urgent"), ("", "")],
)  # fmt: skip
def test_priorities_are_known_in_six_languages(write: Write, word: str, level: str) -> None:
    assert good(write(f"subject,priority\nA,{word}\n"))[0].priority == level


@pytest.mark.parametrize(
    ("word", "code"), [("de-AT", "de"), ("PT_br", "pt"), ("Deutsch", "de"), ("it", "it"), ("", "")]
)
def test_languages_are_codes_or_names(write: Write, word: str, code: str) -> None:
    assert good(write(f"subject,language\nA,{word}\n"))[0].language == code


def test_a_word_for_a_category_that_is_not_known_stays(write: Write) -> None:
    assert [row.category for row in good(write("subject,type\nA,Störung\nB,Wish\n"))] == ["Incident", "Wish"]


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2024-05-31", "2024-05-30T22:00:00+00:00"),
        ("2024-05-31 14:30", "2024-05-31T12:30:00+00:00"),
        ("2024-05-31T14:30:05Z", "2024-05-31T14:30:05+00:00"),
        ("31.05.2024 14:30", "2024-05-31T12:30:00+00:00"),
        ("31/05/2024", "2024-05-30T22:00:00+00:00"),
        ("05/31/2024 09:00:01", "2024-05-31T07:00:01+00:00"),
    ],
)
def test_dates_without_a_zone_are_in_the_given_one(write: Write, cell: str, moment: str) -> None:
    (row,) = good(write(f'subject,created\nA,"{cell}"\n'), Options(zone=ZoneInfo("Europe/Berlin")))
    assert row.opened_at == datetime.fromisoformat(moment)


def test_a_date_that_could_be_two_days_is_read_as_the_others_show(write: Write) -> None:
    path = write("subject,created\nA,03/04/2024\nB,25/04/2024\n")
    assert [row.opened_at and row.opened_at.month for row in good(path)] == [4, 4]


def test_a_date_that_could_be_two_days_is_bad_when_nothing_shows_which(write: Write) -> None:
    path = write("subject,created\nA,03/04/2024\n")
    assert "could be two different days" in only_reason(path)
    (row,) = good(path, Options(day_first=False))
    assert row.opened_at == datetime(2024, 3, 4, tzinfo=UTC)


def test_a_date_in_the_future_is_bad_where_now_is_given(write: Write) -> None:
    path = write("subject,created\nA,2024-05-31\n")
    assert "in the future" in only_reason(path, Options(latest=datetime(2024, 1, 1, tzinfo=UTC)))


def test_tags_come_from_a_list_or_from_numbered_columns_each_once(write: Write) -> None:
    path = write('subject,tags,tag_1,Tag 2\nA,"vpn; mail,VPN",a b,"x, y"\n')
    assert good(path)[0].tags == ("vpn", "mail", "a b", "x, y")


def test_what_a_spreadsheet_would_run_stays_text(write: Write) -> None:
    path = write('subject,body\n"=HYPERLINK(""x"")",@SUM(A1)\n-1+1,+49 30 1234\n')
    assert [(row.subject, row.body) for row in good(path)] == [
        ('=HYPERLINK("x")', "@SUM(A1)"), ("-1+1", "+49 30 1234"),
    ]  # fmt: skip


def test_a_subject_holds_nothing_that_turns_the_text_around(write: Write) -> None:
    assert good(write("subject,body\npay \u202egpj.exe,B\n"))[0].subject == "pay gpj.exe"


def test_the_digest_is_of_the_content_not_of_the_file(write: Write) -> None:
    (one,) = good(write("subject,body\nGrüße,B\n", "cp1252"))
    (two,) = good(write('\n"Body";"Betreff";"Farbe"\n"B";"Grüße";"rot"\n', name="other.csv"))
    (three,) = good(write("subject,body\nGrüße,B.\n", name="third.csv"))
    assert one.digest == two.digest != three.digest
    assert one.line != two.line


def test_what_is_no_csv_file_is_refused_in_a_sentence(write: Write, tmp_path: Path) -> None:
    assert refused(tmp_path / "none.csv") == f"There is no file {tmp_path / 'none.csv'}."
    assert refused(tmp_path).endswith("is a folder, not a file.")
    assert refused(write(b"")).endswith("is empty.")
    assert refused(write(codecs.BOM_UTF8)).endswith("is empty.")
    assert refused(write(" \n \n")).endswith("is empty.")
    assert "Save the sheet as CSV" in refused(write(b"PK\x03\x04\x14\x00\x06\x00"))
    assert refused(write(b"\x89PNG\r\n\x1a\n\x00\x00")).endswith("is not a text file.")
    assert refused(write(bytes(range(32)) * 20)).endswith("is not a text file.")
    assert "delimiter" in refused(write("subject,body\n"), Options(delimiter="#"))
    assert refused(write('"subject,body\nA,B\n')).startswith("The header can't be read:")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path / "pipe").endswith("is not an ordinary file.")


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "in.csv"
        path.write_bytes(b"id,subject,body,tag_1\n" + data)
        try:
            table = describe(path)
            assert len(list(read_rows(path, table=table))) == table.rows
        except ImportRefused as refusal:
            assert refusal.sentence
