"""Templates compiled once, rendered for millions of rows.

`Template.render(dict)` builds a new context each time, which costs ten times the rendering itself. Here one context is
reused: its names are overwritten and everything that a `{% set %}` left behind is cleared before each row, so that nothing
of one person can reach the next. Plain templates are besides compiled into one loop over many rows (`rendering.together`);
whatever does not come out of that whole is rendered row by row. `tests/rendering` proves both equal to `render`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from jinja2 import TemplateError, nodes
from jinja2.runtime import Context

from campaignkit.rendering.environment import environment
from campaignkit.rendering.filters import LONGEST_TEXT, FilterError
from campaignkit.rendering.together import SEPARATOR, together

MOST_PIECES = 20_000
"""Pieces a template may print, empty ones too."""
_FEW = 100
"""So many pieces are joined without asking how long they are: no piece is longer than `LONGEST_TEXT`."""


_TROUBLES = (TemplateError, FilterError, TypeError, ValueError, ArithmeticError, LookupError, RecursionError)


class RowError(Exception):
    """One row can't be rendered; the message is for the author and holds no whole cell."""


class Renderer:
    """Several templates over one set of names.

    Args:
        sources: The templates, checked by `guard.examine`.
        constants: Variables, the same for every row.
        columns: Names of the values of a row, in their order.
    """

    def __init__(self, sources: Sequence[str], constants: Mapping[str, str], columns: Sequence[str] = ()) -> None:
        self._names: dict[str, Any] = {**environment().globals, **constants}
        self._sources, self._columns = sources, columns
        self._parts = [self._part(source) for source in sources]
        self._whole: Callable[[Sequence[Sequence[str]]], str] | None = None
        self._in_turn = not columns

    def _part(self, source: str) -> Callable[[], str]:
        if "{" not in source:
            return lambda: source
        env = environment()
        template = env.from_string(source)
        context: Context = template.new_context(self._names, shared=True)
        # The names are looked up in `parent`; the others hold what the template itself sets.
        context.parent = self._names
        run, left, exported = template.root_render_func, context.vars, context.exported_vars

        def render() -> str:
            if left:
                left.clear()
                exported.clear()
            pieces = list(islice(run(context), MOST_PIECES + 1))
            if len(pieces) > MOST_PIECES:
                raise RowError(f"the text has more than {MOST_PIECES:,} pieces")
            many = len(pieces) > _FEW and sum(map(len, pieces)) > LONGEST_TEXT
            if many or len(text := "".join(pieces)) > LONGEST_TEXT:
                raise RowError(f"the text grows beyond {LONGEST_TEXT:,} characters")
            return text

        return render

    @property
    def many(self) -> int:
        """How many templates there are."""
        return len(self._parts)

    def set(self, values: Mapping[str, str]) -> None:
        """Take one row's values; every column is given each time, so none of the row before stays."""
        self._names.update(values)

    def render_all(self, rows: Sequence[Sequence[str]]) -> list[list[str]] | None:
        """Every template for many rows.

        Args:
            rows: The values of each, in the order of the columns.

        Returns:
            For each template, its text for each row; None where the rows must be rendered one by one, because the templates are
            not that plain, one of the rows can't be rendered, or its values would be taken for the end of a text.
        """
        if self._whole is None and not self._in_turn:
            self._whole = together(self._sources, self._names, self._columns)
            self._in_turn = self._whole is None
        if self._whole is None or self._in_turn:
            return None
        try:
            whole = self._whole(rows)
        except (*_TROUBLES, MemoryError):
            return None
        except RowError:  # the watch: it took too long, and would each time
            self._in_turn = True
            return None
        texts, many = whole.split(SEPARATOR), self.many
        # Exactly those that the loop itself has put there: one more, and somebody would get another one's text.
        if len(texts) != many * len(rows) + 1 or max(map(len, texts)) > LONGEST_TEXT:
            return None
        return [texts[at:-1:many] for at in range(many)]

    def render(self) -> list[str]:
        """Every template for the row that was set.

        Raises:
            RowError: A template can't be rendered for it.
        """
        try:
            return [part() for part in self._parts]
        except _TROUBLES as error:
            raise RowError(_said(error)) from None
        except MemoryError:
            raise RowError("the template asks for more memory than a message may take") from None


def _said(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 160 else text[:157] + "…"


def condition_source(expression: str) -> str | None:
    """The template of a `where` expression, or None if it is more than one expression."""
    source = "{% if (" + expression + "\n) %}1{% endif %}"
    try:
        tree = environment().parse(source)
    except (TemplateError, RecursionError):
        return None
    if len(tree.body) != 1 or not isinstance(branch := tree.body[0], nodes.If) or branch.elif_ or branch.else_:
        return None
    if isinstance(branch.test, nodes.Tuple):  # nothing, or several: always false, or always true
        return None
    body = branch.body
    single = len(body) == 1 and isinstance(body[0], nodes.Output) and len(body[0].nodes) == 1
    return source if single and isinstance(body[0].nodes[0], nodes.TemplateData) else None  # type: ignore[attr-defined]  # `single` says it is an Output
