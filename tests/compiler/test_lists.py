"""What the child says of a mailing to a list of the provider: one delivery and its one text."""

from __future__ import annotations

import pytest

from campaignkit.compiler.fingerprints import fingerprints_of
from campaignkit.compiler.lists import list_chunk, list_end
from campaignkit.protocol.messages import Chunk
from campaignkit.wire.bulk import check_elements

from .rules import listed, sound

BUTTON = "{type: button, text: 'See http://b.by/x and https://a.by/y', caption: C, button_link: https://a.by/}"


@pytest.mark.parametrize("elements", [True, False])
def test_a_list_is_one_delivery_that_passes_between_the_processes(elements: bool) -> None:
    one = sound(listed(BUTTON))
    chunk = list_chunk(one, elements=elements)
    assert (list(chunk.phones), chunk.elements) == ([0], b'"list"' if elements else b"")
    assert [chunk.fingerprints] == fingerprints_of(one)(["See http://b.by/x and https://a.by/y"], ["https://a.by/"])
    assert Chunk.unpack(chunk.pack()) == chunk
    if elements:
        check_elements(chunk.elements, chunk.phones, "list")


def test_figures_are_those_of_the_one_text() -> None:
    end = list_end(sound(listed(BUTTON)), "outline")
    assert (end.rows, end.live, end.filtered, end.invalid, end.duplicate, end.suppressed) == (1, 1, 0, 0, 0, 0)
    assert (end.shortest, end.longest, end.characters) == (36, 36, 36)
    assert end.hosts == {"a.by": 2, "b.by": 1}
    assert (end.sample, end.sample_link, end.sample_phone) == ("See http://b.by/x and https://a.by/y", "https://a.by/", 0)
    assert (end.audience, end.outline) == ("", "outline")


def test_a_picture_alone_has_no_text_and_no_host() -> None:
    end = list_end(sound(listed("{type: image, image_url: https://a.by/a.png}")), "")
    assert (end.sample, end.sample_link, end.longest, end.hosts) == ("", "", 0, {})


def test_another_text_link_or_list_is_another_fingerprint() -> None:
    texts = (
        listed(),
        listed('{type: text, text: "Ho"}'),
        listed().replace("77", "78"),
        listed(BUTTON),
        listed(BUTTON.replace("by/}", "by/z}")),
    )
    assert len({list_chunk(sound(text), elements=False).fingerprints for text in texts}) == len(texts)
