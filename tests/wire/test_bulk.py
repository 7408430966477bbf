"""The body of a send against the documentation's own sample."""

from __future__ import annotations

import json
from typing import Any

import pytest

from campaignkit.wire.bulk import check_elements, encode_batch, encode_request

IMAGE = "https://example-site.com/images/image.jpg"
LINK = "https://example-site.com/some_action"
BULK = ["375291111111", "375292222222"]
SAMPLE: dict[str, Any] = {
    "token": "a-token-for-tests",
    "callback_url": "http://example-site.com/webhook.php",
    "messages": [
        {
            "alphaname_id": "444",
            "name": "mailing list 1",
            "message_type": "personal",
            "schedule_time": "2024-10-30T22:56:00",
            "content": {"type": "button", "image_url": IMAGE, "caption": "Push me"},
            "delivery_list": [
                {"phone": "375291111111", "text": "personal message 1.1", "button_link": f"{LINK}/1"},
                {"phone": "375292222222", "text": "personal message 1.2", "button_link": f"{LINK}/2"},
            ],
        },
        {
            "alphaname_id": "444",
            "name": "mailing list 2",
            "message_type": "personal",
            "schedule_time": "2024-10-30T22:56:00",
            "content": {"type": "text"},
            "delivery_list": [
                {"phone": "375291111111", "text": "personal message 2.1"},
                {"phone": "375292222222", "text": "personal message 2.2"},
            ],
        },
        {
            "alphaname_id": "444",
            "name": "mailing list 3",
            "message_type": "bulk",
            "schedule_time": "2024-10-30T22:56:00",
            "content": {
                "type": "button",
                "image_url": IMAGE,
                "button_link": LINK,
                "caption": "Button",
                "text": "message text 3",
            },
            "delivery_list": BULK,
        },
        {
            "alphaname_id": "444",
            "name": "mailing list 4",
            "message_type": "bulk",
            "schedule_time": "2024-10-30T22:56:00",
            "content": {"type": "text", "text": "message text 4"},
            "delivery_list": BULK,
        },
        {
            "alphaname_id": "444",
            "name": "mailing list 5",
            "message_type": "bulk",
            "schedule_time": "2024-10-30T22:56:00",
            "content": {"type": "image", "image_url": IMAGE},
            "delivery_list": BULK,
        },
    ],
}


def compact(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def joined(elements: list[Any]) -> bytes:
    return b",".join(map(compact, elements))


def rebuilt(message: dict[str, Any]) -> bytes:
    return encode_batch(
        alphaname_id=message["alphaname_id"],
        name=message["name"],
        message_type=message["message_type"],
        content=dict(sorted(message["content"].items())),  # another order than the sample's
        elements=joined(message["delivery_list"]),
        schedule_time=message.get("schedule_time", ""),
    )


@pytest.mark.parametrize("index", range(5))
def test_each_mailing_of_the_sample_is_rebuilt_to_the_byte(index: int) -> None:
    assert rebuilt(SAMPLE["messages"][index]) == compact(SAMPLE["messages"][index])


def test_the_whole_sample_is_rebuilt_to_the_byte() -> None:
    batches = [rebuilt(message) for message in SAMPLE["messages"]]
    assert encode_request(batches, token=SAMPLE["token"], callback_url=SAMPLE["callback_url"]) == compact(SAMPLE)


def test_what_is_not_given_is_left_out() -> None:
    batch = encode_batch(alphaname_id="1", name="n", message_type="bulk", content={"type": "text", "text": "Привет"}, elements=b'"1"')
    expected = '{"messages":[{"alphaname_id":"1","name":"n","message_type":"bulk",'
    expected += '"content":{"type":"text","text":"Привет"},"delivery_list":["1"]}]}'
    assert encode_request([batch]) == expected.encode()


@pytest.mark.parametrize("content", [{"type": "text", "txt": "x"}, {"type": "text", "text": "\ud800"}])
def test_content_that_the_api_cannot_take_is_refused(content: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"keys|surrogates"):
        encode_batch(alphaname_id="1", name="n", message_type="bulk", content=content, elements=b"")


PHONES = [375291111111, 4915112345678]
GOOD = b'{"phone":"375291111111","text":"a"},{"phone":"4915112345678","text":"b","button_link":"https://e.by"}'


@pytest.mark.parametrize("text", ["\ud800", "half \udfff"])
def test_what_is_no_json_is_never_encoded(text: str) -> None:
    """Rows 1 and 2 of the outcome table: a number that is none can't even be given, and half a character is refused."""
    one = {"alphaname_id": "444", "name": "n", "message_type": "bulk", "elements": b'"375291111111"'}
    for given in ({"content": {"text": text}}, {"content": {"text": float("nan")}}, {"content": {}, "name": float("inf")}):
        with pytest.raises(ValueError, match=r"not JSON compliant|surrogates not allowed"):
            encode_batch(**(one | given))
    with pytest.raises(ValueError, match="surrogates not allowed"):
        encode_request([], token=text)


def test_good_elements_pass() -> None:
    check_elements(GOOD, PHONES, "personal")
    check_elements(b'"375291111111","4915112345678"', PHONES, "bulk")
    check_elements(b"", [], "bulk")


@pytest.mark.parametrize(
    "elements",
    [
        b"",
        GOOD + b",",
        GOOD + b"," + GOOD,
        b",".join(reversed(GOOD.split(b",{", 1))),
        GOOD.replace(b"375291111111", b"375291111112"),
        GOOD.replace(b'"375291111111"', b"375291111111"),
        GOOD.replace(b"375291111111", b"+375291111111"),
        GOOD.replace(b'"a"', b"null"),
        GOOD.replace(b'"a"', b'["a"]'),
        GOOD.replace(b'"a"', b'{"a":"b"}'),
        GOOD.replace(b'"a"', b'"\\ud800"'),
        GOOD.replace(b'"text":"a"', b'"text":"a","extra":"x"'),
        GOOD.replace(b'"text":"a"', b'"text":"a","phone":"375290000000"'),
        GOOD.replace(b'"text":"a"', b'"text":"a","text":"b"'),
        GOOD.replace(b',"text":"a"', b""),
        GOOD.replace(b'"a"', b'"\xff"'),
        GOOD + b'],"messages":[1',
        b"[" * 100_000,
        GOOD.decode().encode("utf-16"),
        b'"375291111111","4915112345678"',
    ],
)
def test_anything_else_in_personal_elements_is_refused(elements: bytes) -> None:
    with pytest.raises(ValueError, match=r"deliver|surrogates") as caught:
        check_elements(elements, PHONES, "personal")
    assert "37529" not in str(caught.value)


@pytest.mark.parametrize("elements", [GOOD, b'"375291111111"', b"375291111111,4915112345678", b'"375291111111",["4915112345678"]'])
def test_anything_else_in_bulk_elements_is_refused(elements: bytes) -> None:
    with pytest.raises(ValueError, match="claimed phones"):
        check_elements(elements, PHONES, "bulk")


QUICK = b'{"phone":"375291111111"},{"phone":"4915112345678","text":"b","button_link":"https://e.by"}'


@pytest.mark.parametrize("elements", [GOOD, QUICK, b'{"phone":"375291111111"},{"phone":"4915112345678"}'])
def test_a_quick_message_may_be_a_picture_alone(elements: bytes) -> None:
    check_elements(elements, PHONES, "quick")


def test_a_personal_element_is_never_a_phone_alone() -> None:
    with pytest.raises(ValueError, match="strings only"):
        check_elements(QUICK, PHONES, "personal")


@pytest.mark.parametrize(
    "elements",
    [
        b"",
        QUICK + b"," + QUICK,
        b",".join(reversed(QUICK.split(b",{", 1))),
        QUICK.replace(b"375291111111", b"375291111112"),
        QUICK.replace(b'"375291111111"', b"375291111111"),
        QUICK.replace(b'{"phone":"375291111111"}', b"{}"),
        QUICK.replace(b'{"phone":"375291111111"}', b'"375291111111"'),
        QUICK.replace(b'"375291111111"', b'"375291111111","phone":"375291111111"'),
        QUICK.replace(b'"375291111111"', b'"375291111111","sms":"1"'),
        QUICK.replace(b'"b"', b'"\\ud800"'),
        b'"list"',
    ],
)
def test_anything_else_in_quick_elements_is_refused(elements: bytes) -> None:
    with pytest.raises(ValueError, match=r"deliver|surrogates") as caught:
        check_elements(elements, PHONES, "quick")
    assert "37529" not in str(caught.value)


def test_a_list_is_its_one_word() -> None:
    check_elements(b'"list"', [0], "list")


@pytest.mark.parametrize(
    ("elements", "phones"),
    [
        (b"", [0]),
        (b"list", [0]),
        (b' "list"', [0]),
        (b'"list","list"', [0, 0]),
        (b'"list"', []),
        (b'"list"', [375291111111]),
        (b'"0"', [0]),
        (b'{"phone":"0"}', [0]),
    ],
)
def test_anything_else_for_a_list_is_refused(elements: bytes, phones: list[int]) -> None:
    with pytest.raises(ValueError, match="list mailing"):
        check_elements(elements, phones, "list")


@pytest.mark.parametrize("kind", ["bulk", "personal", "quick"])
def test_the_word_for_a_list_is_no_person(kind: str) -> None:
    with pytest.raises(ValueError, match="deliver"):
        check_elements(b'"list"', [0], kind)
