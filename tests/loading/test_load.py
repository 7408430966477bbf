"""What `load` makes of bytes: values by YAML 1.2, places, and every refusal."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaignkit.diagnostics import Diagnostic
from campaignkit.loading.events import DEEPEST, LARGEST_FILE, load
from campaignkit.loading.nodes import Document


def loaded(text: str) -> Document:
    document, problems = load("a.yaml", text.encode())
    assert problems == []
    assert document is not None
    return document


def refusal(data: str | bytes) -> Diagnostic:
    document, problems = load("a.yaml", data.encode() if isinstance(data, str) else data)
    assert document is None
    return problems[-1]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("22:56", "22:56"), ("no", "no"), ("yes", "yes"), ("on", "on"), ("0123", "0123"), ("0o17", "0o17"), ("0x10", "0x10"),
        ("1_000", "1_000"), ("2026-11-23", "2026-11-23"), ("2094-12-01T10:00:00", "2094-12-01T10:00:00"), ("True", "True"),
        ("NULL", "NULL"), (".inf", ".inf"), (".nan", ".nan"), ("1.", "1."), (".5", ".5"), ("+375 29 111-11-11", "+375 29 111-11-11"),
        ("080291111111", "080291111111"), ("375291111111", 375291111111), ("+375291111111", 375291111111), ("-7", -7), ("0", 0),
        ("12345678901234567890", "12345678901234567890"), ("1.5", 1.5), ("-2e3", -2000.0), ("true", True), ("false", False),
        ("null", None), ("~", None), ("", None), ('"5"', "5"), ("'true'", "true"), ("! 5", "5"), ("!!str 5", "5"),
        ("=", "="), ("a#b", "a#b"), ("a # b", "a"), ("|\n  x\n  y\n", "x\ny\n"), (">-\n  x\n  y\n", "x y"),
    ],
)  # fmt: skip
def test_a_plain_scalar_is_what_yaml_1_2_says(written: str, value: object) -> None:
    found = loaded(f"k: {written}\n").get("k")
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize("written", ["1.10", "+375291111111", "007", "1e3", "-0", "true", "&a 1.10", "&long-anchor 5", "'1.10'"])
def test_a_single_value_can_be_had_as_it_stands(written: str) -> None:
    assert loaded(f"k: {written}").text("k") == written.rsplit(" ", maxsplit=1)[-1].strip("'")


def test_an_alias_is_written_like_its_anchor_and_null_like_nothing() -> None:
    document = loaded("a: &x 1.10\nb: [*x, ~]\n")
    assert (document.text("b", 0), document.text("b", 1)) == ("1.10", "")


def test_keys_are_text_whatever_they_look_like() -> None:
    assert loaded("5: a\n1.10: b\ntrue: c\n&k 7: d\nnull: e\n").root == {"5": "a", "1.10": "b", "true": "c", "7": "d", "null": "e"}


def test_places_of_keys_and_values() -> None:
    document = loaded('имя: "Анна"\nlist:\n  - one\n  - {deep: [1, two]}\n')
    spots = {
        (pointer, key): (place.line, place.column, place.width)
        for pointer, key in [
            (("имя",), True), (("имя",), False), (("list", 0), False),
            (("list", 1, "deep"), True), (("list", 1, "deep", 1), False),
        ]
        for place in [document.place(pointer, key=key)]
    }  # fmt: skip
    assert spots == {
        (("имя",), True): (1, 1, 3), (("имя",), False): (1, 6, 6), (("list", 0), False): (3, 5, 3),
        (("list", 1, "deep"), True): (4, 6, 4), (("list", 1, "deep", 1), False): (4, 16, 3),
    }  # fmt: skip
    assert document.place(("list", 0)).excerpt == "  - one"


def test_what_has_no_place_has_that_of_its_nearest_ancestor() -> None:
    document = loaded("a:\n  b: 1\n")
    assert document.place(("a", "missing", "deeper")).line == 2
    assert document.place(("nothing",)).line == 1


def test_aliases_are_copied_in() -> None:
    assert loaded("a: &x {k: [1]}\nb: *x\n").get("b", "k", 0) == 1


def test_every_duplicate_key_is_reported_with_both_lines() -> None:
    document, problems = load("a.yaml", b"a: 1\nb:\n  c: 1\n  c: 2\na: 3\n")
    assert document is not None
    assert document.root == {"a": 1, "b": {"c": 1}}
    assert [(p.code, p.place.line, p.place.column) for p in problems] == [("CK009", 4, 3), ("CK009", 5, 1)]
    assert "first in line 3" in problems[0].message
    assert "first in line 1" in problems[1].message


def test_keys_of_one_text_are_duplicates_however_written() -> None:
    _, problems = load("a.yaml", b"5: 1\n'5': 2\n")
    assert [p.code for p in problems] == ["CK009"]


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("data", "code", "line", "column", "words"),
    [
        (b"", "CK004", 1, 1, "mapping"),
        (b"# only a comment\n", "CK004", 1, 1, "mapping"),
        (b"- a\n", "CK004", 1, 1, "mapping"),
        (b"text", "CK004", 1, 1, "mapping"),
        (b"a: \xff", "CK002", 1, 4, "0xff"),
        ("a: 1\nя: ".encode() + b"\xe8", "CK002", 2, 5, "0xe8"),
        ("a: 1\n".encode("utf-16"), "CK002", 1, 1, "UTF-8"),
        ("a: Анна\n".encode("cp1251"), "CK002", 1, 4, "UTF-8"),
        ("имя: имя\nb: я\x01x\n", "CK003", 2, 5, "U+0001"),
        ("a: 1\x00", "CK003", 1, 5, "U+0000"),
        ("a: \x1b[31m", "CK003", 1, 4, "U+001B"),
        ('a: "\\ud800"', "CK003", 1, 4, "YAML"),
        ("a: 'x\nb: 1\n", "CK003", 1, 4, "quoted scalar"),
        ("a: b: c", "CK003", 1, 5, "YAML"),
        ("a: 1\n\tb: 2", "CK003", 2, 1, "YAML"),
        ("a: {{ x }}", "CK003", 1, 5, "a key must be a word"),
        ("? [a]\n: 1", "CK003", 1, 3, "a key must be a word"),
        ("a\u200b: 1", "CK003", 1, 1, "invisible"),
        ("a: 1\n---\nb: 2", "CK005", 2, 1, "second"),
        ("a: " + "[" * 100_000, "CK006", 1, 3 + DEEPEST, "nested deeper"),
        ("a: " + "{a: " * 50_000, "CK006", 1, 0, "nested deeper"),
        ("- " * 50_000, "CK006", 1, 0, "nested deeper"),
        (BOMB, "CK006", 0, 0, "aliases"),
        ("a: [" + "1," * 250_000 + "]", "CK006", 1, 0, "100,000"),
        ("? " + "k" * 200_000 + "\n: 1", "CK006", 1, 3, "200,000 characters"),
        ("a: &a [*a]", "CK007", 1, 8, "*a"),
        ("a: &a {k: *a}", "CK007", 1, 11, "*a"),
        ("a: *nope", "CK007", 1, 4, "*nope"),
        ("a: &x {k: 1}\nb:\n  <<: *x", "CK007", 3, 3, "merge"),
        ("a: !!python/object:os.system x", "CK008", 1, 4, "tag"),
        ("a: !include x", "CK008", 1, 4, "tag"),
        ("a: !!int 5", "CK008", 1, 4, "tag"),
        ("a: !!binary aGk=", "CK008", 1, 4, "tag"),
        ("!!map {a: 1}", "CK008", 1, 1, "tag"),
        ("a: !!set {x}", "CK008", 1, 4, "tag"),
        (b"#" * (LARGEST_FILE + 1), "CK001", 0, 0, "bytes"),
    ],
)
def test_a_file_that_is_refused_says_why_and_where(data: str | bytes, code: str, line: int, column: int, words: str) -> None:
    found = refusal(data)
    assert (found.code, words in found.message) == (code, True), found
    assert line in {0, found.place.line}
    assert column in {0, found.place.column}


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a:\n\t- b", "spaces"), ("text: {{ name }}, hi", "quotes"), ("text: {% if a %}", "quotes"), ("a: b: c: d", '": "'),
        ("a: 'x", "quotes and indentation"), ("a: {<<: 1}", "write the values out"),
    ],
)  # fmt: skip
def test_usual_slips_have_a_hint(text: str, hint: str) -> None:
    assert hint in refusal(text).hint


def test_a_bom_and_a_version_directive_are_fine() -> None:
    assert loaded("\ufeff%YAML 1.2\n---\na: no\n...\n").root == {"a": "no"}


def test_lines_end_in_any_usual_way() -> None:
    document = loaded("a: 1\r\nb: 2\rc: x\n")
    assert document.place(("c",)).line == 3
    assert document.lines == ("a: 1", "b: 2", "c: x")


@settings(deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode(errors="surrogatepass"))))
def test_no_bytes_raise(data: bytes) -> None:
    document, problems = load("a.yaml", data)
    assert document is not None or problems
    assert all(p.place.line >= 0 and p.place.width >= 1 for p in problems)


marks = st.sampled_from(["a", "b: ", "- ", "? ", ": ", "&x ", "*x ", "!t ", "'", '"', "|\n", ">", "{", "}", "[", "]", ",", "\n", "  ", "\t",
                         "#", "%", "---\n", "...\n", "<<", "\\u", "\r", "\x85", "\u2028", "\ufeff", "é", "1", "~", "@", "`"])  # fmt: skip


@settings(deadline=None)
@given(st.lists(marks, max_size=30))
def test_no_yaml_like_text_raises(parts: list[str]) -> None:
    document, problems = load("a.yaml", "".join(parts).encode())
    assert document is not None or problems
    if document is not None:
        assert isinstance(document.root, dict)
        assert set(document.values) >= set(document.keys)


safe = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), max_size=20)
names = safe.filter(lambda key: key != "<<")
scalars = st.one_of(st.none(), st.booleans(), st.integers(-(10**17), 10**17), safe)
trees = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=4)), max_leaves=12
)


def emitted(value: object, indent: str = "") -> str:
    """A simple emitter of block YAML: keys and texts quoted as in JSON."""
    below = indent + "  "
    if isinstance(value, dict) and value:
        return "".join(f"\n{indent}{json.dumps(key, ensure_ascii=False)}: {emitted(item, below)}" for key, item in value.items())
    if isinstance(value, list) and value:
        return "".join(f"\n{indent}- {emitted(item, below)}" for item in value)
    return json.dumps(value, ensure_ascii=False)


@settings(deadline=None)
@given(st.dictionaries(names, trees, min_size=1, max_size=5))
def test_a_plain_document_comes_back_equal(root: dict[str, object]) -> None:
    document, problems = load("a.yaml", emitted(root).encode())
    assert problems == []
    assert document is not None
    assert document.root == root


@settings(deadline=None)
@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), safe, min_size=1, max_size=6))
def test_every_value_is_placed_where_it_stands(root: dict[str, str]) -> None:
    document = loaded(emitted(root))
    for key, value in root.items():
        place = document.place((key,))
        stretch = document.lines[place.line - 1][place.column - 1 : place.column - 1 + place.width]
        assert json.loads(stretch) == value
        assert document.place((key,), key=True).line == place.line
