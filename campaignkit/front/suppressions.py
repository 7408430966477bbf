"""Lists of phones never to message."""

from __future__ import annotations

from campaignkit.audience.phones import BadPhoneError, Odd, normal
from campaignkit.audience.tables import BrokenTableError, open_table
from campaignkit.diagnostics import Diagnostic, Place, Severity
from campaignkit.front.files import HashedFile, unclosed

MOST_PROBLEMS = 50


def read_phones(path: str, file: HashedFile, found: set[int]) -> list[Diagnostic]:
    """Add a list's phones to `found`: its column `phone`, or the first one.

    A phone that can't be read is an error: it may be a person who asked not to be messaged.
    """
    problems: list[Diagnostic] = []
    try:
        table = open_table(path, unclosed(file), encoding=None, delimiter=None)
        names = [name.lower() for name in table.columns]
        if "phone" not in names and _is_phone(table.columns[0]):
            message = "the first line must name the columns; it holds a phone, who would be messaged"
            return [Diagnostic(Severity.ERROR, "CK317", message, Place(path, 1), 'put a line "phone" above it')]
        at = names.index("phone") if "phone" in names else 0
        for row, (line, cells) in enumerate(table.rows(), 1):
            try:
                phone = normal(cells[at])
            except BadPhoneError as error:
                if len(problems) < MOST_PROBLEMS:
                    place = Place(path, line, 0, row)
                    problems.append(Diagnostic(Severity.ERROR, "CK316", f"bad phone: {error}", place))
                continue
            found.add(phone.phone if isinstance(phone, Odd) else phone)
    except BrokenTableError as error:
        problems.append(Diagnostic(Severity.ERROR, error.code, error.message, Place(path, error.line, 0, error.row), error.hint))
    return problems


def _is_phone(text: str) -> bool:
    try:
        normal(text)
    except BadPhoneError:
        return False
    return True
