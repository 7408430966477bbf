"""What an author may not have meant: a text that a comment cuts short, characters that show it in another order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from campaignkit.compiler.places import template_place
from campaignkit.diagnostics import Diagnostic, Severity
from campaignkit.loading.nodes import Document, Pointer

_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


def doubts(document: Document, pointer: Pointer) -> Iterator[Diagnostic]:
    """Warnings about one text of a campaign file, by its source."""
    source, span = str(document.get(*pointer)), document.values.get(pointer)
    if span is not None and not span.style:
        line = document.lines[span.end_line - 1]
        rest = line[span.end_column - 1 :]
        if rest.lstrip().startswith("#"):
            column = len(line) - len(rest.lstrip()) + 1
            place = replace(document.place(pointer), line=span.end_line, column=column, excerpt=line, width=len(rest.lstrip()))
            message = f"what follows # is a comment: {pointer[-1]} ends before it"
            yield Diagnostic(Severity.WARNING, "CK405", message, place, "put the text into quotes if # belongs to it")
    if found := _TURNING.search(source):
        place = template_place(document, pointer, source, found.start(), 1)
        message = f"{pointer[-1]} holds U+{ord(found[0]):04X}, which shows it in another order than it is read here"
        yield Diagnostic(Severity.WARNING, "CK406", message, place)
