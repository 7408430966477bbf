"""The reused context renders what Jinja's own `render` renders, row by row, and nothing of one row reaches the next."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaignkit.rendering.environment import environment
from campaignkit.rendering.filters import LONGEST_TEXT
from campaignkit.rendering.guard import examine
from campaignkit.rendering.messages import Renderer, RowError, condition_source
from campaignkit.rendering.together import SEPARATOR

TEMPLATES = [
    "no marks at all",
    "{{ a }}",
    "Hi {{ a }}, {{ b | upper }}!\n",
    "{% if a %}{{ a }}{% elif b == 'x' %}x{% else %}nothing{% endif %}",
    "{% if a == 'x' %}{% set c = b %}{% endif %}{{ c | default('unset') }}",
    "{% set c = a ~ b %}{{ c }}{% set c = 'again' %}{{ c }}",
    "{% for part in [a, b] %}{{ loop.index }}/{{ loop.length }}:{{ part }}{% if not loop.last %}, {% endif %}{% endfor %}",
    "{% for n in range(3) %}{% set c = n %}{{ c }}{% else %}none{% endfor %}{{ c | default('out') }}",
    "{% for part in [a, b] if part %}{{ loop.previtem | default('-') }}{{ part }}{% else %}both empty{% endfor %}",
    "{#- a comment {{ a }} -#}  {{- a -}}  \n {%- if b -%} {{ b }} {%- endif %}",
    "{% raw %}{{ a }}{% endraw %}{{ a | urlencode }}",
    "{{ a | default('…', true) }}{{ b | truncate(5) }}{{ a | replace('a', b) }}",
    "{% with c = a %}{{ c }}{{ b }}{% endwith %}{{ c is defined | string }}",
    "{{ a[0] | default('') }}{{ a[:2] }}{{ a | length }}{{ (a | length) * 2 }}",
    "{{ a | reverse }}{{ [a, b] | unique | join('+') }}{{ [b, a] | sort | first }}",
    "{{ 'one' if a is defined and a != b else 'two' }}{{ a in b | string }}",
    "{{ a | int(0) }}{{ a | plural('балл', 'балла', 'баллов') }}",
    "{{ a | int }}",
]

hostile = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "",
            "x",
            "5",
            "1 234,50",
            "{{ b }}",
            "{% set c = 1 %}",
            "{% endif %}",
            "{#",
            'a,b;c\t"d"',
            "line\nline\r\nline",
            "'\"\\",
            "%s%(x)s",
            "👩‍👩‍👧‍👦🇧🇾",
            "\u202eabc",
            "\x00\x07\x1b[31m",
            "a" * 2_000,
            "я" * 500,
            "<b>&amp;</b>",
            "__class__",
            "٣",
            "Ё",
            "\ud800",
        ]
    ),
)


def by_jinja(source: str, values: dict[str, str]) -> str | None:
    try:
        text = environment().from_string(source).render(**values)
    except Exception:  # noqa: BLE001 - whatever it is, the other side must fail too
        return None
    return text if len(text) <= LONGEST_TEXT else None


def by_renderer(renderer: Renderer, values: dict[str, str]) -> str | None:
    renderer.set(values)
    try:
        return renderer.render()[0]
    except RowError:
        return None


@pytest.mark.parametrize("source", TEMPLATES)
@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.tuples(hostile, hostile), min_size=1, max_size=6))
def test_a_reused_context_equals_a_new_one_row_by_row(source: str, rows: list[tuple[str, str]]) -> None:
    renderer = Renderer([source], {})
    for a, b in rows:
        values = {"a": a, "b": b}
        assert by_renderer(renderer, values) == by_jinja(source, values)


PLAIN = [source for source in TEMPLATES if not any(mark in source for mark in ("{% set", "{% for", "{% with", "["))]
separating = hostile | st.sampled_from([SEPARATOR, f"x{SEPARATOR}y", SEPARATOR * 2])


def by_rows(renderer: Renderer, rows: list[tuple[str, str]]) -> list[list[str]] | None:
    """Every template for every row, one after another; None if one can't be rendered."""
    found = []
    for a, b in rows:
        renderer.set({"a": a, "b": b})
        try:
            found.append(renderer.render())
        except RowError:
            return None
    return [list(column) for column in zip(*found, strict=True)]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PLAIN), min_size=1, max_size=3), st.lists(st.tuples(separating, separating), min_size=1, max_size=6))
def test_many_rows_at_once_come_out_as_one_by_one_or_not_at_all(sources: list[str], rows: list[tuple[str, str]]) -> None:
    """Nobody gets another's text, whatever stands in their cells."""
    renderer = Renderer(sources, {"c": "C"}, ("a", "b"))
    found = renderer.render_all(rows)
    if found is not None:
        assert found == by_rows(renderer, rows)
    elif not any(SEPARATOR in cell for row in rows for cell in row):
        assert by_rows(renderer, rows) is None
    assert by_rows(renderer, rows) == by_rows(Renderer(sources, {"c": "C"}), rows)


@pytest.mark.parametrize("source", [source for source in PLAIN if " in b" not in source])  # which is no text, for anybody
def test_plain_templates_are_rendered_at_once(source: str) -> None:
    assert Renderer([source], {}, ("a", "b")).render_all([("1", "2"), ("3", "4")]) is not None


@pytest.mark.parametrize("source", [*(one for one in TEMPLATES if one not in PLAIN), "{{ a }}{{ loop | default('') }}"])
def test_who_sets_names_or_loops_is_rendered_row_by_row(source: str) -> None:
    assert Renderer([source], {}, ("a", "b")).render_all([("1", "2")]) is None


def test_a_name_that_the_loop_itself_uses_is_left_to_the_author() -> None:
    renderer = Renderer(["{{ rows_of_this_part }}"], {}, ("rows_of_this_part",))
    assert renderer.render_all([("1",)]) is None
    renderer.set({"rows_of_this_part": "1"})
    assert renderer.render() == ["1"]


def test_a_row_that_cannot_be_rendered_leaves_no_trace() -> None:
    renderer = Renderer(["{{ a | int }}"], {}, ("a",))
    assert renderer.render_all([("1",), ("x",)]) is None
    assert renderer.render_all([("1",), ("2",)]) == [["1", "2"]]


def test_what_took_too_long_once_is_not_tried_again() -> None:
    class Late(str):
        __slots__ = ()

        def __len__(self) -> int:  # as the watch's signal would come
            raise RowError("many templates at once take too long")

    renderer = Renderer(["{{ a | length }}"], {}, ("a",))
    assert renderer.render_all([("x",)]) == [["1"]]
    assert renderer.render_all([(Late("x"),)]) is None
    assert renderer.render_all([("x",)]) is None


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(st.tuples(hostile, hostile), min_size=1, max_size=4))
def test_templates_that_share_names_do_not_share_what_they_set(rows: list[tuple[str, str]]) -> None:
    sources = ["{% set c = a %}{{ c }}", "{{ c | default('unset') }}{{ b }}"]
    renderer = Renderer(sources, {})
    for a, b in rows:
        renderer.set({"a": a, "b": b})
        assert renderer.render() == [a, "unset" + b]


def test_what_a_row_sets_never_reaches_the_next() -> None:
    renderer = Renderer(["{% if a == 'first' %}{% set secret = b %}{% endif %}{{ secret | default('nobody') }}"], {})
    assert by_renderer(renderer, {"a": "first", "b": "Анна"}) == "Анна"
    assert by_renderer(renderer, {"a": "second", "b": "Пётр"}) == "nobody"


def test_what_a_failed_row_set_never_reaches_the_next() -> None:
    renderer = Renderer(["{% set secret = b %}{% if a == 'bad' %}{{ a | int }}{% endif %}{{ later | default('') }}{% set later = b %}"], {})
    assert by_renderer(renderer, {"a": "bad", "b": "Анна"}) is None
    assert by_renderer(renderer, {"a": "good", "b": "Пётр"}) == ""


def test_variables_stand_beside_columns_in_every_row() -> None:
    renderer = Renderer(["{% set shop = shop ~ '!' %}{{ shop }}{{ a }}"], {"shop": "S"})
    assert [by_renderer(renderer, {"a": a}) for a in "xy"] == ["S!x", "S!y"]


def test_values_are_never_templates() -> None:
    renderer = Renderer(["{{ a }}"], {"b": "secret"})
    assert by_renderer(renderer, {"a": "{{ b }}{% include 'x' %}"}) == "{{ b }}{% include 'x' %}"


def test_a_text_may_have_so_many_characters_and_no_more() -> None:
    renderer = Renderer(["{{ a }}"], {})
    assert by_renderer(renderer, {"a": "x" * LONGEST_TEXT}) == "x" * LONGEST_TEXT
    renderer.set({"a": "x" * (LONGEST_TEXT + 1)})
    with pytest.raises(RowError, match="20,000"):
        renderer.render()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{{ a ** 9 }}", "power"),
        ("{{ 'a' * 1000000000 }}", "numbers only"),
        ("{{ [1] * 1000000000 }}", "numbers only"),
        ("{{ '%1000000000d' % 1 }}", "numbers only"),
        ("{% for i in range(100) %}{{ i % '5' }}{% endfor %}", "numbers only"),
        ("{{ 99999999999999999999999999999999999999 * 99999999999999999999999999999999999999999 * 9 }}", "too large"),
        ("{{ range(100000) | length }}", "1,000"),
        ("{{ 5 % 0 }}", "modulo"),
        ("{{ 5 / 0 }}", "division"),
        ("{{ missing }}", "'missing' is undefined"),
        ("{{ none }}", "NoneType is not text"),
        ("{{ true }}", "bool is not text"),
        ("{{ [a] }}", "list is not text"),
        ("{{ a < 1 }}", "not supported"),
        ("{{ a[99] }}", "no such element"),
        ("{{ {'k': 1}[a] }}", "no such element"),
        ("{{ a['upper'] | string }}", "no such element"),
        ("{% set loop = a %}{{ loop.upper | string }}", "no .upper"),
        ("{% for i in [1] %}{{ loop.changed | string }}{% endfor %}", "no .changed"),
        ("{{ [a] | join(attribute='upper') }}", "unexpected keyword argument"),
        ("{{ 1 | round(1000000000, 'ceil') }}", "0 to 6 places"),
        ("{{ a | money(places=10000) }}", "0 to 6 places"),
        ("{{ a | date('%s') }}", "depends on the machine"),
    ],
)
def test_what_cannot_or_may_not_be_rendered_is_an_error_of_the_row(source: str, words: str) -> None:
    renderer = Renderer([source], {})
    renderer.set({"a": "Анна"})
    with pytest.raises(RowError) as caught:
        renderer.render()
    assert words in str(caught.value)
    assert "Анна" not in str(caught.value)


@pytest.mark.parametrize("source", ["{{ [1, 2] | reverse | string }}", "{{ [1, 2] | unique | string }}", "{{ 'ab' | unique | string }}"])
def test_nothing_prints_as_python_writes_it_or_where_it_stands_in_memory(source: str) -> None:
    with pytest.raises(RowError, match="a value of type list is not text"):
        Renderer([source], {}).render()


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ [1, 2] | reverse | join('-') }}", "2-1"), ("{{ a ~ 1 ~ 1.5 }}", "Анна11.5"), ("{{ a + '!' }}", "Анна!"), ("{{ 1 + 2 }}", "3"),
        ("{{ a | replace('н', 'нн', 1) }}", "Аннна"), ("{{ a | replace('', '-') }}", "-А-н-н-а-"), ("{{ [1, 2.5] | sum }}", "3.5"),
        ("{{ 'a b&' | urlencode }}", "a%20b%26"), ("{{ [a, 1] | join }}", "Анна1"), ("{{ 5 | string }}", "5"),
    ],
)  # fmt: skip
def test_what_is_bounded_does_what_it_did(source: str, text: str) -> None:
    renderer = Renderer([source], {})
    renderer.set({"a": "Анна"})
    assert renderer.render() == [text]


@pytest.mark.parametrize(
    "source",
    [
        "{% set b = a ~ a %}{{ b | length }}", "{% set b = a + a %}{{ b | length }}", "{{ a | replace('x', 'yyy') | length }}",
        "{{ [a, a] | join | length }}", "{{ '%' * 1 ~ a | urlencode | urlencode }}", "{{ range(900) | join(a) | length }}",
    ],
)  # fmt: skip
def test_no_text_inside_a_template_grows_without_bound(source: str) -> None:
    renderer = Renderer([source], {})
    renderer.set({"a": "x" * (LONGEST_TEXT // 2 + 1)})
    with pytest.raises(RowError):
        renderer.render()


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ('tier == "gold"', True),
        ("a", True),
        ("not a", False),
        ("(a or b) and '7' in a", True),
        ("a | int > 7", False),
        ("b", False),
        ("b == ''\n", True),
        ("b in ['', 'x']", True),
    ],
)
def test_one_expression_is_a_condition(expression: str, *, holds: bool) -> None:
    source = condition_source(expression)
    assert source is not None
    assert Renderer([source], {"a": "7", "b": "", "tier": "gold"}).render() == ["1" if holds else ""]


@pytest.mark.parametrize(
    "expression",
    [
        "a) %}1{% endif %}{% if (b",
        "a) %}{% set x = 1 %}1{% endif %}{% if (true",
        "true) %}1{% else %}1{% endif %}{% if (a",
        "a) or (b) %}x{% endif %}{% if (",
        "a) %}{% include 'x' %}{% if (b",
        "a) %}1{% elif (b",
        "a) %}2{% endif %}{#",
        "a) %}{{ b }}{% endif %}{# ",
        "a %}1{% elif b",
        "a, b",
        "a,",
        "",
        " ",
        "a b",
        "a == ",
        "a)",
        "(a",
        "a %}",
        "{{ a }}",
        "{% a %}",
        "(" * 3000,
        "set x = 1",
        "a; b",
    ],
)
def test_what_is_more_or_less_than_one_expression_is_no_condition(expression: str) -> None:
    assert condition_source(expression) is None


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ab()%{}#'\" \n=|1-+", max_size=25))
def test_a_condition_prints_1_or_nothing_whatever_stands_in_it(expression: str) -> None:
    source = condition_source(expression)
    if source is None or examine(source, frozenset({"a", "b"}))[1]:
        return
    assert by_renderer(Renderer([source], {}), {"a": "x", "b": ""}) in {"", "1", None}
