"""The sandboxed Jinja environment: strict, without chance, clock, files, methods or unbounded operators."""

from __future__ import annotations

from collections.abc import MutableMapping
from decimal import Decimal
from functools import cache
from types import CodeType
from typing import Any

from jinja2 import StrictUndefined, Template, Undefined, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import SecurityError, TemplateRuntimeError
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from campaignkit.rendering.filters import ALLOWED_BUILTINS, joined, ours

LARGEST_RANGE = 1_000
LOOP_PARTS = frozenset({"index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "depth0", "previtem", "nextitem"})
_NUMBERS = (int, float, Decimal)
_MOST_BITS = 256
MOST_KEPT = 64
"""Templates whose code is kept, each of at most `guard.LONGEST_SOURCE` characters: the files of a project share many."""


class _Generator(CodeGenerator):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.undeclared: set[str] = set()

    def enter_frame(self, frame: Frame) -> None:
        """Remember what is asked for and set nowhere, as `jinja2.meta` does with a pass of its own."""
        super().enter_frame(frame)
        self.undeclared.update(name for action, name in frame.symbols.loads.values() if action == "resolve" and name is not None)

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802 - Jinja finds it by this name
        """`a ~ b` by a join that is bounded: set again and again, Jinja's own doubles a text until memory ends."""
        self.write("environment.joined((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if not self._is_text(node):
            super()._output_child_pre(node, frame, finalize)

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if not self._is_text(node):
            super()._output_child_post(node, frame, finalize)

    def _is_text(self, node: nodes.Expr) -> bool:
        """Whether it is printed as it is: it can be nothing but text."""
        environment = self.environment
        return isinstance(node, nodes.Name) and isinstance(environment, _Environment) and node.name in environment.always_text


class _Environment(ImmutableSandboxedEnvironment):
    code_generator_class = _Generator
    joined = staticmethod(joined)
    # Not folded at compile time and checked at run time: these can ask for all memory or all time there is.
    intercepted_binops = frozenset({"+", "*", "**", "%"})

    always_text: frozenset[str] = frozenset()
    """Names that stand for nothing but text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._kept: dict[str, CodeType] = {}

    def translated(self, tree: nodes.Template) -> tuple[frozenset[str], str]:
        """The names that a template asks for, and it as Python; folds what is constant in the tree.

        Raises:
            TemplateSyntaxError: It can't be put so, or uses a filter or test that there is not.
        """
        generator = _Generator(self, None, None)
        generator.visit(tree)
        stream: Any = generator.stream
        return frozenset(generator.undeclared - self.globals.keys()), stream.getvalue()

    def keep(self, source: str, python: str) -> None:
        """Compile what `translated` made of a source, for whoever renders it next.

        Raises:
            SyntaxError, RecursionError, MemoryError: Python's compiler has limits of its own.
        """
        if source in self._kept:
            return
        code = compile(python, "<template>", "exec", dont_inherit=True)
        while len(self._kept) >= MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[source] = code

    def from_string(
        self,
        source: str | nodes.Template,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002 - Jinja's name
        template_class: type[Template] | None = None,
    ) -> Template:
        """As Jinja does, but what was examined is not compiled again."""
        code = self._kept.get(source) if isinstance(source, str) else None
        if code is None:
            return super().from_string(source, globals, template_class)
        return (template_class or self.template_class).from_code(self, code, self.make_globals(globals), None)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Elements only: Jinja would look for an attribute next. What is missing is not named: it may be a person's cell."""
        try:
            return obj[argument]
        except (LookupError, TypeError):
            return self.undefined("there is no such element")

    def getattr(self, obj: Any, attribute: str) -> Any:
        """What a loop counts, nothing else: a value's methods would print where they stand in memory."""
        if isinstance(obj, LoopContext) and attribute in LOOP_PARTS:
            return getattr(obj, attribute)
        return self.undefined(f"there is no .{attribute} here")

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Numbers only, and small ones; texts may be added, within bounds."""
        if operator == "**":
            raise SecurityError("powers (**) are not allowed")
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return joined((left, right))
        if not isinstance(left, _NUMBERS) or not isinstance(right, _NUMBERS):
            kinds = "two numbers or two texts" if operator == "+" else "numbers only; use | int first"
            raise SecurityError(f"{operator} works on {kinds}")
        result = super().call_binop(context, operator, left, right)
        if isinstance(result, int) and result.bit_length() > _MOST_BITS:
            raise SecurityError("the number grows too large")
        return result


def _bounded_range(*steps: int) -> range:
    found = range(*steps)
    if len(found) > LARGEST_RANGE:
        raise SecurityError(f"range has more than {LARGEST_RANGE:,} numbers")
    return found


def _text_only(value: object) -> object:
    """What a template prints must be text or a number: `None`, `True` or a list would reach a person as such words."""
    kind = type(value)
    if kind is str or kind is int or kind is float or kind is Decimal or isinstance(value, str | Undefined):
        return value
    raise TemplateRuntimeError(f"a value of type {kind.__name__} is not text")


@cache
def environment() -> _Environment:
    """The one environment of every template."""
    env = _Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True, finalize=_text_only, cache_size=0)
    env.globals = {"range": _bounded_range}
    env.filters = {name: env.filters[name] for name in ALLOWED_BUILTINS} | ours()
    return env


def preload() -> None:
    """Load what Jinja imports only when something goes wrong: afterwards the process may lose the right to open files."""
    import jinja2.debug  # noqa: F401 - rewrites the traceback of a broken template
