"""Messages as people get them, of a played front."""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence
from dataclasses import replace

import pytest

from campaignkit.engine.rendering import Wanted, rendered
from campaignkit.intake.talk import Word
from campaignkit.model.mailings import FINGERPRINT_BYTES
from campaignkit.model.messages import Message
from campaignkit.protocol.messages import Chunk
from campaignkit.reports.messages import message_text, messages_document
from tests.engine.conftest import FIRST, list_mailing, mailing, quick_mailing
from tests.engine.test_planner import DONE, said
from tests.fakes.front import PlayedFront, ended, listed
from tests.schemas.documents import problems


def personal(texts: Sequence[str], start: int = FIRST, *, link: str = "") -> Chunk:
    """People of a personal mailing with their own texts."""
    found = array("q", range(start, start + len(texts)))
    more = {"button_link": link} if link else {}
    pairs = zip(found, texts, strict=True)
    elements = [json.dumps({"phone": str(phone), "text": text} | more, ensure_ascii=False).encode() for phone, text in pairs]
    return Chunk(found, bytes(FINGERPRINT_BYTES * len(found)), array("I", map(len, elements)), b"".join(elements))


def render(*words: Word, name: str | None = None, phone: int | None = None, limit: int = 3, longest: bool = False) -> list[Message]:
    wanted = Wanted(mailing=name, phone=phone, limit=limit, longest=longest)
    return rendered(PlayedFront(*words, DONE).as_front(), ["campaigns/spring.yaml"], "live", wanted)


ONE = replace(mailing("one"), message_type="personal", content={"type": "text", "text": "for all"}, schedule_shown="tomorrow")
TWO = replace(mailing("two"), message_type="personal")
WORDS = (
    ONE, personal(["a", "bb"]), personal(["ccc", "dd", "eee"], FIRST + 2), ended(5),
    TWO, personal(["x", "y"]), ended(2),
)  # fmt: skip


def shown(found: Sequence[Message]) -> list[tuple[str, int, str]]:
    return [(one.mailing, one.phone - FIRST, one.text) for one in found]


def test_the_first_of_each_mailing_are_shown_across_chunks_and_no_more() -> None:
    assert shown(render(*WORDS, limit=3)) == [("one", 0, "a"), ("one", 1, "bb"), ("one", 2, "ccc"), ("two", 0, "x"), ("two", 1, "y")]


def test_a_limit_that_is_reached_within_a_chunk_is_kept() -> None:
    assert shown(render(*WORDS, limit=1)) == [("one", 0, "a"), ("two", 0, "x")]


def test_one_mailing_is_shown_without_the_others() -> None:
    assert shown(render(*WORDS, name="two", limit=9)) == [("two", 0, "x"), ("two", 1, "y")]
    assert render(*WORDS, name="three") == []


def test_one_phone_is_found_in_each_mailing_that_has_it_and_nowhere_else() -> None:
    assert shown(render(*WORDS, phone=FIRST + 1)) == [("one", 1, "bb"), ("two", 1, "y")]
    assert shown(render(*WORDS, phone=FIRST + 4)) == [("one", 4, "eee")]
    assert render(*WORDS, phone=FIRST + 999) == []


def test_one_phone_is_shown_no_more_than_the_limit() -> None:
    assert shown(render(ONE, personal(["a"]), personal(["b"]), ended(2), phone=FIRST, limit=1)) == [("one", 0, "a")]


def test_the_longest_text_of_each_mailing_is_the_first_of_equals() -> None:
    assert shown(render(*WORDS, longest=True)) == [("one", 2, "ccc"), ("two", 0, "x")]


def test_texts_are_measured_in_characters() -> None:
    """Cyrillic takes two bytes a letter: the longer text is that with more letters."""
    assert shown(render(ONE, personal(["привет", "goodbye"]), ended(2), longest=True)) == [("one", 1, "goodbye")]


def test_an_own_text_and_link_go_before_the_mailing_s() -> None:
    one = replace(
        ONE, content={"type": "all", "text": "for all", "button_link": "https://a.by", "image_url": "https://i.by", "caption": "Go"}
    )
    [message] = render(one, personal(["mine"], link="https://b.by"), ended(1))
    assert (message.text, message.button_link, message.image_url, message.caption) == ("mine", "https://b.by", "https://i.by", "Go")
    [message] = render(one, personal(["mine"]), ended(1))
    assert message.button_link == "https://a.by"


def test_a_bulk_mailing_shows_its_one_text_to_everybody() -> None:
    found = render(*said(2, name="bulk"))
    assert shown(found) == [("bulk", 0, "Hi"), ("bulk", 1, "Hi")]
    assert [(one.campaign, one.type, one.button_link, one.at) for one in found] == [("spring", "text", "", "")] * 2


def test_the_time_is_shown_as_the_author_may_read_it() -> None:
    assert {one.at for one in render(*WORDS, name="one")} == {"tomorrow"}


@pytest.mark.parametrize("words", [(), (ONE, ended(0))])
def test_nobody_gets_no_message(words: tuple[Word, ...]) -> None:
    assert render(*words) == []


def test_elements_that_are_not_one_a_person_are_refused() -> None:
    short = personal(["a", "b"])
    with pytest.raises(ValueError, match="zip"):
        render(ONE, replace(short, lengths=short.lengths[:1]), ended(2))


def test_a_quick_message_is_shown_as_its_person_gets_it() -> None:
    quick = quick_mailing(content={"type": "button", "caption": "Open"}, image=b"bytes", image_name="a.png")
    [one, two] = render(quick, personal(["a", "b"], link="https://b.by"), ended(2))
    assert (one.phone, one.list_id, one.text, one.button_link, one.caption) == (FIRST, "", "a", "https://b.by", "Open")
    assert (one.image_url, two.text) == ("a.png", "b")


def test_a_list_is_shown_once_by_its_number() -> None:
    words = (list_mailing(content={"type": "text", "text": "News"}, schedule_shown="tomorrow"), listed(), ended(1))
    for wanted in ({}, {"longest": True}, {"name": "news"}):
        [one] = render(*words, **wanted)
        assert (one.list_id, one.text, one.at) == ("77", "News", "tomorrow")
    assert render(*words, phone=FIRST) == []


@pytest.mark.parametrize("reveal", [True, False])
def test_what_is_printed_of_them_fits_the_schema(reveal: bool) -> None:
    quick = quick_mailing(content={"type": "text"})
    words = (quick, personal(["a"]), ended(1), list_mailing(content={"type": "text", "text": "News"}), listed(), ended(1))
    found = render(*words)
    document = messages_document(found, reveal=reveal, sandbox=True)
    assert problems("render", document) == []
    assert [(one["phone"] is None, one["list_id"]) for one in document["messages"]] == [(False, None), (True, "77")]
    text = "".join(message_text(one, reveal=reveal) for one in found)
    assert "spring/news to list 77\n  | News\n" in text
    assert (str(FIRST) in text) == reveal
