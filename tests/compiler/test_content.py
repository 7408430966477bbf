"""The provider's rules on rendered content, and what tells one content from another."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaignkit.compiler.content import clean_text, common_host, link_fault, link_host, text_fault, texts_are_fine
from campaignkit.compiler.fingerprints import canonical_digest, fingerprinter


def link_of(length: int) -> str:
    return "https://shop.example.by/".ljust(length, "x")


@pytest.mark.parametrize(
    "link",
    [
        link_of(150),
        "http://a",
        "https://shop.example.by:8443/p?q=1#f",
        "https://пример.бел/ё",
        "https://a.by?x=@",
        "https://a.by/@name",
        "https://1.2.3.4/",
    ],
)
def test_a_good_link_has_no_fault_and_a_host(link: str) -> None:
    assert link_fault(link) == ""
    assert link_host(link)


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("", "empty"), (link_of(151), "151 characters"), ("shop.example.by", "begins with"), ("ftp://a.by/", "begins with"),
        ("javascript:alert(1)", "begins with"),
        ("HTTPS://a.by/", "begins with"),
        (" https://a.by/", "begins with"),
        ("//a.by", "begins with"),
        ("https://user@a.by/", "no @"),
        ("https://user:pw@a.by/", "no @"),
        ("https://a.by\\@b.by/", "no @"),
        ("https://a.by/\\x", "backslash"),
        ("https://", "no link"), ("https:///path", "no link"), ("https://a b/", "no link"), ("https://a.by/x y", "no link"),
        ("https://a.by/x\ny", "no link"), ("https://a.by/\n", "no link"), ('https://a.by/"', "no link"), ("https://a.by/<b>", "no link"),
        ("https://a.by/\x00", "no link"),
        ("https://a.by/\x1b[31m", "no link"),
        ("https://a.by/\x7f", "no link"),
        ("https://a.by/\x85", "no link"),
        ("https://a\x01.by/", "no link"),
        ("https://a.by/\ud800", "no link"),
        ("https://\udfff/", "no link"),
        ("https://a.by:999999/", "no link"),
        ("https://[::1]/", "no link"), ("https://a.by:x/", "no link"), ('https://a".by/', "no link"),
    ],
)  # fmt: skip
def test_a_bad_link_says_why(link: str, words: str) -> None:
    assert words in link_fault(link)
    assert link_host(link) is None or len(link) > 150


def test_a_picture_may_be_longer_but_must_be_a_link() -> None:
    assert link_fault(link_of(5000), longest=None) == ""
    assert "begins with" in link_fault("javascript:" + "x" * 500, longest=None)


@settings(deadline=None)
@given(st.text(max_size=40).map(lambda rest: "https://" + rest))
def test_a_link_that_passes_can_be_written_to_the_wire(link: str) -> None:
    if link_fault(link) == "":
        assert link.encode().decode().isprintable() or not link.isascii()
        assert not any(character in link for character in '"\\<> \n\r\t\x00')


@pytest.mark.parametrize("text", ["a", "a\nb\tc", "👩‍👩‍👧‍👦", "\u00a0x", "‎a\u200b", "x" * 20_000])
def test_text_may_hold_newline_tab_and_every_printing_character(text: str) -> None:
    assert text_fault(text) == ""


@pytest.mark.parametrize("mark", [*"\x00\x07\x0b\x0c\r\x1b\x7f\x80\x85\u2028\u2029", "\ud800"])
def test_any_other_control_character_is_named(mark: str) -> None:
    assert f"U+{ord(mark):04X}" in text_fault("a" + mark)


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u00a0"])
def test_an_empty_text_is_refused(text: str) -> None:
    assert "empty" in text_fault(text)


@settings(deadline=None)
@given(st.text("a\r\n", max_size=10))
def test_crlf_becomes_a_newline_and_nothing_else_changes(text: str) -> None:
    assert clean_text(text).split("\n") == text.replace("\r\n", "\n").split("\n")
    assert clean_text(text).count("\n") == text.count("\n")


some_links = st.sampled_from(
    ["https://a.by/x", "https://a.by/", "https://A.by/x", "https://a.by:8/x", "https://a.by?x", "https://a.by", "https://a.by@b/", "x",
     "https://a.by/ b", "http://a.by/x", "https://a.byx/", "https://a.by/" + "x" * 140]
)  # fmt: skip


@given(st.lists(st.one_of(some_links, st.text("htps:/ab.?#@ \u200b", max_size=12).map("https://a.by/".__add__)), min_size=1, max_size=4))
def test_a_common_host_is_that_of_each_link(links: list[str]) -> None:
    found = common_host(links)
    if found is not None:
        assert {link_host(link) for link in links} == {found}
        assert not any(map(link_fault, links))


def test_links_that_begin_alike_have_a_common_host() -> None:
    assert common_host(["https://A.by/x?y", "https://A.by/", "https://A.by/x#y"]) == "a.by"


@given(st.lists(st.text("ab \n\t\r\x00\u2028я", max_size=5), max_size=4))
def test_texts_are_fine_exactly_if_each_is(texts: list[str]) -> None:
    assert texts_are_fine(texts) == (not any(map(text_fault, texts)))


FIELDS = ["message_type", "content_type", "sender", "schedule", "image", "caption", "text", "link"]
clean = st.fixed_dictionaries({name: st.text("ab:0123", max_size=6) for name in FIELDS})


def printed(content: dict[str, str]) -> bytes:
    once = {name: value for name, value in content.items() if name not in {"text", "link"}}
    return fingerprinter(**once)([content["text"]], [content["link"]])[0]


@settings(deadline=None)
@given(clean, clean)
def test_fingerprints_are_equal_exactly_for_equal_content(one: dict[str, str], two: dict[str, str]) -> None:
    assert (printed(one) == printed(two)) == (one == two)


@pytest.mark.parametrize(("left", "right"), list(pairwise(FIELDS)))
@settings(deadline=None, max_examples=30)
@given(clean)
def test_a_character_moved_to_the_next_field_is_another_content(left: str, right: str, content: dict[str, str]) -> None:
    whole = content | {left: content[left] + "1"}
    assert printed(whole) != printed(content | {right: "1" + content[right]})


def test_a_fingerprinter_keeps_nothing_of_the_row_before() -> None:
    one = fingerprinter(message_type="personal", content_type="text", sender="1", schedule="", image="", caption="")
    [first] = one(["a"], [""])
    assert one(["b", "a", "я"], ["", "", ""])[1] == first
    assert one(["a"], [""]) == [first]
    assert len(first) == 16


def test_a_digest_knows_keys_by_name_and_lists_by_order() -> None:
    assert canonical_digest({"a": 1, "b": "я"}) == canonical_digest({"b": "я", "a": 1})
    assert canonical_digest([1, 2]) != canonical_digest([2, 1])
    assert canonical_digest({"a": 1}) != canonical_digest({"a": "1"})
