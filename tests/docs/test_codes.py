"""The table of diagnostic codes is the code's, both ways."""

from __future__ import annotations

import re

from tests.docs.places import ROOT, read


def test_every_code_has_its_row_and_every_row_its_code() -> None:
    used = {code for path in (ROOT / "campaignkit").rglob("*.py") for code in re.findall(r'"(CK\d{3})"', path.read_text("utf-8"))}
    rows = re.findall(r"^\| `(CK\d{3})` \| (.+?) \| (.+) \|$", read("docs/diagnostics.md"), re.MULTILINE)
    listed = [code for code, _severity, _meaning in rows]
    assert listed == sorted(set(listed))
    assert sorted(used - set(listed)) == [], "codes without a row in docs/diagnostics.md"
    assert sorted(set(listed) - used) == [], "rows of docs/diagnostics.md without a code"
    assert all(meaning.endswith(".") and re.match("error|warning", severity) for _code, severity, meaning in rows)


def test_exit_codes_are_in_readme() -> None:
    from campaignkit.cli.exit_codes import ExitCode

    assert [int(code) for code in re.findall(r"^\| `(\d+)` \|", read("README.md"), re.MULTILINE)] == [int(code) for code in ExitCode]
