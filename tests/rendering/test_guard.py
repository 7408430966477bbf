"""What a template may not say, found before anything is compiled, at its place."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import TemplateError, meta

from campaignkit.rendering.environment import environment
from campaignkit.rendering.guard import LONGEST_SOURCE, examine
from campaignkit.rendering.messages import Renderer

ALLOWED = frozenset({"a", "first_name"})


@pytest.mark.parametrize(
    ("source", "code", "offset", "words"),
    [
        ("{% extends 'x' %}", "CK203", 0, "extends"),
        ("ok {% include 'x' %}", "CK203", 3, "include"),
        ("one\ntwo {% import 'x' as y %}", "CK203", 8, "import"),
        ("{% from 'x' import y %}", "CK203", 0, "import"),
        ("{% block x %}{% endblock %}", "CK203", 0, "block"),
        ("{% macro m() %}{% endmacro %}", "CK203", 0, "macro"),
        ("{% call a() %}{% endcall %}", "CK203", 0, "call"),
        ("{% autoescape true %}{% endautoescape %}", "CK203", 0, "autoescape"),
        ("{% filter upper %}x{% endfilter %}", "CK203", 0, "filter"),
        ("{% set x %}y{% endset %}", "CK203", 0, "set block"),
        ("{% set a.b = 1 %}", "CK203", 0, "namespace"),
        ("{{ namespace(x=1) }}", "CK203", 0, "called"),
        ("x\n\n  {{ a.upper() }}", "CK203", 5, "upper()"),
        ("{{ a.__class__.__mro__ }}", "CK203", 0, ".__class__"),
        ("{{ (a ~ a).format }}", "CK203", 0, ".format"),
        ("{{ a() }}", "CK203", 0, "called"),
        ("{{ self | string }}", "CK203", 3, "self"),
        ("{{ 1 ~ range }}", "CK203", 7, "range"),
        ("{{ self.x() }}", "CK203", 0, "x()"),
        ("{{ 10 ** 10 ** 9 }}", "CK203", 0, "powers"),
        ("{% for i in range(2) %}{{ loop.cycle('a') }}{% endfor %}", "CK203", 0, "cycle()"),
        ("{% for i in a recursive %}{{ loop(a) }}{% endfor %}", "CK203", 0, "called"),
        ("{{ dict(x=1) }}", "CK203", 0, "called"),
        ("{{ lipsum() }}", "CK203", 0, "called"),
        ("Hi {{ a | shout }}", "CK204", 10, "'shout'"),
        ("Hi {{ a | format }}", "CK204", 10, "'format'"),
        ("{{ [a] | map('upper') }}", "CK204", 9, "'map'"),
        ("{{ a | attr('x') }}", "CK204", 7, "'attr'"),
        ("{% if a is shiny %}x{% endif %}", "CK204", 11, "'shiny'"),
        ("frist_name {{ frist_name }}", "CK202", 14, "'frist_name'"),
        ("{{ joiner }}", "CK202", 3, "'joiner'"),
        ("{{ loop }}", "CK202", 3, "'loop'"),
        ("{% for x in [1] %}{% endfor %}{{ x }}", "CK202", 7, "'x'"),
        ("a\n{{ a", "CK201", 2, "broken"),
        ("{% if a %}", "CK201", 0, "broken"),
        ("{% trans %}{% endtrans %}", "CK201", 0, "unknown tag"),
        ("{{ a }} {{ }}", "CK201", 0, "broken"),
        ("ok {% for loop in a %}x{% endfor %}", "CK201", 3, "special loop variable"),
        ("x" * (LONGEST_SOURCE + 1), "CK201", 0, "20,000"),
        ("{{ " + "(" * 100 + ")" * 100 + " }}", "CK201", 61, "deeply"),
        ("{% if a %}" * 201, "CK201", 0, "deeply"),
        ("{% if a %}" * 99 + "{% endif %}" * 99, "CK201", 0, "deeply"),
        ("{% for i in [1] %}" * 25 + "{% endfor %}" * 25, "CK201", 0, "deeply"),
        ("Hi\n{{ a" + " + a" * 60 + " }}", "CK201", 3, "deeply"),
        ("{{ " + "-" * 3000 + "1 }}", "CK201", 0, "deeply"),
        ("{{ " + " + ".join(["a"] * 300) + " }}", "CK201", 0, "deeply"),
        ("{{ " + " + ".join(["a"] * 4000) + " }}", "CK201", 0, "deeply"),
        ("{{ " + " and ".join(["a"] * 3000) + " | string }}", "CK201", 0, "deeply"),
        ("{{ a" + " | upper" * 300 + " }}", "CK201", 0, "deeply"),
        ("{{ a" + "[0]" * 1000 + " }}", "CK201", 0, "deeply"),
        ("{{ a" + ".b" * 2000 + " }}", "CK201", 0, "deeply"),
        ("{{ " + "9" * 5000 + " }}", "CK201", 0, "number"),
    ],
)
def test_a_forbidden_construct_is_refused_at_its_place(source: str, code: str, offset: int, words: str) -> None:
    _, faults = examine(source, ALLOWED)
    assert [(f.code, f.offset) for f in faults if words in f.message][:1] == [(code, offset)], faults


@pytest.mark.parametrize(
    ("source", "hint"),
    [("{{ frist_name }}", "'first_name'"), ("{{ a | plurl(1, 2, 3) }}", "'plural'"), ("{{ a.upper() }}", "value | upper")],
)
def test_near_names_are_offered(source: str, hint: str) -> None:
    assert hint in examine(source, ALLOWED)[1][0].hint


def test_all_faults_are_found_at_once() -> None:
    _, faults = examine("{{ x }}{{ y }}{{ a | nope }}{% include 'z' %}", ALLOWED)
    assert sorted(f.code for f in faults) == ["CK203", "CK204"]
    _, faults = examine("{{ x }}{{ y }}{% include 'z' %}", ALLOWED)
    assert sorted(f.code for f in faults) == ["CK202", "CK202", "CK203"]


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("plain", set()),
        ("{{ a }}", {"a"}),
        ("{% set x = a %}{{ x }}", {"a"}),
        ("{# {{ first_name }} #}", set()),
        ("{% for a in range(3) %}{{ a }}{{ loop.index }}{% endfor %}", set()),
        ("{% if first_name %}{{ a }}{% endif %}", {"a", "first_name"}),
        ("{% raw %}{{ nope }}{% endraw %}", set()),
        ("{{ a | replace('first_name', 'x') }}", {"a"}),
        ("self and range are words", set()),
    ],
)
def test_the_names_a_template_uses_are_known(source: str, names: set[str]) -> None:
    assert examine(source, ALLOWED) == (frozenset(names), [])


WORDS = """
{{ }} {% %} {# #} a if endif for x in range(3) endfor set y = ( ) [ ] | upper self .b 's' 1 + * ** ~ - % is defined
m() not loop { : , é
"""
pieces = st.sampled_from([*WORDS.split(), "\n", "\ud800"])


@settings(max_examples=300, deadline=None)
@given(st.lists(pieces, max_size=25).map(" ".join))
def test_examining_never_raises_and_what_passes_compiles(source: str) -> None:
    _, faults = examine(source, ALLOWED)
    if not faults:
        Renderer([source], {})


@settings(max_examples=300, deadline=None)
@given(st.lists(pieces, max_size=25).map(" ".join))
def test_the_names_are_those_that_jinja_finds_in_a_pass_of_its_own(source: str) -> None:
    names, faults = examine(source, frozenset({"a", "m", "x", "y"}))
    if not faults:
        assert names == meta.find_undeclared_variables(environment().parse(source))


@settings(max_examples=300, deadline=None)
@given(st.lists(pieces, max_size=25).map(" ".join))
def test_what_was_examined_renders_as_what_jinja_compiles_afresh(source: str) -> None:
    values = {"a": "é", "m": "1", "x": "{{ a }}", "y": ""}
    if examine(source, frozenset(values))[1]:
        return
    template, code = environment().from_string(source), environment().compile(source)
    afresh = environment().template_class.from_code(environment(), code, environment().make_globals(None), None)
    found = []
    for one in (template, afresh):
        try:
            found.append(one.render(values))
        except (TemplateError, ValueError, TypeError, LookupError, ArithmeticError) as error:
            found.append(repr(error))
    assert found[0] == found[1]
