"""Which names an audience gives to templates, and where each stands in a row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from campaignkit.compiler.definitions import MailingDefinition
from campaignkit.compiler.places import template_diagnostic
from campaignkit.diagnostics import Diagnostic, Place, Severity, did_you_mean
from campaignkit.loading.nodes import Pointer
from campaignkit.rendering.guard import Fault, examine
from campaignkit.rendering.messages import condition_source

_WHERE_OFFSET = len("{% if (")
_PHONE_DIGITS = 7


@dataclass(slots=True)
class Columns:
    """A mailing's names bound to its audience's columns.

    `used` are the columns its templates print, `asked` those its `where` needs; `where` is that condition as a template.
    """

    phone: int
    at: dict[str, int]
    used: tuple[str, ...]
    asked: tuple[str, ...]
    where: str | None


def bind(mailing: MailingDefinition, header: Sequence[str], header_place: Place) -> tuple[Columns | None, list[Diagnostic]]:
    """Bind a mailing to the columns of its audience; None where it can't be rendered for anyone."""
    problems: list[Diagnostic] = []
    document, audience = mailing.document, mailing.audience
    base: Pointer = (*mailing.pointer, "audience")
    at: dict[str, int] = {}
    renamed = {str(alias): str(name) for alias, name in (audience.get("columns") or {}).items()}
    wanted = str(audience.get("phone", "phone"))
    needed = {wanted, *renamed.values()}
    for index, name in enumerate(header):
        if name in at and (name.isidentifier() or name in needed):
            problems.append(Diagnostic(Severity.ERROR, "CK307", f"two columns are called {name!r}", header_place))
        at.setdefault(name, index)
    usable = {name: index for name, index in at.items() if name.isidentifier()}
    for alias, name in renamed.items():
        if name not in at:
            place = document.place((*base, "columns", alias))
            problems.append(Diagnostic(Severity.ERROR, "CK308", f"the audience has no column {name!r}", place, _names_hint(name, at)))
            continue
        usable[alias] = at[name]
    phone = at.get(wanted, usable.get(wanted, -1))
    if phone < 0:
        place = document.place((*base, "phone") if "phone" in audience else base)
        hint = _names_hint(wanted, at)
        problems.append(Diagnostic(Severity.ERROR, "CK308", f"the audience has no column {wanted!r} for phones", place, hint))
        if _is_a_person(at):  # then these names are a person's data, and no hint may list them
            return None, problems
    for name in sorted(usable.keys() & mailing.constants.keys()):
        message = f"{name!r} is both a column of the audience and a variable"
        problems.append(Diagnostic(Severity.ERROR, "CK205", message, document.place(("variables", name), key=True)))
    allowed = frozenset(usable) | frozenset(mailing.constants)
    used: set[str] = set()
    for field, source in mailing.each.items():
        names, faults = examine(source, allowed)
        used |= names
        pointer = (*mailing.pointer, "content", field)
        problems += [template_diagnostic(document, pointer, source, fault) for fault in faults]
    where, asked, faults = _condition(audience.get("where"), allowed)
    problems += [template_diagnostic(document, (*base, "where"), str(audience.get("where")), fault) for fault in faults]
    if any(problem.severity is Severity.ERROR for problem in problems):
        return None, problems
    columns = Columns(phone, usable, tuple(sorted(used & usable.keys())), tuple(sorted(asked & usable.keys())), where)
    return columns, problems


def _names_hint(wanted: str, header: Iterable[str]) -> str:
    """The nearest column. A file without a header has a person in its first line: nothing of that is shown."""
    if _is_a_person(header):
        return "the first line of the file must name the columns"
    return did_you_mean(wanted, header) or "name the column: phone: …"


def _is_a_person(header: Iterable[str]) -> bool:
    return any(sum(character.isdigit() for character in name) >= _PHONE_DIGITS for name in header)


def _condition(expression: object, allowed: frozenset[str]) -> tuple[str | None, frozenset[str], list[Fault]]:
    if expression is None:
        return None, frozenset(), []
    text = str(expression)
    source = condition_source(text)
    if source is None:
        fault = Fault("CK207", "this is no single condition", 0, len(text), 'write it like: tier == "gold" and city != ""')
        return None, frozenset(), [fault]
    names, faults = examine(source, allowed)
    shifted = [Fault(f.code, f.message, max(0, f.offset - _WHERE_OFFSET), f.width, f.hint) for f in faults]
    return source, names, shifted
