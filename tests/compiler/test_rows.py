"""Every row has one fate, in the contract's order, and what is packed is what was rendered."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaignkit.protocol.messages import CHUNK_ROWS, Chunk
from campaignkit.wire.bulk import check_elements

from .rules import FIRST, PICTURE, mailing, quick, run, sound

NAMED = '{type: text, text: "Hi {{ name }}"}'
GOOD = [f"37529111111{n}" for n in range(10)]
WRITINGS = ["375291111111", "+375 29 111-11-11", "80291111112", "375291111113", "375 29 1111113", "", "abc", "375172000000", "+48512345678"]
HEADER = ["phone", "name", "tier"]
IMAGE, IMAGE_URL = "{type: image, image: a.png}", "{type: image, image_url: https://a.by/a.png}"

audiences = st.lists(
    st.tuples(st.sampled_from(WRITINGS), st.sampled_from(["Ann", "Bob", "", "a\x00b", "a\r\nb", 'q"\\'])), max_size=14
)  # fmt: skip
policies = st.fixed_dictionaries(
    {
        "on_conflict": st.sampled_from(["fail", "first", "skip"]),
        "on_invalid": st.sampled_from(["fail", "skip"]),
        "where": st.sampled_from(["tier == 'gold'", "name != 'Bob'", "name | int > 0"]),
    }
)


@settings(deadline=None, max_examples=300)
@given(audiences, policies, st.frozensets(st.sampled_from([375291111111, 375291111113])))
def test_every_row_is_counted_once(rows: list[tuple[str, str]], policy: dict[str, str], suppressed: frozenset[int]) -> None:
    fields = ", ".join(f'{name}: "{value}"' for name, value in policy.items())
    one = mailing(NAMED, audience=f"{{file: a.csv, {fields}}}")
    done = run(one, HEADER, [(phone, name, "gold") for phone, name in rows], suppressed=suppressed)
    counts = done.counts
    assert counts["rows"] == len(rows) == sum(counts[name] for name in ("filtered", "invalid", "duplicate", "suppressed", "live"))
    assert len(done.phones) == counts["live"] == len(set(done.phones))
    assert not suppressed & set(done.phones)
    for phone, element in zip(done.phones, done.elements, strict=True):
        found = json.loads(element)
        assert found["phone"] == str(phone)
        assert found["text"] in {f"Hi {name}".replace("\r\n", "\n") for _, name in rows}


LINKED = '{type: button, text: "{{ name }}", caption: C, button_link: "https://a.by/{{ name | urlencode }}?{{ tier }}"}'


@settings(deadline=None, max_examples=300)
@given(audiences, policies)
def test_rows_rendered_at_once_and_one_by_one_come_to_the_same(rows: list[tuple[str, str]], policy: dict[str, str]) -> None:
    fields = ", ".join(f'{name}: "{value}"' for name, value in policy.items())
    one = mailing(LINKED, audience=f"{{file: a.csv, {fields}}}")
    both = [run(one, HEADER, [(phone, name, "gold") for phone, name in rows], together_from=many) for many in (1, 1000)]
    assert len({str((done.phones, done.elements, done.counts, done.problems, done.loop.figures)) for done in both}) == 1


@pytest.mark.parametrize(
    ("row", "before", "fate"),
    [
        (("bad", "x", "no"), [], "filtered"),
        (("bad", "x", "gold"), [], "invalid"),
        ((GOOD[1], "x", "no"), [], "filtered"),
        ((GOOD[0], "x", "gold"), [(GOOD[0], "x", "gold")], "duplicate"),
        ((GOOD[1], "x", "gold"), [], "suppressed"),
        ((GOOD[1], "a\x00", "gold"), [], "invalid"),
        ((GOOD[1], "x", "gold"), [(GOOD[1], "x", "gold")], "duplicate"),
        ((GOOD[0], "y", "gold"), [(GOOD[0], "x", "gold")], "invalid"),
        ((GOOD[2], "x", "gold"), [], "live"),
    ],
)
def test_the_first_fate_that_fits_is_the_rows(row: tuple[str, str, str], before: list[tuple[str, str, str]], fate: str) -> None:
    one = mailing(NAMED, audience="{file: a.csv, where: tier == 'gold'}")
    suppressed = frozenset({int(GOOD[1])})
    earlier = run(one, HEADER, before, suppressed=suppressed).counts
    counts = run(one, HEADER, [*before, row], suppressed=suppressed).counts
    assert {name for name in counts if counts[name] != earlier[name]} == {"rows", fate}


def named(audience: str, rows: list[tuple[str, str]]) -> tuple[dict[str, int], list[str], list[int]]:
    done = run(mailing(NAMED, audience=audience), ["phone", "name"], rows)
    return done.counts, done.codes, done.phones


CLASH = [(GOOD[0], "x"), (GOOD[1], "y"), ("8" + GOOD[0][3:].rjust(10, "0"), "z"), (GOOD[0], "x")]


def test_one_phone_with_other_content_fails_with_the_first_row_named() -> None:
    done = run(mailing(NAMED), ["phone", "name"], CLASH)
    (found,) = done.problems
    assert (found.code, str(found.severity), found.place.row, found.place.line) == ("CK311", "error", 3, 4)
    assert "row 1" in found.message
    assert GOOD[0] not in found.message
    assert done.counts["duplicate"] == 1


def test_on_conflict_first_keeps_the_first_row() -> None:
    counts, found, phones = named("{file: a.csv, on_conflict: first}", CLASH)
    assert (counts["duplicate"], counts["live"], found, phones) == (2, 2, ["warning CK311"], [int(GOOD[0]), int(GOOD[1])])


def test_on_conflict_skip_sends_to_nobody_of_them() -> None:
    counts, found, phones = named("{file: a.csv, on_conflict: skip}", CLASH)
    assert (counts["invalid"], counts["live"], found, phones) == (3, 1, ["warning CK311"], [int(GOOD[1])])


@pytest.mark.parametrize(
    ("audience", "bad", "codes"),
    [
        ("{file: a.csv}", 1, ["error CK310"]),
        ("{file: a.csv, on_invalid: skip}", 5, ["warning CK310"] * 5),
        ("{file: a.csv, on_invalid: skip}", 6, ["warning CK310"] * 5 + ["warning CK399", "error CK312"]),
        ("{file: a.csv, on_invalid: skip, max_invalid: 0.5%}", 1, ["warning CK310", "error CK312"]),
        ("{file: a.csv, on_invalid: skip, max_invalid: 6}", 6, ["warning CK310"] * 5 + ["warning CK399"]),
        ("{file: a.csv, on_invalid: skip, max_invalid: 100%}", 100, ["warning CK310"] * 5 + ["warning CK399"]),
        ("{file: a.csv}", 60, ["error CK310"] * 50 + ["error CK399"]),
    ],
)
def test_bad_rows_fail_or_are_left_out_up_to_a_share(audience: str, bad: int, codes: list[str]) -> None:
    rows = [("nobody", "x")] * bad + [(f"3752911{n:05d}", "x") for n in range(100 - bad)]
    counts, found, _ = named(audience, rows)
    assert (counts["invalid"], found) == (bad, codes)


@pytest.mark.parametrize(("audience", "severity"), [("{file: a.csv}", "warning"), ("{file: a.csv, on_empty: fail}", "error")])
def test_empty_cells_of_used_columns_are_counted(audience: str, severity: str) -> None:
    done = run(mailing(NAMED, audience=audience), HEADER, [(GOOD[0], "", "x"), (GOOD[1], "x", ""), (GOOD[2], "", "")])
    assert done.codes == [f"{severity} CK313"]
    assert "2 rows" in done.problems[0].message
    assert "rows 1, 3" in done.problems[0].message


def test_odd_phones_and_long_texts_are_said_once_with_their_rows() -> None:
    done = run(mailing(NAMED), ["phone", "name"], [("375172000000", "x" * 1000), ("375172000001", "x" * 990)])
    assert done.codes == ["warning CK314", "warning CK402"]
    assert run(mailing(NAMED), ["phone", "name"], [(GOOD[0], "x" * 1000)], text="error").codes == ["error CK402"]
    assert run(mailing(NAMED), ["phone", "name"], [(GOOD[0], "x" * 1000)], text="off").codes == []


def test_no_problem_shows_a_whole_phone_or_cell() -> None:
    content = '{type: button, text: "{{ name | default(tier) }}", caption: C, button_link: "https://a.by/{{ tier }}"}'
    rows = [(GOOD[0], "Secret\x00", "x"), (GOOD[1], "Secret", "a b"), (GOOD[2], "Secret", "x" * 150), (GOOD[2], "y", "x")]
    done = run(mailing(content), HEADER, rows)
    assert done.codes == ["error CK403", "error CK404", "error CK404"]
    for found in done.problems:
        assert "Secret" not in found.message
        assert not any(phone in found.message for phone in GOOD)


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=20)


@settings(deadline=None)
@given(st.lists(st.tuples(texts, st.text("abz019-", max_size=10)), min_size=1, max_size=5))
def test_elements_are_the_json_of_what_was_rendered(values: list[tuple[str, str]]) -> None:
    one = mailing('{type: button, text: "{{ name }}!", caption: C, button_link: "https://a.by/{{ tier }}"}')
    rows = [(GOOD[n], name, tier) for n, (name, tier) in enumerate(values)]
    done = run(one, HEADER, rows)
    wanted = [{"phone": phone, "text": f"{name}!", "button_link": f"https://a.by/{tier}"} for phone, name, tier in rows]
    assert [json.loads(element) for element in done.elements] == wanted
    assert done.phones == [int(phone) for phone, _, _ in rows]


def test_a_button_without_a_text_and_a_bulk_phone_have_their_shapes() -> None:
    one = mailing('{type: button, caption: C, button_link: "https://a.by/{{ name }}"}')
    assert run(one, ["phone", "name"], [(GOOD[0], "x")]).elements == [f'{{"phone":"{GOOD[0]}","button_link":"https://a.by/x"}}']
    bulk = mailing('{type: text, text: "Hi"}', kind="bulk")
    done = run(bulk, ["phone"], [(GOOD[0],), (GOOD[0],), (GOOD[1],)])
    assert done.elements == [f'"{GOOD[0]}"', f'"{GOOD[1]}"']
    assert (done.counts["duplicate"], done.loop.figures.characters) == (1, 4)


@pytest.mark.parametrize("people", [0, 1, CHUNK_ROWS - 1, CHUNK_ROWS, CHUNK_ROWS + 1, 2 * CHUNK_ROWS])
def test_chunks_are_full_but_for_the_last(people: int) -> None:
    rows = [(f"37529{1000000 + n}", "x") for n in range(people)]
    done = run(mailing(NAMED), ["phone", "name"], rows)
    sizes = [len(chunk.phones) for chunk in done.chunks]
    assert sum(sizes) == people
    assert all(size == CHUNK_ROWS for size in sizes[:-1])
    assert all(Chunk.unpack(chunk.pack()) == chunk for chunk in done.chunks)


def test_a_chunk_of_long_texts_fits_a_frame() -> None:
    rows = [(f"37529{1000000 + n}", "я" * 9_990) for n in range(600)]
    done = run(mailing(NAMED), ["phone", "name"], rows, text="off")
    assert len(done.chunks) > 1
    assert max(len(chunk.pack()) for chunk in done.chunks) < 8 * 1024 * 1024
    assert len(done.phones) == 600


def test_fingerprints_are_equal_for_equal_content_and_differ_otherwise() -> None:
    done = run(mailing(NAMED), ["phone", "name"], [(GOOD[0], "x"), (GOOD[1], "x"), (GOOD[2], "y")])
    prints = done.chunks[0].fingerprints
    assert prints[:16] == prints[16:32] != prints[32:48]


def test_figures_tell_of_lengths_hosts_and_the_first_message() -> None:
    one = mailing('{type: button, text: "{{ name }} https://b.by/x", caption: C, button_link: "https://a.by/{{ name }}"}')
    figures = run(one, ["phone", "name"], [(GOOD[0], "x"), (GOOD[1], "yyy")]).loop.figures
    assert (figures.shortest, figures.longest, figures.characters) == (16, 18, 34)
    assert dict(figures.hosts) == {"a.by": 2, "b.by": 2}
    assert (figures.sample, figures.sample_link, figures.sample_phone) == ("x https://b.by/x", "https://a.by/x", int(GOOD[0]))


def test_quick_messages_are_personal_elements_and_a_picture_alone_has_a_phone_only() -> None:
    button = sound(quick("{type: button, text: 'Hi {{ name }}', caption: C, button_link: 'https://a.by/{{ name }}'}"))
    done = run(button, ["phone", "name"], [(GOOD[0], "x"), (GOOD[1], "y")])
    assert done.elements == [
        f'{{"phone":"{phone}","text":"Hi {name}","button_link":"https://a.by/{name}"}}' for phone, name in ((GOOD[0], "x"), (GOOD[1], "y"))
    ]
    check_elements(",".join(done.elements).encode(), done.phones, "quick")
    for content, images in ((IMAGE_URL, {}), (IMAGE, PICTURE)):
        done = run(sound(quick(content), images), ["phone"], [(GOOD[0],), (GOOD[0],), (GOOD[1],)], suppressed=frozenset({int(GOOD[2])}))
        assert done.elements == [f'{{"phone":"{GOOD[0]}"}}', f'{{"phone":"{GOOD[1]}"}}']
        assert (done.codes, done.counts["duplicate"], done.loop.figures.characters) == ([], 1, 0)
        check_elements(",".join(done.elements).encode(), done.phones, "quick")


def test_the_same_text_by_another_method_or_with_an_sms_is_another_fingerprint() -> None:
    rows = [(GOOD[0], "x")]
    ones = (
        mailing(NAMED, head="alphaname_id: 12"),
        sound(quick(NAMED)),
        sound(quick(NAMED, "sms_fallback: {alphaname_id: 7, after_minutes: 30}")),
        sound(quick(NAMED, "sms_fallback: {alphaname_id: 7, after_minutes: 5}")),
    )
    assert len({run(one, ["phone", "name"], rows).chunks[0].fingerprints for one in ones}) == len(ones)
    pictures = [{FIRST: ("campaigns/a.png", digest * 32)} for digest in ("ab", "cd")]
    assert len({run(sound(quick(IMAGE), one), ["phone"], [(GOOD[0],)]).chunks[0].fingerprints for one in pictures}) == 2


def test_a_bad_text_of_a_quick_message_is_an_error_of_its_row() -> None:
    done = run(sound(quick('{type: text, text: "{{ name }}"}')), ["phone", "name"], [(GOOD[0], "a\x00"), (GOOD[1], "b")])
    assert (done.codes, done.phones) == (["error CK403"], [int(GOOD[1])])
