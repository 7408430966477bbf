"""`make demo`: the main job against the embedded sandbox, in a temporary copy of the project.

Each step is a command as a user types it; what it must exit with is checked, so that the demo can't lie.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BROKEN = """\
# yaml-language-server: $schema=../schemas/campaign.schema.json
campaign: wide-image
sender: shop
mailings:
  - name: poster
    message_type: bulk
    audience: {phones: ["375291111111", "375292222222"]}
    content: {type: image, image_url: "https://shop.example.by/poster-1200x600.jpg"}
"""


def step(title: str, folder: Path, *words: str, expect: int = 0) -> None:
    """Run one command, show it and what it printed, and hold it to its exit code."""
    print(f"\n── {title}\n$ campaignkit {' '.join(words)}", flush=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CAMPAIGNKIT_")}
    done = subprocess.run([sys.executable, "-m", "campaignkit", *words], cwd=folder, env=environment, check=False)
    if done.returncode != expect:
        print(f"\nThe demo expected exit code {expect} and got {done.returncode}.", file=sys.stderr)
        raise SystemExit(1)
    if expect:
        print(f"(exit code {expect}, as it should be)", flush=True)


def run(folder: Path) -> None:
    """The whole story."""
    campaigns = folder / "campaigns"
    step("Every problem is found before anything is sent.", folder, "validate")
    step("The documentation's sample is from 2024: a time that has passed is refused.", folder, "plan", "documentation", expect=3)
    sample = campaigns / "documentation.yaml"
    sample.write_text(sample.read_text("utf-8").replace("2024-10-30T22:56:00", "2094-10-30T22:56:00"), "utf-8")
    (campaigns / "wide-image.yaml").write_text(BROKEN, "utf-8")
    print("\n(now the copy names a year far ahead, and one more campaign has an image the provider will not like)")
    step("A plan shows who would be sent what, and why, and what it costs.", folder, "plan")
    step("Apply sends exactly that.", folder, "apply", "--env", "sandbox", "--auto-approve")
    step("A second run sends nothing to anybody.", folder, "apply", "--env", "sandbox", "--auto-approve")
    step(
        "Statuses come in; the provider's error stands at the line it concerns.",
        folder, "refresh", "--watch", "--timeout", "6", expect=6,
    )  # fmt: skip
    step("What the state knows of one person.", folder, "status", "--phone", "375291111111")
    step("Planned again: nothing to send.", folder, "plan", "--detailed-exitcode")


def main() -> None:
    """Copy the project, run the story there, leave nothing behind."""
    with tempfile.TemporaryDirectory(prefix="campaignkit-demo-") as scratch:
        folder = Path(scratch) / "project"
        folder.mkdir()
        shutil.copy(ROOT / "campaignkit.yaml", folder)
        for name in ("campaigns", "schemas"):
            shutil.copytree(ROOT / name, folder / name)
        for extra in ROOT.glob("*.csv"):
            shutil.copy(extra, folder)
        run(folder)
    print("\nDone: validated, planned, sent, followed, and planned again to nothing to send. The checkout is as it was.")


if __name__ == "__main__":
    main()
