"""Several templates compiled into one loop over many rows: what Jinja costs for each call is paid once for all of them.

Only for templates that print, ask and filter. Who sets names, loops or looks into loops could tell one row's turn from another's,
and is rendered row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from jinja2 import nodes
from jinja2.runtime import Context

from campaignkit.rendering.environment import environment

SEPARATOR: Final = "\x1e"
"""Stands behind every text. A value that holds it makes one too many of them, which the caller counts."""

_ROWS: Final = "rows_of_this_part"
_PLAIN: Final = frozenset(
    {
        nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Filter, nodes.Keyword, nodes.Test, nodes.If,
        nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Concat, nodes.Neg, nodes.Pos,
        nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod,
    }
)  # fmt: skip


def together(sources: Sequence[str], names: dict[str, Any], columns: Sequence[str]) -> Callable[[Sequence[Sequence[str]]], str] | None:
    """A function that renders all templates for each of many rows, each text followed by `SEPARATOR`.

    Args:
        sources: The templates, checked by `guard.examine`.
        names: Everything else that they may use; the rows are put into it.
        columns: Names of the values of a row, in their order.

    Returns:
        None if one of them is not plain.
    """
    trees = [environment().parse(source) for source in sources]
    if not sources or not all(map(_is_plain, trees)) or not {"loop", _ROWS}.isdisjoint({*names, *columns}):
        return None
    body: list[nodes.Node] = []
    for tree in trees:
        body += [*tree.body, nodes.Output([nodes.TemplateData(SEPARATOR)])]
    target = nodes.Tuple([nodes.Name(name, "store") for name in columns], "store")
    loop = nodes.For(target, nodes.Name(_ROWS, "load"), body, [], None, False)
    tree = nodes.Template([loop])
    of_texts = environment().overlay()
    of_texts.always_text = frozenset(columns)
    tree.set_lineno(1).set_environment(of_texts)
    template = of_texts.from_string(tree)
    return _rendering(template.root_render_func, template.new_context(names, shared=True), names)


def _rendering(run: Callable[[Context], Any], context: Context, names: dict[str, Any]) -> Callable[[Sequence[Sequence[str]]], str]:
    context.parent = names

    def render(rows: Sequence[Sequence[str]]) -> str:
        names[_ROWS] = rows
        try:
            return "".join(run(context))
        finally:
            del names[_ROWS]

    return render


def _is_plain(tree: nodes.Template) -> bool:
    return all(type(node) in _PLAIN for node in tree.find_all(nodes.Node)) and "loop" not in {n.name for n in tree.find_all(nodes.Name)}
