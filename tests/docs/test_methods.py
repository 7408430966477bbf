"""The tour of every method is what happens, and it reaches all eleven."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

from tests.docs.console import Session, same, steps
from tests.docs.places import read

REPLIES_AFTER = 3.0
"""Seconds until the sandbox's people have answered."""


def test_the_tour_prints_what_the_page_says(tmp_path: Path) -> None:
    page = read("docs/methods.md")
    session = Session(tmp_path)
    session.run("campaignkit init shop")
    session.run("cd shop")
    project = tmp_path / "shop" / "campaignkit.yaml"
    state = "    state: state/sandbox.db\n"
    assert project.read_text().count(state) == 1
    project.write_text(project.read_text().replace(state, f'{state}    test_phones: ["375291111111"]\n'))
    (tmp_path / "shop/campaigns/welcome.yaml").unlink()
    [campaign] = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "shop/campaigns/methods.yaml").write_text(campaign)
    for step in steps(page):
        if "inbox pull" in step.command:
            time.sleep(REPLIES_AFTER)
        printed = session.run(step.command)
        said = "\n".join(step.expected)
        assert same(step.expected, printed), f"docs/methods.md:{step.line}: $ {step.command}\n--- printed\n{printed}--- expected\n{said}"


def test_its_table_names_every_method_of_the_document() -> None:
    document = json.loads(read("schemas/sms-by-viber.openapi.json"))
    methods = {path.rpartition("/")[2] for path in document["paths"]}
    assert len(methods) == 11
    assert set(re.findall(r"^\| `(\w+)` \|", read("docs/methods.md"), re.MULTILINE)) == methods
