"""The whole API as a library: one method for each of the eleven that SMS.by documents for Viber, named as there.

It needs no project, no state and no command line. It also keeps no memory: whoever uses it sees to it that nobody is messaged
twice. `docs/client.md` says what every result means.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from campaignkit.model.mailings import LONGEST_LINK
from campaignkit.model.secret import Secret
from campaignkit.model.settings import ProviderBehaviour
from campaignkit.provider.records import MarkClient, RecordClient
from campaignkit.provider.send import BulkSender
from campaignkit.wire.bulk import check_elements, encode_batch, encode_request
from campaignkit.wire.forms import check_fields, encode_form, list_fields, quick_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from campaignkit.model.outcomes import SendResult
    from campaignkit.wire.forms import Form
    from campaignkit.wire.records import DeliveryRow, IncomingMessage, Listing, MailingRecord, QuickStatus
    from campaignkit.wire.statuses import StatusAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class Personal:
    """One recipient of a personal message: digits as a number, the own text, for a button the own link."""

    phone: int
    text: str = ""
    button_link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkMessage:
    """One element of `messages` of `sendBulkViber`.

    Attributes:
        alphaname_id: The sender.
        name: What the provider calls it in status answers; best without a colon, and never used before.
        content: `type` (text, image or button), `text`, `image_url`, `caption`, `button_link`.
        recipients: Phones, who all get the same, or `Personal` ones.
        schedule_time: `YYYY-MM-DDTHH:mm:ss` in the provider's zone; at once when empty.
    """

    alphaname_id: str
    name: str
    content: Mapping[str, str]
    recipients: Sequence[int] | Sequence[Personal]
    schedule_time: str = ""


def granted() -> bool:
    """The intent of whoever keeps no record: always."""
    return True


class ViberClient:
    """A client of the API; a context manager, for one thread.

    The four methods that send never raise for anything the network or the provider does: they return a `SendResult`, whose
    `outcome` is one of five. `unknown` means that people may have been messaged: never repeat it blindly. Their `intent` is
    asked when the connection stands and before the first byte: record there what is about to be sent, and return False to
    stop it.

    The others only ask, are tried three times, and raise `ProviderError`; `NotVisibleError`, one of those, where the provider
    does not know the id, or not yet. No exception, result or representation holds the token.

    Args:
        base_url: Of the provider; https, or http to this machine.
        token: The API key.
        token_in: `documented`: the token is where the documentation of each method has it; `body`: always in the body.
        connect_timeout: Seconds for the connection.
        deadline: Seconds for one sending request and its answer; for the others, seconds without any byte.
        policy: How undocumented answers are read.

    Raises:
        RefusedError: The base URL cannot be sent to safely.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        token_in: str = "documented",  # noqa: S107 - the place of a token, not a token
        connect_timeout: float = 10.0,
        deadline: float = 60.0,
        policy: ProviderBehaviour | None = None,
    ) -> None:
        self._token = token = Secret(token)
        self._sender = BulkSender(
            base_url, token, connect_timeout=connect_timeout, deadline=deadline, policy=policy or ProviderBehaviour(), token_in=token_in
        )
        self._records = RecordClient(base_url, token, token_in=token_in, connect_timeout=connect_timeout, read_timeout=deadline)
        self._marks = MarkClient(base_url, token, token_in=token_in, connect_timeout=connect_timeout, read_timeout=deadline)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._records.close()
        self._marks.close()

    def send_bulk_viber(
        self, messages: Sequence[BulkMessage], *, callback_url: str | None = None, intent: Callable[[], bool] = granted
    ) -> SendResult:
        """Send mailings, each to many recipients; accepted by a `uuid` for all of them together.

        Args:
            messages: The mailings, best one at a time: an `unknown` is one for all of them.
            callback_url: Where the provider reports to.
            intent: Asked before the first byte.

        Raises:
            ValueError: A mailing breaks the documentation; nothing was sent.
        """
        batches = [_batch(message) for message in messages]
        return self._sender.send_bulk(encode_request(batches, token=self._token, callback_url=callback_url), intent=intent)

    def status_bulk_viber(self, uuid: str) -> StatusAnswer:
        """The statuses of everyone of one accepted `send_bulk_viber`."""
        return self._records.bulk_status(uuid)

    def send_quick_viber_message(
        self,
        *,
        vibername_id: str,
        phone: int,
        content: Mapping[str, str],
        image: bytes = b"",
        image_name: str = "",
        sms_alphaname_id: str = "",
        sms_after: int = 0,
        intent: Callable[[], bool] = granted,
    ) -> SendResult:
        """Send one message to one phone; accepted by a message_id, which is the result's `uuid`.

        Args:
            vibername_id: The Viber sender.
            phone: Digits as a number, with the country's code.
            content: `type` (text, image or button), `text`, `image_url`, `caption`, `button_link`.
            image: An image to upload, PNG or JPEG, instead of `image_url`.
            image_name: Its file name.
            sms_alphaname_id: Whom the SMS comes from, if there is to be one.
            sms_after: Minutes, 5 to 60, until a message that is not delivered goes out as SMS; 0: it never does.
            intent: Asked before the first byte.

        Raises:
            ValueError: Something breaks the documentation; nothing was sent.
        """
        fields = quick_fields(
            vibername_id=vibername_id, phone=phone, content=content, sms_alphaname_id=sms_alphaname_id, sms_after=sms_after
        )
        return self._sender.send_quick(self._form(fields, image, image_name), intent=intent)

    def get_viber_delivery_data(self, message_id: str) -> QuickStatus:
        """The status of one accepted `send_quick_viber_message`."""
        return self._records.quick_status(message_id)

    def send_viber_message_list(
        self,
        *,
        vibername_id: str,
        list_id: str,
        content: Mapping[str, str],
        name: str = "",
        schedule_time: str = "",
        image: bytes = b"",
        image_name: str = "",
        intent: Callable[[], bool] = granted,
    ) -> SendResult:
        """Prepare a mailing to a list of the provider; accepted by a message_id, the result's `uuid`, and the `count` of people.

        Nobody is messaged before `confirm_viber_message`.

        Args:
            vibername_id: The Viber sender.
            list_id: The list of subscribers.
            content: As for `send_quick_viber_message`.
            name: What the mailing is called; the provider makes a name up when it is empty.
            schedule_time: `YYYY-MM-DD HH:MM` in the provider's zone; at once when empty.
            image: An image to upload, PNG or JPEG, instead of `image_url`.
            image_name: Its file name.
            intent: Asked before the first byte.

        Raises:
            ValueError: Something breaks the documentation; nothing was sent.
        """
        fields = list_fields(name=name, vibername_id=vibername_id, list_id=list_id, content=content, schedule_time=schedule_time)
        return self._sender.create_draft(self._form(fields, image, image_name), intent=intent)

    def confirm_viber_message(self, message_id: str, *, intent: Callable[[], bool] = granted) -> SendResult:
        """Confirm a mailing of `send_viber_message_list`: it goes out, and money is debited. Accepted by a status OK.

        After an `unknown`, `get_viber_message_data` tells whether it counted, before anything is repeated.

        Raises:
            ValueError: The id is no text of digits; nothing was sent.
        """
        return self._sender.confirm(message_id, intent=intent)

    def get_viber_messages(self, *, limit_offset: int = 0, limit_rows: int = 100) -> Listing[MailingRecord]:
        """One page of the account's mailings; there may be more as long as its `entries` are `limit_rows`."""
        return self._records.mailings(offset=limit_offset, rows=limit_rows)

    def get_viber_message_data(self, message_id: str) -> MailingRecord:
        """One mailing of `send_viber_message_list`."""
        return self._records.mailing(message_id)

    def get_viber_delivery_list(self, message_id: str) -> Listing[DeliveryRow]:
        """Everyone of a mailing of `send_viber_message_list`, with their statuses."""
        return self._records.deliveries(message_id)

    def get_new_incoming_messages(self, message_id: str) -> Listing[IncomingMessage]:
        """The replies to a mailing that are not marked as read."""
        return self._records.incoming(message_id)

    def read_response_status(self, incoming_messages: Iterable[str]) -> int | None:
        """Mark replies as read, by their ids: the provider never gives them again, so store them first.

        Returns:
            How many the provider says it has marked, if it says so.

        Raises:
            ValueError: There are none, or one is no id of a reply.
        """
        return self._marks.mark_read(incoming_messages)

    def _form(self, fields: dict[str, str], image: bytes, image_name: str) -> Form:
        check_fields(fields, image=image)
        return encode_form(fields, token=self._token, image=image, image_name=image_name)


def _batch(message: BulkMessage) -> bytes:
    personal = [person for person in message.recipients if isinstance(person, Personal)]
    phones = [person.phone if isinstance(person, Personal) else person for person in message.recipients]
    if not phones or len(personal) not in {0, len(phones)} or not all(0 < phone < 10**15 for phone in phones):
        raise ValueError("the recipients are phones or personal ones, not both, at least one, with at most 15 digits")
    if personal and message.content.get("type") == "image":
        raise ValueError("an image has no personal recipients")
    links = [message.content.get("button_link", ""), *(person.button_link for person in personal)]
    if any(len(link) > LONGEST_LINK for link in links):
        raise ValueError(f"button_link has more than {LONGEST_LINK} characters")
    elements: list[object] = [*map(_element, personal)] or [*map(str, phones)]
    joined = ",".join(json.dumps(element, ensure_ascii=False) for element in elements).encode("utf-8")
    kind = "personal" if personal else "bulk"
    check_elements(joined, phones, kind)
    return encode_batch(
        alphaname_id=message.alphaname_id,
        name=message.name,
        message_type=kind,
        content=message.content,
        elements=joined,
        schedule_time=message.schedule_time,
    )


def _element(person: Personal) -> dict[str, str]:
    texts = {"phone": str(person.phone), "text": person.text, "button_link": person.button_link}
    return {key: value for key, value in texts.items() if value}
