"""A plan after its audience grew goes on where the one before stood, and comes to what a plan of the whole comes to."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from tests.acceptance.places import PROJECT, Workplace

PLANTED = 100_000
PEOPLE = 20_000
CAMPAIGN = """\
campaign: spring
sender: shop
mailings:
  - name: invitation
    message_type: personal
    audience: {file: people.csv, on_invalid: skip}
    content: {type: text, text: "{{ name }}, today"}
  - name: reminder
    message_type: personal
    audience: {file: few.csv}
    content: {type: text, text: "{{ name }}, still today"}
"""


def row(number: int, name: str = "Anna-Maria of the long, long street by the river") -> str:
    return f'37529{1_000_000 + number},"{name}"\n'


@pytest.fixture
def planned(place: Workplace, tmp_path: Path) -> Workplace:
    """A plan of an audience of more than a megabyte is kept."""
    place.env["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    place.write("campaignkit.yaml", PROJECT.format(batch=100, first=10, url="http://127.0.0.1:1", extra=", max_recipients: 1000000"))
    place.write("campaigns/spring.yaml", CAMPAIGN)
    place.write("campaigns/few.csv", "phone,name\n" + row(1))
    place.write("campaigns/people.csv", "phone,name\n" + "".join(map(row, range(PEOPLE))))
    assert place.ok("plan", "--format", "json").json["summary"]["send"] == PEOPLE + 1
    return place


def folder(place: Workplace) -> Path:
    return Path(place.env["XDG_CACHE_HOME"]) / "campaignkit"


def plant(place: Workplace) -> None:
    """Make the plan that is kept tell of more people than there are: who goes on from it tells of them, too."""
    [path] = folder(place).glob("plan-*.json")
    document = json.loads(path.read_bytes().partition(b"\n")[2])
    document["campaigns"][0]["mailings"][0]["counts"]["send"] += PLANTED
    body = json.dumps(document, ensure_ascii=False).encode()
    path.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)


def grow(place: Workplace, more: str) -> None:
    with (place.root / "campaigns/people.csv").open("a", encoding="utf-8", newline="") as stream:
        stream.write(more)


MORE = {
    "new people": row(PEOPLE) + row(PEOPLE + 1),
    "the same again": row(5) + row(PEOPLE - 1),
    "one with other content": row(PEOPLE) + row(7, "Olga"),
    "no phone": row(PEOPLE) + "12345,x\n",
    "blank lines": "\n\n" + row(PEOPLE) + "\n" + "bad,x\n",
    "a broken row": row(PEOPLE) + "375291111111\n",
    "an open quote": row(PEOPLE) + '375291111111,"Ann\n',
    "no end of the last line": row(PEOPLE).rstrip("\n"),
    "other line ends": row(PEOPLE).replace("\n", "\r\n") + "bad,x\r\n",
}


@pytest.mark.parametrize("more", MORE)
def test_it_comes_to_what_a_plan_of_the_whole_comes_to(planned: Workplace, more: str) -> None:
    grow(planned, MORE[more])
    longer = [planned.run("plan", "--format", form) for form in ("json", "text")]
    shutil.rmtree(folder(planned))
    for found in longer:
        whole = planned.run("plan", "--format", "json" if found is longer[0] else "text")
        assert (found.code, found.out, found.err) == (whole.code, whole.out, whole.err)


def test_it_goes_on_again_and_again(planned: Workplace) -> None:
    for number in range(3):
        plant(planned)
        grow(planned, row(PEOPLE + number))
        ran = planned.ok("plan", "--format", "json")
        assert ran.json["summary"]["send"] == (number + 1) * (PLANTED + 1) + PEOPLE + 1
        assert ran.json["summary"]["rows"] == PEOPLE + number + 2


def other_beginning(place: Workplace) -> None:
    path = place.root / "campaigns/people.csv"
    path.write_bytes(path.read_bytes().replace(b"Anna", b"Anja", 1))


def other_definition(place: Workplace) -> None:
    path = place.root / "campaigns/spring.yaml"
    path.write_text(path.read_text() + "# other\n")


def other_columns(place: Workplace) -> None:
    path = place.root / "campaigns/people.csv"
    path.write_bytes(path.read_bytes().replace(b"phone,name", b"phone,nom\xc3\xa9", 1))


def spoilt(place: Workplace) -> None:
    for path in folder(place).glob("*.rows"):
        path.write_bytes(path.read_bytes()[:-8] + b"\0" * 8)


def gone(place: Workplace) -> None:
    for path in folder(place).glob("*.rows"):
        path.unlink()


@pytest.mark.parametrize("change", [other_beginning, other_definition, other_columns, spoilt, gone])
def test_it_begins_with_the_first_row_where_anything_else_changed(planned: Workplace, change: object) -> None:
    plant(planned)
    grow(planned, row(PEOPLE))
    assert callable(change)
    change(planned)
    ran = planned.run("plan", "--format", "json")
    if change is other_columns:
        assert ran.code == 3
    else:
        assert ran.json["summary"]["send"] == PEOPLE + 2


def test_two_files_that_changed_are_both_looked_at(planned: Workplace) -> None:
    plant(planned)
    grow(planned, row(PEOPLE))
    planned.write("campaigns/few.csv", "phone,name\n" + row(1) + row(2))
    assert planned.ok("plan", "--format", "json").json["summary"]["send"] == PLANTED + PEOPLE + 1 + 2


def test_what_is_kept_is_its_owners_alone_and_goes_with_its_mailing(planned: Workplace) -> None:
    [path] = folder(planned).glob("*.rows")
    assert path.stat().st_mode & 0o777 == 0o600
    planned.write("campaigns/spring.yaml", CAMPAIGN.replace("people.csv", "few.csv", 1))
    planned.ok("plan")
    assert not list(folder(planned).glob("*.rows"))
    assert len(list(folder(planned).iterdir())) == 1


def test_conflicts_that_are_left_out_need_the_whole_file(planned: Workplace) -> None:
    planned.write("campaigns/spring.yaml", CAMPAIGN.replace("on_invalid: skip", "on_conflict: skip"))
    planned.ok("plan")
    assert not list(folder(planned).glob("*.rows"))
    grow(planned, row(7, "Olga"))
    summary = planned.ok("plan", "--format", "json").json["summary"]
    assert (summary["invalid"], summary["send"]) == (2, PEOPLE)
