"""Forms hold exactly what was put into them, by the documented names, whatever the texts and the image are."""

from __future__ import annotations

from email import message_from_bytes, policy
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.formparser import parse_form_data

from campaignkit.model.secret import Secret
from campaignkit.wire.forms import URLENCODED, Form, check_fields, encode_form, list_fields, quick_fields
from tests.canary import TOKEN, assert_hidden, shown

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20
LINK = "https://shop.example.by/w"


def test_the_documented_names_in_the_documented_order() -> None:
    content = {"type": "button", "image_url": "https://a.by/i.png", "caption": "Open"}
    fields = quick_fields(
        vibername_id="12", phone=375291111111, content=content, text="Вітаем", button_link=LINK, sms_alphaname_id="7", sms_after=30
    )
    assert list(fields.items()) == [
        ("vibername_id", "12"),
        ("phone", "375291111111"),
        ("type_message", "BUTTON"),
        ("message", "Вітаем"),
        ("image_url", "https://a.by/i.png"),
        ("button", "Open"),
        ("button_link", LINK),
        ("forwarding_message", "1"),
        ("forwarding_time", "30"),
        ("alphaname_id", "7"),
    ]
    listed = list_fields(
        name="n", vibername_id="12", list_id="77", content={**content, "text": "t", "button_link": LINK}, schedule_time="2094-12-01 10:00"
    )
    assert list(listed.items()) == [
        ("name", "n"),
        ("vibername_id", "12"),
        ("list_id", "77"),
        ("type_message", "BUTTON"),
        ("message", "t"),
        ("image_url", "https://a.by/i.png"),
        ("button", "Open"),
        ("button_link", LINK),
        ("d_schedule", "2094-12-01 10:00"),
    ]


def test_what_is_not_given_is_left_out() -> None:
    text = {"type": "text", "text": "all"}
    assert quick_fields(vibername_id="1", phone=1, content=text) == {
        "vibername_id": "1",
        "phone": "1",
        "type_message": "TEXT",
        "message": "all",
    }
    assert quick_fields(vibername_id="1", phone=1, content=text, text="own")["message"] == "own"
    assert "alphaname_id" not in quick_fields(vibername_id="1", phone=1, content=text, sms_after=5)
    assert "alphaname_id" not in quick_fields(vibername_id="1", phone=1, content=text, sms_alphaname_id="7")
    assert list(list_fields(name="", vibername_id="1", list_id="2", content=text)) == ["vibername_id", "list_id", "type_message", "message"]


@pytest.mark.parametrize("content", [{}, {"type": ""}, {"type": "video"}, {"type": "text", "colour": "x"}, {"type": "text", "token": "x"}])
def test_content_that_the_api_does_not_know(content: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="content"):
        quick_fields(vibername_id="1", phone=1, content=content)
    with pytest.raises(ValueError, match="content"):
        list_fields(name="", vibername_id="1", list_id="1", content=content)


TEXT = {"vibername_id": "1", "phone": "375291111111", "type_message": "TEXT", "message": "m"}
IMAGE = {"vibername_id": "1", "list_id": "2", "type_message": "IMAGE", "image_url": "https://a.by/i.png"}
BUTTON = {"vibername_id": "1", "phone": "1", "type_message": "BUTTON", "button": "b", "button_link": "x" * 150}


@pytest.mark.parametrize(
    ("fields", "image"),
    [
        (TEXT, b""),
        (IMAGE, b""),
        ({**IMAGE, "d_schedule": "2094-12-01 10:00"}, b""),
        ({"vibername_id": "1", "type_message": "IMAGE"}, PNG),
        (BUTTON, b""),
        (BUTTON, PNG),
        *[({**TEXT, "forwarding_time": minutes, "alphaname_id": "7"}, b"") for minutes in ("5", "9", "10", "59", "60")],
    ],
)
def test_what_the_documentation_allows(fields: dict[str, str], image: bytes) -> None:
    check_fields(fields, image=image)


def without(fields: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in fields.items() if key != name}


@pytest.mark.parametrize(
    ("fields", "image", "words"),
    [
        (without(TEXT, "message"), b"", "needs a text"),
        (TEXT, PNG, "no image"),
        ({**TEXT, "image_url": "u"}, b"", "no image"),
        (without(IMAGE, "image_url"), b"", "image or image_url"),
        (IMAGE, PNG, "not both"),
        (without(BUTTON, "button"), b"", "caption"),
        (without(BUTTON, "button_link"), b"", "button_link"),
        ({**BUTTON, "button_link": "x" * 149 + "\n\n"}, b"", "150"),
        *[({**TEXT, "forwarding_time": minutes}, b"", "5 to 60") for minutes in ("4", "61", "0", "-5", "05", "600", "x")],
        *[({**IMAGE, name: value}, b"", name) for name in ("vibername_id", "list_id", "alphaname_id") for value in ("", "x", "1 ", "١")],
        *[({**TEXT, "phone": phone}, b"", "phone") for phone in ("", "+375", "1" * 16, "375 29")],
        *[({**IMAGE, "d_schedule": time}, b"", "schedule_time") for time in ("2094-12-01T10:00", "2094-12-01 10:00:00", "soon")],
    ],
)
def test_what_it_does_not(fields: dict[str, str], image: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        check_fields(fields, image=image)
    assert "375" not in str(caught.value)


def read_back(form: Form) -> tuple[list[tuple[str, str]], list[tuple[str, str, bytes]]]:
    """Fields and files as a server's library reads them."""
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": form.content_type,
        "CONTENT_LENGTH": str(len(form.body)),
        "wsgi.input": BytesIO(form.body),
    }
    _, fields, files = parse_form_data(environ)
    read = []
    for name, file in files.items(multi=True):
        with file.stream:
            read.append((name, file.filename or "", file.stream.read()))
    return list(fields.items(multi=True)), read


names = st.sampled_from(["message", "button", "button_link", "image_url", "name", "phone", "list_id"])
hostile = st.sampled_from(["--", "\r\n", "\r\n--", "\n\n", "a&b=c", "%00", "+375", '"; name="token', "\x00", "\x85", "\u2028", "🎉", "Ў"])
texts = st.lists(hostile | st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=5).map("".join)
filled = st.dictionaries(names, texts, max_size=5)
tokens = st.just("") | st.just(TOKEN)
images = st.binary(min_size=1, max_size=200) | st.binary(max_size=50).map(lambda tail: PNG + b"\r\n--" + tail)
file_names = texts | st.sampled_from(["hello.png", "../a.png", 'a".png', "a\r\nX: y.png", "приклад.jpg"])


@given(filled, tokens)
def test_urlencoded_forms_are_read_back(fields: dict[str, str], token: str) -> None:
    form = encode_form(fields, token=token)
    expected = [*([("token", token)] if token else []), *fields.items()]
    assert form.content_type == URLENCODED
    assert parse_qsl(form.body.decode("ascii"), keep_blank_values=True) == expected
    assert read_back(form) == (expected, [])
    assert form == encode_form(fields, token=token)


@given(filled, tokens, images, file_names)
def test_multipart_forms_are_read_back(fields: dict[str, str], token: str, image: bytes, name: str) -> None:
    form = encode_form(fields, token=token, image=image, image_name=name)
    expected = [*([("token", token)] if token else []), *fields.items()]
    got, [(field, file_name, data)] = read_back(form)
    assert (got, field, data) == (expected, "image", image)
    assert file_name
    assert file_name.isascii()
    assert set(file_name) <= {*map(chr, range(128))} - {*'"\\/\r\n '}
    assert form == encode_form(fields, token=token, image=image, image_name=name)
    message: Any = message_from_bytes(b"Content-Type: %b\r\n\r\n%b" % (form.content_type.encode(), form.body), policy=policy.HTTP)
    assert len(list(message.iter_parts())) == len(expected) + 1


@given(filled, images)
def test_the_boundary_says_nothing_about_the_token_and_never_occurs(fields: dict[str, str], image: bytes) -> None:
    one, other = (encode_form(fields, token=token, image=image) for token in (TOKEN, TOKEN[::-1]))
    assert one.content_type == other.content_type
    boundary = one.content_type.partition("boundary=")[2].encode()
    assert one.body.count(boundary) == len(fields) + 3
    assert one.body.count(b"--" + boundary) == len(fields) + 3


def test_a_boundary_that_occurs_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    class Weak:
        def __init__(self, content: bytes) -> None:
            self._content = content

        def hexdigest(self) -> str:
            return "second" if self._content == b"first" else "first"

    monkeypatch.setattr("campaignkit.wire.forms.hashlib.sha256", Weak)
    form = encode_form({"message": "at first"}, image=b"data")
    assert form.content_type == "multipart/form-data; boundary=second"


@pytest.mark.parametrize(("start", "kind"), [(PNG, b"image/png"), (b"\xff\xd8\xff", b"image/jpeg"), (b"GIF", b"application/octet-stream")])
def test_an_image_says_what_it_is(start: bytes, kind: bytes) -> None:
    form = encode_form({}, image=start, image_name="")
    assert b'name="image"; filename="image"\r\nContent-Type: %b\r\n\r\n%b\r\n' % (kind, start) in form.body


@pytest.mark.parametrize("image", [b"", PNG])
def test_forms_with_a_token_hide_it_and_break_without_it(image: bytes) -> None:
    form = encode_form({"message": "m"}, token=Secret(TOKEN), image=image)
    assert_hidden(repr(form))
    with pytest.raises(ValueError, match="surrogates") as caught:
        encode_form({"message": "\ud800"}, token=Secret(TOKEN), image=image)
    assert_hidden(shown(caught.value))
