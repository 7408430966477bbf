"""What was examined is compiled once, and not for ever."""

from __future__ import annotations

import pytest

from campaignkit.rendering.environment import MOST_KEPT, environment
from campaignkit.rendering.guard import examine


def test_what_was_examined_is_not_compiled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert examine("{{ once }}!", frozenset({"once"})) == (frozenset({"once"}), [])
    monkeypatch.setattr(type(environment()), "_parse", lambda *_: pytest.fail("it was parsed again"))
    assert environment().from_string("{{ once }}!").render(once="x") == "x!"


def test_the_code_of_so_many_templates_is_kept_and_the_oldest_is_compiled_again() -> None:
    sources = [f"{{{{ a }}}} {number}" for number in range(MOST_KEPT + 1)]
    for source in sources:
        examine(source, frozenset({"a"}))
    assert len(environment()._kept) == MOST_KEPT
    assert sources[0] not in environment()._kept
    assert [environment().from_string(source).render(a="x") for source in sources] == [f"x {number}" for number in range(MOST_KEPT + 1)]
    examine(sources[0], frozenset({"a"}))
    assert sources[0] in environment()._kept
