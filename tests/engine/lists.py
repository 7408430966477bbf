"""List mailings at a bench: runs that make and confirm them, plans that find them, and what the provider says of them later."""

from __future__ import annotations

import random
from array import array

from campaignkit.engine.applier import Applied, ApplyJob
from campaignkit.engine.packing import PackedBatch, Packer
from campaignkit.engine.planner import PlanJob
from campaignkit.engine.refresher import RefreshJob
from campaignkit.engine.sending import Ready, Sent, StopFlag
from campaignkit.errors import ProviderError
from campaignkit.model.mailings import FINGERPRINT_BYTES, LIST_PHONE, Mailing
from campaignkit.model.outcomes import SendResult
from campaignkit.plans.plan import Draft, Plan
from campaignkit.protocol.messages import LIST_ELEMENT, Chunk, Done
from campaignkit.states.records import RequestRow
from campaignkit.wire.records import DeliveryRow, Listing
from tests.canary import TOKEN
from tests.engine.conftest import FIRST, Bench, environment, head, list_mailing
from tests.engine.test_applier import TAGS
from tests.engine.test_planner import job
from tests.fakes.clock import FakeClock
from tests.fakes.front import ended
from tests.fakes.provider import FakeReader, FakeSender, record

UNREACHABLE = ProviderError("the provider could not be asked")


def batches(bench: Bench, one: Mailing) -> list[PackedBatch]:
    packer = Packer(mailing=one, spool=bench.spool, batch_size=100, first=10, canary=True)
    packer.add(Chunk(array("q", [LIST_PHONE]), bytes(FINGERPRINT_BYTES), array("I", [len(LIST_ELEMENT)]), LIST_ELEMENT), None)
    return packer.finish()


def apply(
    bench: Bench, sender: FakeSender, reader: FakeReader | None = None, *, one: Mailing | None = None, confirm: bool = True,
    allowed: int | None = None, heard: list[Sent] | None = None, clock: FakeClock | None = None, plan: Plan | None = None,
    fresh: bool = True, spilled: list[SendResult] | None = None,
) -> Applied:  # fmt: skip
    """One apply of one list mailing: made now (`fresh`), or as the plan says."""
    one = one or list_mailing()

    def spill(_ready: Ready, _attempt: int, result: SendResult) -> None:
        assert spilled is not None, "nothing must be spilled"
        spilled.append(result)

    made = plan or bench.plan(one)
    for campaign in made.campaigns:
        for found in campaign.mailings:
            found.counts.send = found.counts.rows = 1
    readers = reader or FakeReader()
    return ApplyJob(
        plan=made, batches=batches(bench, one) if fresh else [], spool=bench.spool, store=bench.store, sender=sender,
        clock=clock or FakeClock(), entropy=lambda count: next(TAGS).to_bytes(count, "little"), chance=random.Random(1), token=TOKEN,
        stop=StopFlag(), tell=(heard if heard is not None else []).append, spill=spill, confirm=confirm, allowed=allowed,
        reader=lambda: readers,
    ).run()  # fmt: skip


def row_of(bench: Bench, ref: str = "r1") -> RequestRow:
    found = bench.store.request(ref)
    assert found is not None
    return found


def again(bench: Bench, one: Mailing | None = None) -> Plan:
    """The plan of another run, which finds the draft."""
    plan = bench.plan(one or list_mailing())
    row = row_of(bench)
    plan.campaigns[0].mailings[0].draft = Draft(
        request=row.ref, tag=row.batches[0].tag, message_id=row.uuid, subscribers=row.listing.subscribers if row.listing else None
    )
    return plan


def refresh(bench: Bench, *rows: DeliveryRow, notes: tuple[str, ...] = (), cost: str = "0.19600 EUR") -> RefreshJob:
    reader = FakeReader({"deliveries 4905": Listing(rows, notes), "4905": record("4905", "SENT", cost=cost)})
    return RefreshJob(store=bench.store, reader=reader, clock=FakeClock(), environment=environment(), campaigns=[])


def delivery(at: int, status: str, code: str = "") -> DeliveryRow:
    return DeliveryRow(100 + at, FIRST + at, status, code)


def plan_of(bench: Bench, one: Mailing, *, print_: bytes = bytes(FINGERPRINT_BYTES), **settings: object) -> tuple[Plan, PlanJob]:
    """The plan that a run would make of this list mailing, with the fingerprint that its content has now."""
    chunk = Chunk(array("q", [LIST_PHONE]), print_, array("I", [len(LIST_ELEMENT)]), LIST_ELEMENT)
    made = job(bench, one, chunk, ended(1), Done(suppressions=""), heads=[head("news")], where=environment(**settings))
    return made.run(), made
