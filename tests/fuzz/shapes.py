"""What fuzzers are made of: bytes that nearly are something, and JSON that nearly is what was asked for."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

HOSTILE = st.sampled_from(
    [
        "\0", "\x1b[2J", "\u202e", "\u2028", "\ud800", "\ufeff", "é", "🎁", "=1+1", "<b>", "::error::", "9" * 400, "x" * 5000, "[" * 200,
        '"', "\\", "",
    ]
)  # fmt: skip
WORDS = st.one_of(st.text(max_size=20), HOSTILE)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), WORDS)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=4)), max_leaves=15
)


def near(shape: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with these keys, some of them missing or of any other type, and keys that nobody asked for."""
    kept = st.fixed_dictionaries({}, optional={key: st.one_of(value, value, ANYTHING) for key, value in shape.items()})
    return st.tuples(kept, st.dictionaries(WORDS, ANYTHING, max_size=1)).map(lambda both: both[1] | both[0])


@st.composite
def spoilt(draw: st.DrawFn, documents: st.SearchStrategy[Any]) -> bytes:
    """JSON of a document; sometimes cut, or with bytes put in."""
    text = json.dumps(draw(documents), ensure_ascii=draw(st.booleans()))
    data = text.encode("utf-8", "surrogatepass")
    how = draw(st.integers(0, 3))
    at = draw(st.integers(0, len(data)))
    if how == 1:
        return data[:at]
    return data[:at] + draw(st.binary(max_size=6)) + data[at:] if how == 2 else data
