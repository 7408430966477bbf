"""Modules are read while files can be, and run when they are needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from campaignkit.front.child import NUMBER_PLANS

ROOT = Path(__file__).resolve().parents[2]

PLANS = """
import sys
sys.path.insert(0, {root!r})
from campaignkit.front.jail import close_doors
from campaignkit.front.kept import keep
from campaignkit.audience.phones import normal
print(keep({package!r}) > 200)
close_doors()
print("phonenumbers.data.region_RU" in sys.modules)
print(normal("+7 916 123-45-67"), normal("+48 512 345 678"))
print("phonenumbers.data.region_PL" in sys.modules)
import phonenumbers
phonenumbers.PhoneMetadata.load_all()
"""


def run(script: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_every_number_plan_can_be_had_once_no_file_can_be_opened_and_none_is_run_before() -> None:
    script = PLANS.format(root=str(ROOT), package=NUMBER_PLANS)
    assert run(script) == ["True", "False", "79161234567 48512345678", "True"]


PACKAGE = """
import sys
sys.path[:0] = [{root!r}, {folder!r}]
from campaignkit.front.jail import close_doors
from campaignkit.front.kept import keep
import shop.open
print(keep("shop"))
close_doors()
import shop.prices, shop.open
print(shop.prices.ABOUT, shop.prices.__name__, shop.prices.__package__)
"""


def test_a_module_that_was_kept_runs_when_it_is_imported_and_finds_what_it_asks_for(tmp_path: Path) -> None:
    """Only those that were not imported before are counted."""
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "__init__.py").write_text("CURRENCY = 'BYN'\n")
    (shop / "open.py").write_text("")
    (shop / "prices.py").write_text("from . import CURRENCY\nfrom .open import __name__ as other\nABOUT = f'5 {CURRENCY} {other}'\n")
    (shop / "note.txt").write_text("no module")
    told = run(PACKAGE.format(root=str(ROOT), folder=str(tmp_path)))
    assert told == ["1", "5 BYN shop.open shop.prices shop"]
