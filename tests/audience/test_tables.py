"""Audience files: what is recognised, and what breaks a file, with the row where it breaks."""

from __future__ import annotations

import contextlib
import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaignkit.audience.tables import LONGEST_CELL, TALLEST_ROW, BrokenTableError, open_table

Rows = list[tuple[int, list[str]]]


def read(data: bytes | str, *, name: str = "a.csv", encoding: str | None = None, delimiter: str | None = None) -> tuple[list[str], Rows]:
    stream = io.BytesIO(data.encode() if isinstance(data, str) else data)
    table = open_table(name, stream, encoding=encoding, delimiter=delimiter)
    return list(table.columns), [(line, list(cells)) for line, cells in table.rows()]


def broken(data: bytes | str, *, name: str = "a.csv", encoding: str | None = None, delimiter: str | None = None) -> BrokenTableError:
    with pytest.raises(BrokenTableError) as caught:
        read(data, name=name, encoding=encoding, delimiter=delimiter)
    return caught.value


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_delimiter_line_end_and_bom_are_recognised(mark: str, end: str, bom: str) -> None:
    text = bom + end.join([f"phone{mark}имя", f"1{mark}Анна", f"2{mark}Пётр", ""])
    assert read(text) == (["phone", "имя"], [(2, ["1", "Анна"]), (3, ["2", "Пётр"])])


def test_a_declared_delimiter_wins_over_the_header() -> None:
    assert read("a,b;c\n1,2;3\n", delimiter=";")[0] == ["a,b", "c"]
    assert read("a,b\tc\n1\t2\n", name="a.TSV")[0] == ["a,b", "c"]


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "utf_8", "utf-8-sig"])
def test_declared_utf_8_may_begin_with_a_bom(encoding: str) -> None:
    assert read(b"\xef\xbb\xbfphone\n1\n", encoding=encoding)[0] == ["phone"]


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r", "utf-16", "cp866"])
def test_a_declared_encoding_is_read(encoding: str) -> None:
    assert read("phone;имя\n1;Ян\n".encode(encoding), encoding=encoding) == (["phone", "имя"], [(2, ["1", "Ян"])])


def test_an_undeclared_encoding_shows_a_decoded_sample() -> None:
    found = broken("phone;имя\n1;Ян\n".encode("cp1251"))
    assert (found.code, found.line) == ("CK303", 1)
    assert "имя" in found.hint
    assert "encoding: cp1251" in found.hint


def test_a_strange_byte_far_below_is_found_near_its_line() -> None:
    found = broken(b"phone,x\n" + b"1,2\n" * 5000 + b"3,\xff4\n")
    assert found.code == "CK303"
    assert 2500 < found.line <= 5002


@pytest.mark.parametrize("encoding", ["nope", "hex", "rot13", "undefined", "punycode", "utf-16", "utf-32", "ascii"])
def test_an_encoding_that_is_none_or_does_not_fit_is_an_error_of_the_file(encoding: str) -> None:
    assert broken("phone\n1я\n", encoding=encoding).code == "CK303"


@pytest.mark.parametrize(
    ("data", "code", "line", "row", "words"),
    [
        ("", "CK304", 1, 0, "empty"),
        ("\n\n", "CK304", 1, 0, "empty"),
        (";;\n1;2;3\n", "CK304", 1, 0, "empty"),
        ("phone,x\n1,2,3\n", "CK305", 2, 1, "3 cells, the header 2"),
        ("phone,x\n1,2\n\n\n3\n", "CK305", 5, 2, "1 cells, the header 2"),
        ("phone,x\n1,2\n3,\n4,5,6\n", "CK305", 4, 3, "3 cells"),
        ('phone,x\n1,2\n3,"4\n5,6\n7,8\n', "CK304", 3, 2, "swallows"),
        ('phone,x\n1,"two\nlines"\n3,"4\n5,6\n', "CK304", 4, 2, "swallows"),
        ('phone,x\n1,2\n3,"4\n' + "5,6\n" * 10_000, "CK304", 3, 2, "swallows"),
        ('phone,x\n1,"' + "a\n" * (TALLEST_ROW + 5) + '"\n2,3\n', "CK304", 2, 1, "swallows"),
        ('phone,x\n1,"a"b\n', "CK304", 2, 1, "broken"),
        ('phone,"x\n1,2\n3,4', "CK304", 1, 0, "header"),
        ('phone,"x\n' + "1,2\n" * 100_000, "CK304", 1, 0, "header"),
        ("phone,x\n1,2\n3," + "z" * 200_000 + "\n", "CK304", 3, 2, "10,000 characters"),
    ],
)
def test_a_broken_file_names_the_row_where_it_breaks(data: str, code: str, line: int, row: int, words: str) -> None:
    found = broken(data)
    assert (found.code, found.line, found.row) == (code, line, row)
    assert words in found.message


def test_blank_lines_are_passed_over_and_rows_keep_their_lines() -> None:
    assert read('phone,x\n\n1,"a\nb"\n\r\n2,\n,\n')[1] == [(3, ["1", "a\nb"]), (6, ["2", ""]), (7, ["", ""])]


def test_cells_are_what_stands_there() -> None:
    cells = ["1", 'a "quoted", cell', " spaced ", "a\x00b", "{{ x }}", "x" * LONGEST_CELL]
    out = io.StringIO()
    csv.writer(out).writerows([["phone", "b", "c", "d", "e", "f"], cells])
    assert read(out.getvalue())[1] == [(2, cells)]


def test_duplicate_columns_are_all_there_to_be_reported() -> None:
    assert read("phone, x ,x\n1,2,3\n")[0] == ["phone", "x", "x"]


cell = st.text(st.characters(codec="utf-8", exclude_characters="\r\ufeff"), max_size=12)


@settings(deadline=None)
@given(st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(cell, min_size=width, max_size=width), max_size=8)))
def test_what_a_csv_writer_wrote_is_read_back(rows: list[list[str]]) -> None:
    width = len(rows[0]) if rows else 1
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([[f"c{n}" for n in range(width)], *rows])
    assert [cells for _, cells in read(out.getvalue())[1]] == rows


@settings(deadline=None)
@given(st.binary(max_size=80), st.sampled_from(["a.csv", "a.tsv", "a.jsonl"]), st.sampled_from([None, "cp1251", "utf-16", "utf-7"]))
def test_any_bytes_are_read_or_refused(data: bytes, name: str, encoding: str | None) -> None:
    with contextlib.suppress(BrokenTableError):
        columns, rows = read(data, name=name, encoding=encoding)
        assert all(len(cells) == len(columns) for _, cells in rows)


def test_json_lines_are_text_as_written() -> None:
    data = '{"phone": 375291111111, "sum": 1.10, "note": null}\n\n{"note": "a\\nb", "phone": "2", "sum": 1e5}\n'
    assert read(data, name="a.jsonl") == (["phone", "sum", "note"], [(1, ["375291111111", "1.10", ""]), (3, ["2", "1e5", "a\nb"])])


@pytest.mark.parametrize(
    ("data", "code", "line", "words"),
    [
        ("", "CK304", 1, "empty"),
        ("[1]\n", "CK304", 1, "object"),
        ("{'phone': 1}\n", "CK304", 1, "no JSON"),
        ('{"phone": 1}\n{"phone": 2\n', "CK304", 2, "no JSON"),
        ('{"phone": 1}\n{"fone": 2}\n', "CK305", 2, "fone, phone"),
        ('{"phone": [1]}\n', "CK304", 1, "neither text nor a number"),
        ('{"phone": true}\n', "CK304", 1, "neither text nor a number"),
        ('{"phone": NaN}\n', "CK304", 1, "neither text nor a number"),
        ('{"phone": 1, "phone": 2}\n', "CK304", 1, "twice"),
        ('{"phone": 1, "\\ud800": 2}\n', "CK304", 1, "surrogate"),
        ('{"phone": ' + "[" * 50_000, "CK304", 1, "no JSON"),
        (b'{"phone": 1}\n\xff\n', "CK303", 1, "UTF-8"),
    ],
)
def test_broken_json_lines_name_their_line(data: str | bytes, code: str, line: int, words: str) -> None:
    found = broken(data, name="a.jsonl")
    assert (found.code, found.line) == (code, line)
    assert words in found.message


@settings(deadline=None)
@given(st.lists(st.fixed_dictionaries({"phone": st.integers(), "имя": st.text()}), min_size=1, max_size=5))
def test_json_lines_come_back(rows: list[dict[str, object]]) -> None:
    data = "\n".join(json.dumps(row, ensure_ascii=True) for row in rows)
    columns, found = read(data, name="a.ndjson")
    assert [cells for _, cells in found] == [[str(row[name]) for name in columns] for row in rows]


@pytest.mark.parametrize(("name", "hint"), [("a.xlsx", "CSV UTF-8"), ("a.ods", "CSV UTF-8"), ("a.txt", "rename"), ("people", "rename")])
def test_other_formats_have_a_way_out(name: str, hint: str) -> None:
    found = broken(b"PK", name=name)
    assert found.code == "CK302"
    assert hint in found.hint
