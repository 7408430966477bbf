"""From a spot inside a template to the spot in the YAML file that an author can go to."""

from __future__ import annotations

from dataclasses import replace

from campaignkit.diagnostics import Diagnostic, Place, Severity
from campaignkit.loading.nodes import Document, Pointer
from campaignkit.rendering.guard import Fault


def template_place(document: Document, pointer: Pointer, source: str, offset: int, width: int) -> Place:
    """Where a stretch of a template stands in its file.

    Block and folded scalars shift lines and columns, so the stretch is looked for among the scalar's own lines: the n-th
    time it stands in the template is the n-th time it stands there.
    """
    whole = document.place(pointer)
    span = document.values.get(pointer)
    word = source[offset : offset + max(width, 2)].split("\n", maxsplit=1)[0] if width <= 1 else source[offset : offset + width]
    if span is None or not word.strip():
        return whole
    skip = source.count(word, 0, offset)
    for line in range(span.line, min(span.end_line, len(document.lines)) + 1):
        text = document.lines[line - 1]
        at = span.column - 1 if line == span.line and span.style not in ("|", ">") else 0
        while (at := text.find(word, at)) >= 0:
            if skip == 0:
                return replace(whole, line=line, column=at + 1, excerpt=text, width=len(word))
            skip -= 1
            at += len(word)
    return whole


def template_diagnostic(document: Document, pointer: Pointer, source: str, fault: Fault) -> Diagnostic:
    """A template's fault as a diagnostic at its place in the file."""
    place = template_place(document, pointer, source, fault.offset, fault.width)
    return Diagnostic(Severity.ERROR, fault.code, fault.message, place, fault.hint)
