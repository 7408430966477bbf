"""A state that is lost, damaged or put back from a backup: nobody is sent to twice, whatever the backup forgot."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.places import Provider, Workplace, phones
from tests.acceptance.test_methods import LIST, quick

Live = Callable[..., Provider]


def summary(place: Workplace) -> dict[str, int]:
    found: dict[str, int] = place.ok("plan", "--format", "json").json["summary"]
    return {name: found[name] for name in ("sent", "unknown", "send")}


def state(place: Workplace) -> Path:
    return place.root / "state" / "live.db"


@pytest.fixture
def backed_up(place: Workplace, live: Live) -> Provider:
    """Ten people sent to, a backup, then ten more."""
    provider = live(people=10)
    place.ok("apply", "--auto-approve")
    shutil.copy(state(place), place.root / "backup.db")
    place.write("campaigns/people.csv", "phone\n" + "\n".join(phones(20)) + "\n")
    place.ok("apply", "--auto-approve")
    return provider


def test_a_backup_put_back_by_hand_is_refused_and_restored_it_frees_nobody(place: Workplace, backed_up: Provider) -> None:
    """The server restored from a snapshot that sent its morning campaign again (listmonk 1801)."""
    shutil.copy(place.root / "backup.db", state(place))
    ran = place.run("apply", "--auto-approve")
    assert ran.code == 5
    assert "went back in time" in ran.err
    command = ran.err.splitlines()[-1]
    assert command.startswith("campaignkit state restore ")
    assert place.run(*command.split()[1:]).code == 0  # the state itself is the backup here
    assert summary(place) == {"sent": 10, "unknown": 10, "send": 0}
    ran = place.run("apply", "--auto-approve")
    assert ran.code == 7
    assert set(backed_up.accepted().values()) == {1}
    # New people are new: they can't have been sent to before.
    place.write("campaigns/people.csv", "phone\n" + "\n".join(phones(21)) + "\n")
    assert place.run("apply", "--auto-approve").code == 7
    assert sorted(backed_up.accepted().elements()) == phones(21)


def test_a_lost_state_is_restored_from_an_older_backup(place: Workplace, backed_up: Provider) -> None:
    state(place).unlink()
    ran = place.run("apply", "--auto-approve")
    assert ran.code == 5
    assert "state restore" in ran.err
    ran = place.run("state", "restore", "backup.db", "--accept-lost-history")
    assert ran.code == 0
    assert "10 people unknown" in ran.err
    assert ran.err.splitlines()[-1] == "campaignkit resolve --env live"
    assert summary(place) == {"sent": 10, "unknown": 10, "send": 0}
    place.ok("state", "verify")
    [one] = place.ok("resolve", "--format", "json").json["requests"]
    assert one["recipients"] == 10
    assert "backup" in one["reason"]
    place.ok("resolve", one["request"], "--abandon")
    assert place.run("apply", "--auto-approve").code == 0
    assert set(backed_up.accepted().values()) == {1}


def test_what_stood_there_tells_whom_the_files_no_longer_name(place: Workplace, backed_up: Provider) -> None:
    """Rows that were taken out since are known to the newer state only; put in again they are held back all the same."""
    place.write("campaigns/people.csv", "phone\n" + "\n".join(phones(12)) + "\n")
    tags = {one["tag"] for one in place.ok("status", "--format", "json").json["campaigns"][0]["mailings"][0]["requests"]}
    assert place.run("state", "restore", "backup.db", "--accept-lost-history").code == 0
    place.write("campaigns/people.csv", "phone\n" + "\n".join(phones(20)) + "\n")
    assert summary(place) == {"sent": 10, "unknown": 10, "send": 0}
    [one] = place.ok("resolve", "--format", "json").json["requests"]
    assert one["tag"] in tags
    kept = list((place.root / "state").glob("live.db.before-restore-*"))
    assert len(kept) == 1


def test_a_damaged_state_gives_way_to_its_backup(place: Workplace, backed_up: Provider) -> None:
    with state(place).open("r+b") as file:
        file.seek(100)
        file.write(os.urandom(20_000))
    assert place.run("apply", "--auto-approve").code == 5
    assert place.run("state", "restore", "backup.db", "--accept-lost-history").code == 0
    assert summary(place) == {"sent": 10, "unknown": 10, "send": 0}


def test_a_mailing_whose_time_has_passed_is_unknown_too(place: Workplace, backed_up: Provider) -> None:
    campaign = (place.root / "campaigns/spring.yaml").read_text()
    place.write("campaigns/spring.yaml", campaign.replace("sender: shop", "sender: shop\nschedule_time: 2020-01-01T10:00:00"))
    state(place).unlink()
    assert place.run("state", "restore", "backup.db", "--accept-lost-history").code == 0
    assert summary(place) == {"sent": 0, "unknown": 10, "send": 0}  # the first ten are edited: they got it without a time


def test_without_the_words_nothing_is_changed(place: Workplace, backed_up: Provider) -> None:
    before = state(place).read_bytes()
    ran = place.run("state", "restore", "backup.db")
    assert ran.code == 5
    assert ran.err.splitlines()[-1] == "campaignkit state restore backup.db --accept-lost-history --env live"
    assert state(place).read_bytes() == before


@pytest.mark.parametrize("spoil", ["empty", "text", "another", "cut"])
def test_what_is_no_backup_of_this_state_is_refused(place: Workplace, backed_up: Provider, spoil: str) -> None:
    backup = place.root / "backup.db"
    if spoil == "empty":
        backup.write_bytes(b"")
    elif spoil == "text":
        backup.write_text("hello")
    elif spoil == "cut":
        backup.write_bytes(backup.read_bytes()[:40_000])
    else:
        lock = place.root / "campaignkit.lock"
        lock.write_text(lock.read_text().replace('"lineage": "', '"lineage": "0'))
    before = state(place).read_bytes()
    ran = place.run("state", "restore", "backup.db", "--accept-lost-history")
    assert ran.code == 5, ran.err
    assert state(place).read_bytes() == before
    assert sorted(path.name for path in (place.root / "state").iterdir()) == ["live.db"]


def test_broken_definitions_come_first(place: Workplace, backed_up: Provider) -> None:
    """Who may have been sent to is read from the files: while they can't be read, nobody knows."""
    place.write("campaigns/spring.yaml", "campaign: spring\n")
    before = state(place).read_bytes()
    assert place.run("state", "restore", "backup.db", "--accept-lost-history").code == 3
    assert state(place).read_bytes() == before


STOPS = """
import os, signal, sys
from campaignkit.cli.commands import state_restore
settled = state_restore._settled
def stops(*words):
    job = settled(*words)
    os.kill(os.getpid(), signal.SIGSTOP)
    return job
state_restore._settled = stops
from campaignkit.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


def stopped(place: Workplace) -> subprocess.Popen[str]:
    """A restore that is stopped just before it puts its copy in place."""
    process = subprocess.Popen(
        [sys.executable, "-c", STOPS, "state", "restore", "backup.db", "--accept-lost-history"],
        cwd=place.root, env=place.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
    return process


@pytest.mark.usefixtures("backed_up")
def test_a_restore_that_dies_before_its_end_leaves_the_state_as_it_was(place: Workplace) -> None:
    before = summary(place)
    process = stopped(place)
    process.kill()
    process.communicate()
    assert summary(place) == before == {"sent": 20, "unknown": 0, "send": 0}
    place.ok("apply", "--auto-approve")
    place.ok("state", "restore", "backup.db", "--accept-lost-history")
    assert summary(place) == {"sent": 10, "unknown": 10, "send": 0}


def test_a_restore_that_lost_its_lock_puts_nothing_in_place(place: Workplace, backed_up: Provider) -> None:
    """Stuck just before the end, its lock taken away, and somebody sent to since: its copy would not know."""
    process = stopped(place)
    locked = place.run("state", "restore", "backup.db", "--accept-lost-history")
    assert locked.code == 8
    found = re.search(r"`state restore` of .* lock id ([0-9a-f]{16})", locked.err)
    assert found, locked.err
    place.ok("state", "unlock", found[1])
    place.write("campaigns/people.csv", "phone\n" + "\n".join(phones(21)) + "\n")
    place.ok("apply", "--auto-approve")
    process.send_signal(signal.SIGCONT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 8, err
    assert "the lock was taken away" in err
    assert summary(place) == {"sent": 21, "unknown": 0, "send": 0}
    assert [path.name for path in state(place).parent.iterdir()] == ["live.db"]
    place.ok("apply", "--auto-approve")
    assert sorted(backed_up.accepted().elements()) == phones(21)


@pytest.mark.parametrize("stood", ["whole", "gone"])
def test_quick_messages_and_lists_are_unknown_each_for_itself(place: Workplace, live: Live, stood: str) -> None:
    """An id at the provider settles one message to one person, or one draft: as many requests as were sent."""
    provider = live(people=3, scenario={"speed": 1000})
    empty = state(place).read_bytes()
    quick(place)
    place.write("campaigns/club.yaml", LIST.format(list_id=77, extra=""))
    place.ok("apply", "--auto-approve")
    before = provider.ledger()
    (place.root / "backup.db").write_bytes(empty)
    if stood == "gone":
        state(place).unlink()
    assert place.run("state", "restore", "backup.db", "--accept-lost-history").code == 0
    place.ok("state", "verify")
    waiting = place.ok("resolve", "--format", "json").json["requests"]
    assert [one["method"] for one in waiting].count("quick") == 3
    [draft] = [one for one in waiting if one["method"] == "list"]
    assert (draft["step"], draft["message_id"]) == ("confirm", str(before["lists"][0]["message_id"]) if stood == "whole" else None)
    assert place.run("apply", "--auto-approve", "--format", "json").summary["requests"] == 0
    ids = {str(message["phone"])[-4:]: str(message["message_id"]) for message in before["quick"]}
    for one in waiting:
        if one["method"] == "quick":
            [phone] = one["phones"]
            place.ok("resolve", one["request"], "--accepted", "--uuid", ids[phone[-4:]])
        else:
            place.ok("resolve", one["request"], "--accepted", "--uuid", str(before["lists"][0]["message_id"]))
    assert place.ok("apply", "--auto-approve", "--format", "json").summary["requests"] == 0
    assert provider.ledger()["lists"] == before["lists"]
    assert provider.ledger()["quick"] == before["quick"]
