"""A plan is recalled where nothing changed, and made anew after any changed byte: told apart by a figure planted in what is kept."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.places import BULK, PROJECT, Provider, Workplace, phones

Live = Callable[..., Provider]
PLANTED = 777


@pytest.fixture
def planned(place: Workplace, tmp_path: Path) -> Workplace:
    """A project whose plan is kept, with a figure in it that no plan would have."""
    place.env["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    text = PROJECT.format(batch=10, first=10, url="http://127.0.0.1:1", extra="")
    place.write("campaignkit.yaml", text.replace("environments:", "suppress: [stop.csv]\nenvironments:"))
    place.write("campaigns/spring.yaml", BULK.format(campaign="spring", mailing="invitation", file="people.csv", text="Only today"))
    place.write("campaigns/people.csv", "phone\n" + "\n".join(phones(20)) + "\n")
    place.write("stop.csv", f"phone\n{phones(1)[0]}\n")
    first = place.ok("plan", "--format", "json")
    assert first.json["summary"]["send"] == 19
    plant(place)
    return place


def kept(place: Workplace) -> Path:
    [found] = Path(place.env["XDG_CACHE_HOME"]).glob("campaignkit/plan-*.json")
    return found


def plant(place: Workplace) -> None:
    path = kept(place)
    document = json.loads(path.read_bytes().partition(b"\n")[2])
    document["campaigns"][0]["mailings"][0]["counts"]["send"] = PLANTED
    body = json.dumps(document, ensure_ascii=False).encode()
    path.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)


def recalled(place: Workplace, *words: str) -> bool:
    ran = place.run("plan", "--format", "json", *words)
    assert ran.code == 0, ran.err
    return bool(ran.json["summary"]["send"] == PLANTED)


def test_the_same_files_and_state_give_the_plan_of_before(planned: Workplace) -> None:
    assert recalled(planned)
    assert stat.S_IMODE(kept(planned).stat().st_mode) == 0o600


def test_what_is_printed_is_the_same_to_the_byte(planned: Workplace) -> None:
    kept(planned).unlink()
    for form in ("text", "json", "markdown"):
        made = planned.ok("plan", "--format", form)
        again = planned.ok("plan", "--format", form)
        assert (again.out, again.err) == (made.out, made.err)


def test_warnings_are_told_again(planned: Workplace) -> None:
    planned.write("campaigns/people.csv", "phone\n375990000000\n" + "\n".join(phones(5)) + "\n")
    made = planned.ok("plan")
    assert "CK314" in made.err
    assert planned.ok("plan").err == made.err


@pytest.mark.parametrize("path", ["campaignkit.yaml", "campaigns/spring.yaml", "campaigns/people.csv", "stop.csv"])
def test_one_changed_byte_is_noticed_whatever_the_time_stamp_says(planned: Workplace, path: str) -> None:
    file = planned.root / path
    before = file.stat()
    file.write_bytes(file.read_bytes().rstrip(b"\n") + b" \n" if path.endswith(".yaml") else file.read_bytes()[:-2] + b"7\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert not recalled(planned)


def test_another_campaign_file_is_noticed(planned: Workplace) -> None:
    planned.write("campaigns/more.yaml", "campaign: more\nlifecycle: closed\nsender: shop\nmailings: []\n")
    assert planned.run("plan", "spring", "--format", "json").json["summary"]["send"] == 19


def test_a_file_that_now_stands_before_the_one_that_was_read_is_noticed(planned: Workplace, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (planned.root / "campaigns/people.csv").rename(elsewhere / "people.csv")
    planned.env["CAMPAIGNKIT_AUDIENCES"] = str(elsewhere)
    assert not recalled(planned)
    plant(planned)
    assert recalled(planned)
    planned.write("campaigns/people.csv", "phone\n" + "\n".join(phones(3)) + "\n")
    assert not recalled(planned)


def test_a_time_that_passed_is_noticed(planned: Workplace) -> None:
    """The clock of a process can't be set here: the plan that is kept is made to be of a time before."""
    text = (planned.root / "campaigns/spring.yaml").read_text().replace("sender: shop", "sender: shop\nschedule_time: 2094-12-01T10:00")
    planned.write("campaigns/spring.yaml", text)
    assert not recalled(planned)
    plant(planned)
    assert recalled(planned)
    path = kept(planned)
    document = json.loads(path.read_bytes().partition(b"\n")[2])
    document["past"] = ["spring/invitation"]
    body = json.dumps(document, ensure_ascii=False).encode()
    path.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
    assert not recalled(planned)


@pytest.mark.parametrize("damage", [b"", b"x", b"0" * 64 + b"\n{}"])
def test_what_is_damaged_is_no_plan(planned: Workplace, damage: bytes) -> None:
    kept(planned).write_bytes(damage)
    assert not recalled(planned)
    plant(planned)
    assert recalled(planned)


def test_what_can_not_be_kept_is_planned_each_time(planned: Workplace) -> None:
    kept(planned).unlink()
    folder = Path(planned.env["XDG_CACHE_HOME"])
    (folder / "campaignkit").rmdir()
    folder.rmdir()
    folder.write_text("no folder")
    assert planned.ok("plan", "--format", "json").json["summary"]["send"] == 19


def test_options_and_selections_have_plans_of_their_own(planned: Workplace) -> None:
    assert not recalled(planned, "--retry-rejected")
    assert planned.ok("plan", "--env", "live", "--format", "json").json["summary"]["send"] == 19


def test_claims_and_decisions_are_noticed(place: Workplace, live: Live, tmp_path: Path) -> None:
    place.env["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    live(people=25)
    assert place.ok("plan", "--format", "json").json["summary"]["send"] == 25
    place.ok("apply", "--auto-approve")
    assert place.ok("plan", "--format", "json").json["summary"] | {"rows": 0} == {
        **dict.fromkeys(place.ok("plan", "--format", "json").json["summary"], 0), "sent": 25,
    }  # fmt: skip
    plant(place)
    assert recalled(place)
    place.ok("optouts", "add", phones(1)[0], "--reason", "asked")
    assert kept(place).exists()
    place.ok("state", "forget", "spring/invitation", "--reason", "asked", "--expect-people", "25", "--env", "live")
    assert not list(Path(place.env["XDG_CACHE_HOME"]).glob("campaignkit/*"))


def test_an_opt_out_is_noticed(place: Workplace, live: Live, tmp_path: Path) -> None:
    place.env["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    live(people=25)
    place.ok("apply", "--auto-approve")
    assert place.ok("plan", "--format", "json").json["summary"]["sent"] == 25
    plant(place)
    assert recalled(place)
    place.ok("optouts", "add", phones(1)[0], "--reason", "asked")
    summary = place.ok("plan", "--format", "json").json["summary"]
    assert (summary["suppressed"], summary["sent"]) == (1, 24)
