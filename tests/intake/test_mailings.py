"""Mailings by list and by quick message, as the child tells of them."""

from __future__ import annotations

from pathlib import Path

from campaignkit.protocol.messages import Chunk

from .projects import SETTINGS, listed, project, quick, talk


def test_a_list_mailing_is_one_delivery_and_all_it_says_comes_back(tmp_path: Path) -> None:
    more = "    expect_subscribers: {min: 1, max: 5}\n    optouts: handled-by-provider\n    schedule_time: 2094-12-01T10:00\n"
    found = talk(project(tmp_path, {"a.yaml": listed() + more}, settings=SETTINGS))
    assert (found.problems, [type(word).__name__ for word in found.words]) == ([], ["Mailing", "Chunk", "MailingEnd", "Done"])
    (one,) = found.mailings
    assert (one.list_id, one.expect_min, one.expect_max, one.optouts_handled) == ("77", 1, 5, True)
    assert one.schedule_wire == "2094-12-01 10:00"
    chunk = found.words[1]
    assert isinstance(chunk, Chunk)
    assert (list(chunk.phones), chunk.elements) == ([0], b'"list"')
    assert (found.ends[0].rows, found.ends[0].live, found.ends[0].sample) == (1, 1, "Hi")
    checked = talk(tmp_path, check=True)
    assert (checked.problems, checked.bytes, checked.ends) == ([], [], found.ends)


def test_a_quick_mailing_has_an_sms_that_stands_in(tmp_path: Path) -> None:
    text = quick('{type: text, text: "Hi {{ name }}"}', "    sms_fallback: {sender: shop, after_minutes: 30}\n")
    found = talk(project(tmp_path, {"a.yaml": text}, settings=SETTINGS))
    assert (found.problems, found.mailings[0].sms_alphaname_id, found.mailings[0].sms_after) == ([], "444", 30)
    assert (found.ends[0].live, found.ends[0].sample) == (2, "Hi Анна")
