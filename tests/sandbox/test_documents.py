"""A request is judged as the documentation says: structure at once, content later."""

from __future__ import annotations

from typing import Any

import pytest

from campaignkit.sandbox.documents import read_mailings
from campaignkit.sandbox.exchange import Refusal

from .asking import bulk

PICTURE = "https://shop.example.by/a.jpg"
LINK = "https://shop.example.by/go"


def personal(content: dict[str, Any], *people: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return bulk(message_type="personal", content=content, delivery_list=list(people)) | changes


@pytest.mark.parametrize(
    "messages",
    [
        None,
        [],
        "text",
        {"0": bulk()},
        ["no object"],
        [bulk(message_type="both")],
        [bulk(message_type=["bulk"])],
        [bulk(delivery_list=[])],
        [bulk(delivery_list="375291111111")],
        [bulk(delivery_list=[{"phone": "375291111111"}])],
        [bulk(delivery_list=[True])],
        [bulk(message_type="personal")],
        [bulk(message_type="personal", delivery_list=[{"text": "no phone"}])],
        [bulk(alphaname_id=None)],
        [bulk(alphaname_id="shop")],
        [bulk(alphaname_id=True)],
        [bulk(name="")],
        [bulk(content="text")],
        [bulk(), bulk(delivery_list=None)],
    ],
)
def test_a_structural_fault_refuses_the_whole_request(messages: object) -> None:
    with pytest.raises(Refusal) as caught:
        read_mailings(messages)
    assert caught.value.status == 400
    assert caught.value.text


@pytest.mark.parametrize(
    ("message", "errors"),
    [
        (bulk(), ()),
        (bulk(alphaname_id=444, schedule_time=None), ()),
        (bulk(content={"type": "text"}), ("Text is required",)),
        (bulk(content={"type": "TEXT", "text": "hi"}), ("Content type is not valid",)),
        (bulk(content={"type": "image", "image_url": PICTURE}), ()),
        (bulk(content={"type": "image", "image_url": "https://a.by/800x800/x.png"}), ()),
        (bulk(content={"type": "image"}), ("Content url is not valid",)),
        (bulk(content={"type": "image", "image_url": "ftp://a.by/x.png"}), ("Content url is not valid",)),
        (bulk(content={"type": "image", "image_url": "https://"}), ("Content url is not valid",)),
        (bulk(content={"type": "image", "image_url": "https://[a/x"}), ("Content url is not valid",)),
        (bulk(content={"type": "image", "image_url": "https://a.by/a b.png"}), ("Content url is not valid",)),
        (bulk(content={"type": "image", "image_url": "https://a.by/1200x600.png"}), ("Optimal image size 800x800 px",)),
        (bulk(content={"type": "button", "caption": "Go", "button_link": LINK}), ()),
        (bulk(content={"type": "button", "button_link": LINK}), ("Button caption is required",)),
        (bulk(content={"type": "button", "caption": "Go"}), ("Button link is required",)),
        (bulk(content={"type": "button", "caption": "Go", "button_link": "shop"}), ("Button link is not valid",)),
        (bulk(content={"type": "button", "caption": "Go", "button_link": LINK.ljust(150, "x")}), ()),
        (
            bulk(content={"type": "button", "caption": "Go", "button_link": LINK.ljust(151, "x")}),
            ("Button link must not exceed 150 characters",),
        ),
        (
            bulk(content={"type": "button", "caption": "Go", "button_link": LINK, "image_url": "x"}),
            ("Content url is not valid",),
        ),
        (
            personal({"type": "image", "image_url": PICTURE}, {"phone": "375291111111"}),
            ("Image is available in bulk messages only",),
        ),
        (personal({"type": "text"}, {"phone": "375291111111", "text": "hi"}), ()),
        (personal({"type": "text", "text": "shared"}, {"phone": "375291111111"}), ("Text is required",)),
        (
            personal({"type": "button", "caption": "Go"}, {"phone": "375291111111"}, {"phone": "375292222222"}),
            ("Button link is required",),
        ),
        (bulk(schedule_time="2094-12-01 10:00"), ("Schedule time must have the format YYYY-MM-DDTHH:mm:ss",)),
        (bulk(schedule_time="2094-02-30T10:00:00"), ("Schedule time must have the format YYYY-MM-DDTHH:mm:ss",)),
        (bulk(schedule_time=20941201), ("Schedule time must have the format YYYY-MM-DDTHH:mm:ss",)),
    ],
)
def test_a_fault_in_the_content_refuses_that_mailing_alone(message: object, errors: tuple[str, ...]) -> None:
    first, second = read_mailings([message, bulk("other")])
    assert first.errors == errors
    assert bool(first.recipients) is not bool(errors)
    assert not second.errors


def test_invalid_phones_are_left_out_and_repeated_ones_are_kept() -> None:
    good = ["375291111111", 375292222222, "48123456789", "375291111111"]
    bad = ["+375293333333", "37529444444", "7", "x", "٣٧٥٢٩١١١١١١١", "1" * 16]
    (mailing,) = read_mailings([bulk(delivery_list=good[:2] + bad + good[2:])])
    assert mailing.phones == ["375291111111", "375292222222", "48123456789", "375291111111"]


def test_a_schedule_is_local_time_in_minsk() -> None:
    (mailing,) = read_mailings([bulk(schedule_time="2024-10-30T22:56:00")])
    assert mailing.scheduled_for == 1730318160.0  # 19:56 UTC
