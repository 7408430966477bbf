"""Request bodies of a whole audience: the same everywhere, and packed as apply packs."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest

from campaignkit.engine.compiling import compiled
from campaignkit.engine.spool import Spool
from campaignkit.intake.talk import Word
from campaignkit.model.settings import Environment, Project
from campaignkit.wire.callbacks import PLACEHOLDER_SECRET, secret_of
from campaignkit.wire.names import PLACEHOLDER_TAG
from tests.compiler.pictures import png
from tests.engine.conftest import FIRST, environment, list_mailing, mailing, project, quick_mailing
from tests.engine.test_planner import DONE, phones, said
from tests.engine.test_rendering import personal
from tests.fakes.front import PlayedFront, ended, listed, people
from tests.schemas.documents import problems


def bodies(*words: Word, settings: Project | None = None, where: Environment | None = None) -> dict[str, dict[str, Any]] | None:
    """Each file's body, in order."""
    front = PlayedFront(*words)
    with Spool() as spool:
        found = compiled(front.as_front(), settings or project(), where or environment(), ["campaigns/spring.yaml"], spool)
        return None if found is None else {name: json.loads(body) for name, body in found}


def test_every_person_is_in_exactly_one_body_and_the_first_one_is_small() -> None:
    found = bodies(mailing(), people(phones(8)), people(phones(17, 8)), ended(25), DONE, settings=project(first=3))
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


PICTURE = png()


def test_a_quick_mailing_is_one_form_a_person_in_the_audience_s_order() -> None:
    quick = quick_mailing(content={"type": "button", "caption": "Open"}, sms_alphaname_id="7", sms_after=30)
    found = bodies(quick, personal(["a", "b"], link="https://a.by"), ended(2), DONE)
    assert found is not None
    assert list(found) == ["spring-code-000001", "spring-code-000002"]
    assert [body["method"] for body in found.values()] == ["sendQuickViberMessage"] * 2
    assert [list(body["form"].items()) for body in found.values()] == [
        [
            ("vibername_id", "12"), ("phone", str(FIRST + at)), ("type_message", "BUTTON"), ("message", text), ("button", "Open"),
            ("button_link", "https://a.by"), ("forwarding_message", "1"), ("forwarding_time", "30"), ("alphaname_id", "7"),
        ]
        for at, text in enumerate("ab")
    ]  # fmt: skip
    assert problems("compile", list(found.values())) == []


def test_a_list_mailing_is_the_form_of_its_draft() -> None:
    found = bodies(list_mailing(schedule_wire="2094-12-01 10:00"), listed(), ended(1), DONE)
    assert found is not None
    [(file, body)] = found.items()
    assert (file, body["method"]) == ("spring-news-000001", "sendViberMessageList")
    assert list(body["form"].items()) == [
        ("name", f"spring/news 1of1 {PLACEHOLDER_TAG}"), ("vibername_id", "12"), ("list_id", "77"), ("type_message", "TEXT"),
        ("message", "Hi"), ("d_schedule", "2094-12-01 10:00"),
    ]  # fmt: skip
    assert problems("compile", [body]) == []


def test_a_picture_is_told_by_its_name_and_hash_and_never_by_its_bytes() -> None:
    shown = {"file": "a.png", "sha256": hashlib.sha256(PICTURE).hexdigest()}
    quick = quick_mailing(content={"type": "image"}, image=PICTURE, image_name="a.png")
    one = bodies(
        quick,
        personal([""]),
        ended(1),
        list_mailing(content={"type": "image"}, image=PICTURE, image_name="a.png"),
        listed(),
        ended(1),
        DONE,
    )
    assert one is not None
    assert [body["form"]["image"] for body in one.values()] == [shown, shown]
    assert [body["form"]["type_message"] for body in one.values()] == ["IMAGE", "IMAGE"]
    assert problems("compile", list(one.values())) == []


def test_methods_stand_beside_each_other_and_only_bulk_bodies_have_a_callback() -> None:
    words = (*said(1, name="one"), quick_mailing(), personal(["a"]), ended(1), list_mailing(), listed(), ended(1), DONE)
    found = bodies(*words, settings=project(per_request=5), where=environment(callback_url="https://hooks.example.by/ck"))
    assert found is not None
    assert [sorted(body) for body in found.values()] == [["callback_url", "messages"], ["form", "method"], ["form", "method"]]
    assert not any({"token", "callback_url"} & set(body.get("form", ())) for body in found.values())
    assert problems("compile", list(found.values())) == []


@pytest.mark.parametrize(
    ("change", "at", "keyword"),
    [
        ({"method": "confirmViberMessage"}, "$[0].method", "enum"),
        ({"token": "x"}, "$[0]", "additionalProperties"),
        ({"form": {"token": "x"}}, "$[0].form", "additionalProperties"),
        ({"form": {"list_id": "77"}}, "$[0].form.list_id", "not"),
        ({"form": {"d_schedule": "2094-12-01 10:00"}}, "$[0].form.d_schedule", "not"),
        ({"form": {"forwarding_time": "4"}}, "$[0].form.forwarding_time", "pattern"),
        ({"form": {"forwarding_time": "61"}}, "$[0].form.forwarding_time", "pattern"),
        ({"form": {"phone": "+375291111111"}}, "$[0].form.phone", "pattern"),
        ({"form": {"type_message": "text"}}, "$[0].form.type_message", "enum"),
        ({"form": {"image": {"file": "a.png"}}}, "$[0].form.image", "required"),
    ],
)
def test_a_form_that_no_method_has_does_not_fit_the_schema(change: dict[str, Any], at: str, keyword: str) -> None:
    found = bodies(quick_mailing(), personal(["a"]), ended(1), DONE)
    assert found is not None
    [good] = found.values()
    bad = good | change | {"form": good["form"] | change.get("form", {})}
    assert (at, keyword) in problems("compile", [bad])
