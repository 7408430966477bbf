"""The checker, in both directions: silent on good histories, and each bad one named for what it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from campaignkit.wire.names import new_tag
from tests.proofs.crash.checker import check
from tests.proofs.crash.evidence import End, Event, Evidence, Key, Line, StoredBatch, StoredRequest, owner_bytes

UUIDS = ("0a0b0c0d-0000-11f1-8000-000000000001", "0a0b0c0d-0000-11f1-8000-000000000002", "0a0b0c0d-0000-11f1-8000-000000000003")
PHONES = ((375291111111, 375292222222), (375293333333,))
KEYS = tuple(tuple(Key("spring", "invitation", phone) for phone in phones) for phones in PHONES)
CALM = (End(run=0, process=0, code=0), End(run=1, process=0, code=0, faultless=True), End(run=2, process=0, code=0, faultless=True))


def name(number: int, *, of: int = 2, run: int = 0, process: int = 0, mailing: str = "invitation") -> str:
    return f"spring/{mailing} {number}of{of} {new_tag(owner_bytes(run, process) + bytes([number]) * 15)}"


NAMES = (name(1), name(2))


def line(number: int, *, event: Event = Event.ACCEPTED, called: str = "", uuid: str = "", heard: bool = True) -> Line:
    own = uuid or UUIDS[number]
    return Line(
        event=event, n=number + 1, name=called or NAMES[number], phones=PHONES[number], uuid=own, told=f'{{"uuid":"{own}"}}', heard=heard
    )


def request(
    number: int, *, state: str = "accepted", uuid: str | None = None, ref: str = "", called: str = "", recorded: bool = True, run: int = 1
) -> StoredRequest:
    own = UUIDS[number] if state == "accepted" else ""
    batch = StoredBatch(name=called or NAMES[number], campaign="spring", mailing="invitation", phones=PHONES[number])
    return StoredRequest(
        ref=ref or f"r{number + 1}",
        state=state,
        uuid=own if uuid is None else uuid,
        recorded=recorded,
        run=2 if called else run,
        batches=(batch,),
    )


GOOD = Evidence(
    log=(line(0), line(1)),
    quiet_from=2,
    requests=(request(0), request(1)),
    held=dict.fromkeys((*KEYS[0], *KEYS[1]), "accepted"),
    problems=(),
    ends=CALM,
    spilled={},
    wanted=frozenset((*KEYS[0], *KEYS[1])),
)
UNKNOWN_HELD = GOOD.held | dict.fromkeys(KEYS[1], "unknown")
WITH_UNKNOWN = (CALM[0], *(replace(end, code=7) for end in CALM[1:]))
AGAIN = name(1, of=1, run=1)
"""The second request's people, planned once more."""
SPARE = (*GOOD.requests[:1], request(1, state="released"), request(1, ref="r3", called=AGAIN, uuid=UUIDS[2]))

GOOD_ONES = {
    "empty": Evidence(log=(), quiet_from=0, requests=(), held={}, problems=(), ends=(), spilled={}),
    "everybody": GOOD,
    "unknown": replace(
        GOOD, log=(line(0), line(1, heard=False)), requests=(request(0), request(1, state="unknown")), held=UNKNOWN_HELD, ends=WITH_UNKNOWN
    ),
    "refused and sent again": replace(
        GOOD,
        log=(line(0), line(1, event=Event.REFUSED), line(1, called=AGAIN)),
        quiet_from=3,
        requests=(request(0), request(1, state="rejected"), request(1, ref="r3", called=AGAIN)),
    ),
    "released and sent again": replace(
        GOOD, log=(line(0), line(1), line(1, called=AGAIN, uuid=UUIDS[2])), quiet_from=3, requests=SPARE, released=frozenset({"r2"})
    ),
    "a person called it accepted": replace(GOOD, requests=(request(0), request(1, uuid="")), resolved=frozenset({"r2"})),
    "spilled": replace(
        GOOD, requests=(request(0), request(1, state="rejected")), spilled={NAMES[1]: UUIDS[1]}, wanted=frozenset(KEYS[0])
    ),
    "killed in flight": replace(
        GOOD, requests=(request(0), request(1, state="unknown", recorded=False)), held=UNKNOWN_HELD,
        ends=(End(run=0, process=0, code=None), *WITH_UNKNOWN[1:]),
    ),
    "the uuid of a liar": replace(
        GOOD, log=(line(0), replace(line(1), told=f'{{"uuid":"{UUIDS[2]}"}}')), requests=(request(0), request(1, uuid=UUIDS[2]))
    ),
}  # fmt: skip

LIST_KEY = Key("spring", "invitation", 0)
MADE = "4905001"
LIST_NAME = name(1, of=1)
SECOND_NAME = name(1, of=1, run=1)


def drafted(called: str = LIST_NAME, made: str = MADE) -> Line:
    told = f'{{"status":"OK","result":{{"message_id":{made}}}}}'
    return Line(event=Event.DRAFTED, n=1, name=called, phones=(0,), uuid=made, told=told, heard=True, method="list", by=(0, 0))


def confirmed(called: str = LIST_NAME, made: str = MADE, *, by: tuple[int, int] = (0, 0)) -> Line:
    return Line(event=Event.ACCEPTED, n=2, name=called, phones=(0,), uuid=made, told='{"status":"OK"}', heard=True, method="confirm", by=by)


def listed(
    state: str = "accepted", step: str = "confirm", *, uuid: str = MADE, ref: str = "r1", called: str = LIST_NAME, recorded: bool = True
) -> StoredRequest:
    batch = StoredBatch(name=called, campaign="spring", mailing="invitation", phones=(0,))
    return StoredRequest(ref=ref, state=state, uuid=uuid, recorded=recorded, run=int(ref[1:]), batches=(batch,), method="list", step=step)


LISTED = Evidence(
    log=(drafted(), confirmed()), quiet_from=2, requests=(listed(),), held={LIST_KEY: "accepted"}, problems=(), ends=CALM, spilled={},
    wanted=frozenset({LIST_KEY}),
)  # fmt: skip
ANEW = replace(
    LISTED, log=(drafted(), drafted(SECOND_NAME, "4905002"), confirmed(SECOND_NAME, "4905002", by=(1, 0))), quiet_from=3,
    requests=(listed("released", "create", uuid=""), listed(uuid="4905002", ref="r2", called=SECOND_NAME)),
)  # fmt: skip
LOST_CONFIRM = replace(
    LISTED, requests=(listed("unknown"),), held={LIST_KEY: "unknown"}, ends=(CALM[0], *(replace(end, code=7) for end in CALM[1:]))
)
WAITING = replace(LISTED, log=(drafted(),), quiet_from=1, requests=(listed("draft", "create"),), held={LIST_KEY: "draft"})
GOOD_ONES |= {
    "a list that was confirmed": LISTED,
    "a confirm in doubt": LOST_CONFIRM,
    "a confirm in flight when its process died, of a draft made by another": replace(
        LOST_CONFIRM, log=(drafted(), confirmed(by=(1, 0))), requests=(listed("unknown", recorded=False),),
        ends=(CALM[0], End(run=1, process=0, code=None), replace(CALM[2], code=7)),
    ),
    "a lost create made anew where drafts are inert": replace(ANEW, inert=True),
    "a lost create made anew on a person's word": replace(ANEW, released=frozenset({"r1"})),
    "a draft of old words": replace(WAITING, edited=frozenset({LIST_KEY})),
    "a quick message": replace(
        GOOD, log=(line(0), replace(line(1), uuid=MADE, told=f'{{"message_id":"{MADE}"}}', by=(0, 0), method="quick")),
        requests=(request(0), request(1, uuid=MADE)),
    ),
}  # fmt: skip

BAD_ONES = {
    "confirmed twice": ("V1", replace(LISTED, log=(*LISTED.log, confirmed()), quiet_from=3)),
    "two drafts of one mailing confirmed": ("V1", replace(ANEW, inert=True, log=(*ANEW.log, confirmed()), quiet_from=4)),
    "confirmed twice, its create released": ("V1", replace(ANEW, released=frozenset({"r1"}), log=(*ANEW.log, confirmed()), quiet_from=4)),
    "a create that counts as sent": ("V4", replace(LISTED, log=(drafted(),), quiet_from=1)),
    "a refused confirm that counts as sent": (
        "V4", replace(LISTED, log=(drafted(), replace(confirmed(), event=Event.REFUSED)), requests=(listed(),)),
    ),
    "confirmed and still a draft": ("V3", replace(WAITING, log=LISTED.log, quiet_from=2)),
    "made and not known": ("V2", replace(WAITING, requests=())),
    "made and refused": ("V3", replace(WAITING, requests=(listed("rejected", "create"),))),
    "made anew on nobody's word": ("V3", ANEW),
    "a confirmed one given up because drafts are inert": ("V3", replace(ANEW, inert=True, requests=(listed("released"), ANEW.requests[1]))),
    "made under another id": ("V4", replace(WAITING, requests=(listed("draft", "create", uuid="4905009"),))),
    "a draft for ever": ("V9", WAITING),
    "a heard create unrecorded without a death": (
        "V2", replace(LOST_CONFIRM, log=(drafted(),), quiet_from=1, requests=(listed("unknown", "create", uuid="", recorded=False),)),
    ),
    "a heard confirm unrecorded without a death": ("V2", replace(LOST_CONFIRM, requests=(listed("unknown", recorded=False),))),
    "confirmed by a process that was turned away": ("V7", replace(LISTED, ends=(CALM[0], replace(CALM[1], code=8), CALM[2]), log=(
        drafted(), confirmed(by=(1, 0))))),
    "accepted twice": ("V1", replace(GOOD, log=(*GOOD.log, line(1)), quiet_from=3)),
    "accepted twice under two names": (
        "V1",
        replace(GOOD, log=(line(0), line(1), line(1, called=AGAIN, uuid=UUIDS[2])), quiet_from=3, requests=(
            *GOOD.requests, request(1, ref="r3", called=AGAIN, uuid=UUIDS[2]))),
    ),
    "released by nobody": ("V1", replace(GOOD_ONES["released and sent again"], released=frozenset())),
    "released once, accepted three times": (
        "V1", replace(GOOD_ONES["released and sent again"], log=(*GOOD_ONES["released and sent again"].log, line(1)), quiet_from=4),
    ),
    "accepted and not known": ("V2", replace(GOOD, requests=(request(0),))),
    "accepted with another uuid": ("V2", replace(GOOD, requests=(request(0), request(1, uuid=UUIDS[2])))),
    "accepted and free": ("V2", replace(GOOD, held=dict.fromkeys(KEYS[0], "accepted"))),
    "accepted with other people": ("V2", replace(GOOD, log=(line(0), replace(line(1), phones=(375294444444,))))),
    "accepted and rejected": ("V3", replace(GOOD, requests=(request(0), request(1, state="rejected")))),
    "accepted and throttled": ("V3", replace(GOOD, requests=(request(0), request(1, state="throttled")))),
    "accepted and dissolved": ("V3", replace(GOOD, requests=(request(0), request(1, state="dissolved")))),
    "accepted and planned": ("V3", replace(GOOD, requests=(request(0), request(1, state="planned")))),
    "spilled under another uuid": ("V3", replace(GOOD_ONES["spilled"], spilled={NAMES[1]: UUIDS[0]})),
    "a uuid nobody gave": ("V4", replace(GOOD, log=(line(0),), quiet_from=1)),
    "half a uuid": ("V4", replace(GOOD, requests=(request(0), request(1, uuid=UUIDS[1][:8])))),
    "a uuid twice": ("V4", replace(GOOD, log=(line(0), line(1, uuid=UUIDS[0])), requests=(request(0), request(1, uuid=UUIDS[0])))),
    "a broken state": ("V5", replace(GOOD, problems=("batch 1 holds 0 claims",))),
    "two unrecorded after one death": (
        "V2",
        replace(GOOD, requests=tuple(request(at, state="unknown", recorded=False) for at in (0, 1)),
                held=dict.fromkeys(GOOD.held, "unknown"), ends=(End(run=0, process=0, code=None), *WITH_UNKNOWN[1:])),
    ),
    "unrecorded without a death": (
        "V2", replace(GOOD, requests=(request(0), request(1, state="unknown", recorded=False)), held=UNKNOWN_HELD, ends=WITH_UNKNOWN),
    ),
    "an engine that broke": ("V7", replace(GOOD, ends=(End(run=0, process=0, code=70), *CALM[1:]))),
    "a traceback": ("V7", replace(GOOD, ends=(End(run=0, process=0, code=1), *CALM[1:]))),
    "turned away and sent": ("V7", replace(GOOD, ends=(End(run=0, process=0, code=8), *CALM[1:]))),
    "turned away and claimed": ("V7", replace(GOOD, ends=(*CALM, End(run=1, process=0, code=8)), requests=(
        *GOOD.requests, request(1, ref="r3", state="dissolved", called=AGAIN)))),
    "half a plan": ("V7", replace(GOOD, log=(line(0),), quiet_from=1, requests=(request(0),), wanted=frozenset(KEYS[0]))),
    "sent by nobody": ("V7", replace(GOOD, ends=CALM[1:])),
    "planned for ever": ("V9", replace(GOOD, requests=(*GOOD.requests, request(1, ref="r3", state="planned", called=AGAIN)))),
    "in flight for ever": ("V9", replace(GOOD, requests=(*GOOD.requests, request(1, ref="r3", state="intent", called=AGAIN)))),
    "a second run that sends": ("V9", replace(GOOD, quiet_from=1)),
    "a second run that half sends": ("V9", replace(GOOD, log=(*GOOD.log, Line(event=Event.PARTIAL, n=3)))),
    "somebody forgotten": ("V9", replace(GOOD, wanted=GOOD.wanted | {Key("spring", "invitation", 375294444444)})),
    "rejected and held": ("V9", replace(GOOD, held=GOOD.held | dict.fromkeys(KEYS[1], "rejected"))),
    "a faultless run that failed": ("V9", replace(GOOD, ends=(*CALM[:2], replace(CALM[2], code=10)))),
    "unknown and not said": ("V9", replace(GOOD_ONES["unknown"], ends=CALM)),
    "unknown said for nothing": ("V9", replace(GOOD, ends=WITH_UNKNOWN)),
}  # fmt: skip


@pytest.mark.parametrize("title", GOOD_ONES)
def test_a_good_history_has_no_violation(title: str) -> None:
    assert check(GOOD_ONES[title]) == []


@pytest.mark.parametrize("title", BAD_ONES)
def test_a_bad_history_is_named_for_what_it_is(title: str) -> None:
    invariant, evidence = BAD_ONES[title]
    assert invariant in {violation.invariant for violation in check(evidence)}


def test_a_renamed_mailing_is_the_same_to_its_people() -> None:
    again = name(1, of=1, run=1, mailing="welcome")
    evidence = replace(GOOD, log=(*GOOD.log, line(1, called=again, uuid=UUIDS[2])))
    assert "V1" not in {violation.invariant for violation in check(evidence)}
    assert "V1" in {violation.invariant for violation in check(evidence, {"welcome": "invitation"})}
