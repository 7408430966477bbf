"""Request bodies of a whole audience: the same everywhere, and packed as apply packs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from campaignkit.engine.compiling import compiled
from campaignkit.engine.spool import Spool
from campaignkit.intake.talk import Word
from campaignkit.model.settings import Environment, Project
from campaignkit.protocol.messages import Progress
from campaignkit.wire.callbacks import PLACEHOLDER_SECRET, secret_of
from campaignkit.wire.names import PLACEHOLDER_TAG
from tests.engine.conftest import FIRST, environment, mailing, project
from tests.engine.test_planner import DONE, phones, said
from tests.fakes.front import PlayedFront, ended, people


def bodies(*words: Word, settings: Project | None = None, where: Environment | None = None) -> dict[str, dict[str, Any]] | None:
    """Each file's body, in order."""
    front = PlayedFront(*words)
    with Spool() as spool:
        found = compiled(front.as_front(), settings or project(), where or environment(), ["campaigns/spring.yaml"], spool)
        return None if found is None else {name: json.loads(body) for name, body in found}


def test_every_person_is_in_exactly_one_body_and_the_first_one_is_small() -> None:
    found = bodies(mailing(), people(phones(8)), Progress(rows=8), people(phones(17, 8)), ended(25), DONE, settings=project(first=3))
    assert found is not None
    lists = [[int(phone) for phone in message["delivery_list"]] for body in found.values() for message in body["messages"]]
    assert lists == [list(phones(3)), list(phones(10, 3)), list(phones(10, 13)), list(phones(2, 23))]
    assert list(found) == [f"spring-invitation-{number:06d}" for number in (1, 2, 3, 4)]


def test_batches_are_numbered_within_their_mailing_and_have_the_tag_s_placeholder() -> None:
    found = bodies(*said(15, name="one"), *said(5, name="two"), DONE)
    assert found is not None
    names = [message["name"] for body in found.values() for message in body["messages"]]
    assert names == [
        f"{name} {part} {PLACEHOLDER_TAG}" for name, part in (("spring/one", "1of2"), ("spring/one", "2of2"), ("spring/two", "1of1"))
    ]
    assert all("token" not in body for body in found.values())


def test_canaries_travel_alone_and_campaigns_apart() -> None:
    words = (*said(45, name="one"), *said(5, name="one", campaign="summer"), *said(5, name="two", campaign="summer"))
    found = bodies(*words, DONE, settings=project(per_request=3))
    assert found is not None
    assert {name: len(body["messages"]) for name, body in found.items()} == {
        "spring-one-000001": 1, "spring-one-000002": 3, "spring-one-000005": 1, "summer-one-000001": 1, "summer-two-000001": 1,
    }  # fmt: skip


def test_the_callback_address_has_a_placeholder_and_is_left_out_where_none_is_set() -> None:
    found = bodies(*said(1), DONE, where=environment(callback_url="https://hooks.example.by/ck"))
    assert found is not None
    [body] = found.values()
    assert secret_of(body["callback_url"]) == PLACEHOLDER_SECRET
    assert bodies(*said(1), DONE) == {name: {"messages": body["messages"]} for name, body in found.items()}


def test_the_schedule_and_the_content_are_the_mailing_s() -> None:
    found = bodies(replace(mailing(), schedule_wire="2026-12-01T10:00:00"), people([FIRST]), ended(1), DONE)
    assert found is not None
    [message] = found["spring-invitation-000001"]["messages"]
    assert (message["schedule_time"], message["content"], message["alphaname_id"]) == (
        "2026-12-01T10:00:00", {"type": "text", "text": "Hi"}, "444",
    )  # fmt: skip


def test_nothing_is_compiled_by_a_child_that_broke_down_half_way() -> None:
    assert bodies(*said(25)) is None
    assert bodies() is None


def test_an_audience_of_nobody_is_no_request() -> None:
    assert bodies(mailing(), ended(0), DONE) == {}
