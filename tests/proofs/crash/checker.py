"""Whether a history kept the promise: a pure function over the provider's log, the final state and the exit codes.

It shares nothing with the engine. V1: nobody twice. V2: nothing accepted is lost, and no more is left in doubt than was in
flight. V3: what counts as refused was never accepted. V4: uuids are the provider's own. V5: states are sound. V7: a plan is
claimed whole or not at all, who was turned away sent nothing, and no process ends otherwise. V9: a faultless run settles
everything, and another one sends nothing.

Of a list mailing the people are its list, the phone 0: accepted is a confirm that counted, and a person's word that its create was
not sent allows no second one. A draft is made anew only on a person's word, or where drafts are said to be inert.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.proofs.crash.evidence import Event, Evidence, Key, Line, StoredRequest, key_of, owner_of

LOCKED = 8
FINE = frozenset({0, 5, 6, 7, LOCKED, 9, 10})
"""Exit codes that an apply may have; 5 is a state it was refused."""
SETTLED = frozenset({0, 7})
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9]{7,}\b")
_NUMBERS = re.compile(r" (\d+)of(\d+) ")
_DOUBTFUL = frozenset({"unknown", "intent", "abandoned"})
_HOLDING = _DOUBTFUL | {"accepted"}
_LIST, _CREATE, _DRAFT = "list", "create", "draft"


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken invariant."""

    invariant: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.what}"


def check(evidence: Evidence, aliases: Mapping[str, str] | None = None) -> list[Violation]:
    """Every violation; empty for a history that kept the promise. `aliases`: first names of renamed mailings."""
    names = dict(aliases or {})
    requests = {batch.name: request for request in evidence.requests for batch in request.batches}
    accepted = [line for line in evidence.log if line.event is Event.ACCEPTED]
    found: list[Violation] = []
    found += [Violation("V1", text) for text in _twice(evidence, accepted, requests, names)]
    found += _lost(evidence, accepted, requests, names)
    found += _lost_drafts(evidence, requests)
    found += [Violation("V4", text) for text in _foreign_uuids(evidence, accepted)]
    found += [Violation("V5", text) for text in evidence.problems]
    found += [Violation("V2", text) for text in _unrecorded(evidence, requests)]
    found += [Violation("V7", text) for text in (*_ends(evidence), *_torn_plans(evidence))]
    found += [Violation("V9", text) for text in _unsettled(evidence, names)]
    return found


def _twice(evidence: Evidence, accepted: list[Line], requests: Mapping[str, StoredRequest], names: dict[str, str]) -> Iterator[str]:
    """A key may be accepted once, and once more for each time a person released it."""
    times: Counter[Key] = Counter()
    allowed: Counter[Key] = Counter()
    for line in accepted:
        times.update(key_of(line.name, phone, names) for phone in line.phones)
    for name, request in requests.items():
        if request.ref in evidence.released and request.method != _LIST:
            batch = next(batch for batch in request.batches if batch.name == name)
            allowed.update(key_of(name, phone, names) for phone in batch.phones)
    for key, count in times.items():
        if count > 1 + allowed[key]:
            yield f"{key} was accepted {count} times, released {allowed[key]} times"


def _lost(evidence: Evidence, accepted: list[Line], requests: Mapping[str, StoredRequest], names: dict[str, str]) -> Iterator[Violation]:
    for line in accepted:
        request = requests.get(line.name)
        if evidence.spilled.get(line.name) == line.uuid:
            continue
        if request is None:
            yield Violation("V2", f"{line.name!r} was accepted, and the state does not know it")
            continue
        if request.state == "released" and request.ref in evidence.released:
            continue
        if request.state not in _HOLDING:
            yield Violation("V3", f"{line.name!r} was accepted, and {request.ref} is {request.state}")
            continue
        if request.state == "accepted" and not _gave(line, request.uuid) and request.ref not in evidence.resolved:
            yield Violation("V2", f"{line.name!r} was accepted as {line.uuid}, and {request.ref} holds {request.uuid!r}")
        if line.phones != next(batch.phones for batch in request.batches if batch.name == line.name):
            yield Violation("V2", f"{line.name!r} was accepted with other people than {request.ref} has")
        free = [phone for phone in line.phones if evidence.held.get(key_of(line.name, phone, names)) not in _HOLDING]
        if free:
            yield Violation("V2", f"{line.name!r} was accepted, and {len(free)} of its people are free to be sent to again")


def _lost_drafts(evidence: Evidence, requests: Mapping[str, StoredRequest]) -> Iterator[Violation]:
    """What was made is waiting, confirmed, or in doubt; it is given up by a person, or because drafts are inert."""
    for line in evidence.log:
        if line.event is not Event.DRAFTED:
            continue
        request = requests.get(line.name)
        if request is None:
            yield Violation("V2", f"the draft {line.name!r} was made, and the state does not know it")
        elif request.state == "released" and (request.ref in evidence.released or (evidence.inert and request.step == _CREATE)):
            continue
        elif request.state not in _HOLDING | {_DRAFT}:
            yield Violation("V3", f"the draft {line.name!r} was made, and {request.ref} is {request.state}")
        elif request.uuid and not _gave(line, request.uuid):
            yield Violation("V4", f"the draft {line.name!r} was made as {line.uuid}, and {request.ref} holds {request.uuid!r}")


def _gave(line: Line, uuid: str) -> bool:
    """Whether the provider gave this uuid for this batch: its own, or another one that it wrongly told."""
    return bool(uuid) and (uuid == line.uuid or uuid in _ID.findall(line.told))


def _foreign_uuids(evidence: Evidence, accepted: list[Line]) -> Iterator[str]:
    shared = Counter(request.uuid for request in evidence.requests if request.uuid)
    yield from (f"{count} requests hold the uuid {uuid!r}" for uuid, count in shared.items() if count > 1)
    for request in evidence.requests:
        if request.state != "accepted" or (request.ref in evidence.resolved and not request.uuid):
            continue
        for batch in request.batches:
            if not any(line.name == batch.name and _gave(line, request.uuid) for line in accepted):
                yield f"{request.ref} is accepted with {request.uuid!r}, which the provider never gave for {batch.name!r}"


def _unrecorded(evidence: Evidence, requests: Mapping[str, StoredRequest]) -> Iterator[str]:
    """Whoever got a whole answer records it before the next request; only what was in flight at a death stays without."""
    heard = [line for line in evidence.log if line.heard and line.event in {Event.ACCEPTED, Event.DRAFTED} and evidence.owned]
    lost: dict[tuple[int, int], set[str]] = defaultdict(set)
    for line in heard:
        request = requests.get(line.name)
        if request is None or request.state not in _DOUBTFUL or request.recorded or request.ref in evidence.resolved:
            continue
        if (line.event is Event.DRAFTED) == (request.step == _CREATE):  # else it is another step that is in doubt
            lost[_sender(line)].add(request.ref)
    for end in evidence.ends:
        refs = lost[end.run, end.process]
        if len(refs) > (end.in_flight if end.code is None else 0):
            yield f"process {end.process} of run {end.run} left {', '.join(sorted(refs))} unrecorded, though it had their answers"


def _sender(line: Line) -> tuple[int, int]:
    """Run and process that sent it: a draft may be confirmed by another one than made it."""
    return line.by or owner_of(line.name)


def _torn_plans(evidence: Evidence) -> Iterator[str]:
    """The batches of a mailing that one run claimed: all of them or none, and none if it was turned away."""
    numbers: dict[tuple[int, str], list[int]] = defaultdict(list)
    totals: dict[tuple[int, str], int] = {}
    for request in evidence.requests:
        for batch in request.batches:
            found = _NUMBERS.search(batch.name)
            assert found is not None
            plan = request.run, batch.name[: found.start()]
            numbers[plan].append(int(found[1]))
            totals[plan] = int(found[2])
    for plan, found_numbers in numbers.items():
        if sorted(found_numbers) != list(range(1, totals[plan] + 1)):
            yield f"run {plan[0]} claimed the batches {sorted(found_numbers)} of {totals[plan]} of {plan[1]}"
    turned_away = {(end.run, end.process) for end in evidence.ends if end.code == LOCKED}
    names = [batch.name for request in evidence.requests for batch in request.batches] if evidence.owned else []
    yield from (f"{name!r} was claimed by a process that was turned away" for name in names if owner_of(name) in turned_away)


def _ends(evidence: Evidence) -> Iterator[str]:
    judged = [line for line in evidence.log if line.event in {Event.ACCEPTED, Event.DRAFTED, Event.REFUSED}]
    sent = {_sender(line) for line in judged} if evidence.owned else set()
    runs = {(end.run, end.process): end for end in evidence.ends}
    for end in evidence.ends:
        who = f"process {end.process} of run {end.run}"
        if end.code is not None and end.code not in FINE:
            yield f"{who} ended with {end.code}"
        if end.code == LOCKED and (end.run, end.process) in sent:
            yield f"{who} was turned away and sent all the same"
    for run, process in sent - set(runs):
        yield f"process {process} of run {run} sent and never was"


def _unsettled(evidence: Evidence, names: dict[str, str]) -> Iterator[str]:
    last = [end for end in evidence.ends if end.faultless]
    if not last:
        return
    unknown = any(request.state == "unknown" for request in evidence.requests)
    for end in last:
        if end.code not in SETTLED:
            yield f"the faultless run {end.run} ended with {end.code}"
    if last[-1].code in SETTLED and last[-1].code != (7 if unknown else 0):
        yield f"the last run ended with {last[-1].code}, and there are {'unknown' if unknown else 'no unknown'} requests"
    for request in evidence.requests:
        drafted = request.state == _DRAFT and not any(
            key_of(batch.name, 0, names) in evidence.edited for batch in request.batches
        )  # fmt: skip
        if request.state in {"planned", "intent"} or drafted:
            yield f"{request.ref} is still {request.state} after a faultless run"
    if len(evidence.log) > evidence.quiet_from:
        yield f"a second faultless run sent {len(evidence.log) - evidence.quiet_from} times"
    forgotten = [key for key in evidence.wanted if evidence.held.get(key) not in _HOLDING | ({_DRAFT} if key in evidence.edited else set())]
    if forgotten:
        yield f"{len(forgotten)} people were neither sent to nor held back, {forgotten[0]} among them"
