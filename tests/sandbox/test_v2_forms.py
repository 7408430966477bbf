"""Forms of v2 over a real socket: what can be a message, a picture and a token, and what is refused."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import pytest

from campaignkit.sandbox.app import Seen
from campaignkit.sandbox.ledger import Counts
from campaignkit.sandbox.server import EmbeddedServer
from tests.canary import TOKEN

from .asking import CONFIRM, FORM, LIST, MAILING, QUICK, ask, mailing, multipart, quick, refused, result
from .conftest import FOUR
from .pictures import JPEG, PNG


def test_a_picture_is_uploaded(server: EmbeddedServer) -> None:
    for content, kind in ((PNG, "png"), (JPEG, "jpeg")):
        fields = {"token": TOKEN, "vibername_id": "12", "phone": FOUR[0], "type_message": "IMAGE"}
        body, headers = multipart(fields, {"image": content})
        assert ask(server.url, QUICK, body, headers=headers).status == 200
        *_, kept = server.ledger.quick_messages()
        assert (kept.token_place, kept.body.image_file[-len(kind) - 1 :]) == ("multipart", f".{kind}")
    body, headers = multipart(fields, {"image": b"GIF89a"})
    got = ask(server.url, QUICK, body, headers=headers)
    assert (got.status, got.document) == (400, {"error": "image must be a PNG or JPEG"})
    assert refused(server.url, QUICK, **quick(type_message="IMAGE", image="a.png")) == (400, "image must be a file")


NO_MESSAGE = {
    "message is required": [{"message": ""}, {"message": " \r\n"}, {"type_message": "TEXT", "message": ""}],
    "image or image_url is required": [{"type_message": "IMAGE"}],
    "image_url is not valid": [{"type_message": "IMAGE", "image_url": "ftp://a.by/i.png"}, {"image_url": "http://[::1"}],
    "button is required": [{"type_message": "BUTTON", "button_link": "https://a.by"}],
    "button_link is required": [{"type_message": "BUTTON", "button": "b"}],
    "button_link is not valid": [{"type_message": "BUTTON", "button": "b", "button_link": "shop"}, {"button_link": "https://a b"}],
    "type_message must be TEXT, IMAGE or BUTTON": [{"type_message": "VIDEO"}],
    "vibername_id is required": [{"vibername_id": ""}],
    "vibername_id must be an integer": [{"vibername_id": "shop"}, {"vibername_id": "1" * 19}],
    "vibername_id must be at least 1": [{"vibername_id": "0"}],
}


@pytest.mark.parametrize(("words", "changes"), [(words, one) for words, several in NO_MESSAGE.items() for one in several])
def test_what_can_be_no_message_is_refused_by_both_modes(words: str, changes: dict[str, object]) -> None:
    for strict in (False, True):
        with EmbeddedServer(strict=strict) as server:
            for path, one in ((QUICK, quick), (LIST, mailing)):
                status, said = refused(server.url, path, **one(**changes))
                assert status == 400
                assert strict or said == words
            assert server.ledger.counts() == Counts(0, 0, 0, 0)


@pytest.mark.parametrize("phone", ["", "12", "37529111111", "3752911111111", "phone"])
def test_a_wrong_phone_is_refused(server: EmbeddedServer, phone: str) -> None:
    assert refused(server.url, QUICK, **quick(phone=phone)) == (400, "incorrect phone number")


@pytest.mark.parametrize("schedule", ["2024-10-30", "2024-10-30T13:00", "2024-10-30 13:00:00", "2024-13-30 13:00", "soon"])
def test_a_wrong_schedule_is_refused(server: EmbeddedServer, schedule: str) -> None:
    assert refused(server.url, LIST, **mailing(d_schedule=schedule)) == (400, "d_schedule must have the format YYYY-MM-DD HH:MM")


def test_a_lenient_reading_takes_what_could_be_meant(server: EmbeddedServer) -> None:
    result(server.url, QUICK, **quick(type_message="text", phone="+375 (29) 111-11-11", forwarding_message=1, forwarding_time=61))
    result(server.url, QUICK, **quick(forwarding_message=1, forwarding_time=4, odd="x"))
    result(server.url, QUICK, **quick(forwarding_message=1))
    result(server.url, QUICK, **quick(forwarding_time=20))
    link = "https://a.by/" + "x" * 200
    result(server.url, QUICK, **quick(type_message="BUTTON", button="b", button_link=link))
    assert [one.forward_after for one in server.ledger.quick_messages()] == [60, 5, 60, None, None]
    assert server.ledger.times_accepted() == {FOUR[0]: 5}
    both = {"token": TOKEN, "vibername_id": "12", "phone": FOUR[0], "type_message": "IMAGE", "image_url": "https://a.by/i.png"}
    body, headers = multipart(both, {"image": PNG})
    assert ask(server.url, QUICK, body, headers=headers).status == 200


def test_the_token_of_every_method_may_stand_anywhere_and_its_place_is_seen(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path / "data") as server:
        fields = {name: str(value) for name, value in quick().items()}
        ask(server.url, QUICK, urlencode(fields | {"token": TOKEN}), headers=FORM)
        body, headers = multipart(fields | {"token": TOKEN}, {})
        ask(server.url, QUICK, body, headers=headers)
        ask(server.url, QUICK, quick() | {"token": TOKEN})
        ask(server.url, f"{QUICK}?token={TOKEN}", urlencode(fields), headers=FORM)
        ask(server.url, CONFIRM, {"token": TOKEN, "message_id": 1})
        assert ask(server.url, MAILING, {"message_id": 1}).status == 403
        assert [one.token_place for one in server.ledger.quick_messages()] == ["form", "multipart", "json", "query"]
        assert server.seen[-2:] == [Seen("confirmViberMessage", "json"), Seen("getViberMessageData", "")]
    assert b"s3cr3t" not in (tmp_path / "data").read_bytes()
