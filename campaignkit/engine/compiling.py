"""The whole audience as request bodies, without state, clock or chance."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence

from campaignkit.engine.calls import encoded, form_fields
from campaignkit.engine.packing import PackedBatch, Packer, requests
from campaignkit.engine.spool import Spool
from campaignkit.intake.talk import Front
from campaignkit.model.mailings import BULK, QUICK, Mailing, MailingKey
from campaignkit.model.settings import Environment, Project
from campaignkit.protocol.messages import Chunk, Done, MailingEnd
from campaignkit.wire.bulk import encode_request
from campaignkit.wire.callbacks import PLACEHOLDER_SECRET, callback_address
from campaignkit.wire.names import PLACEHOLDER_TAG, batch_name


def compiled(
    front: Front, project: Project, environment: Environment, paths: Sequence[str], spool: Spool
) -> Iterator[tuple[str, bytes]] | None:
    """Every request as (a name for its file, its body); None if the front child broke down.

    Whether anything is wrong with the definitions stands in `front.diagnostics` when this returns.
    """
    batches: list[PackedBatch] = []
    packer: Packer | None = None
    finished = False
    for word in front.run(paths, environment=environment.name, elements=True):
        if isinstance(word, Mailing):
            packer = Packer(mailing=word, spool=spool, batch_size=project.batch_size, first=project.first_batch, canary=True)
        elif isinstance(word, Chunk) and packer is not None:
            packer.add(word, None)
        elif isinstance(word, MailingEnd) and packer is not None:
            batches += packer.finish()
        else:
            finished = isinstance(word, Done)
    return _bodies(batches, project, environment, spool) if finished else None


def _bodies(batches: Sequence[PackedBatch], project: Project, environment: Environment, spool: Spool) -> Iterator[tuple[str, bytes]]:
    of = Counter(batch.mailing.key for batch in batches)
    for group in requests(batches, project.batches_per_request):
        first = group[0]
        file = f"{first.mailing.key.campaign}-{first.mailing.key.mailing}-{first.number:06d}"
        names = [_name(batch, of) for batch in group]
        if first.mailing.method != BULK:
            yield file, _form(first, names[0], spool)
            continue
        parts = [encoded(batch, name, spool) for batch, name in zip(group, names, strict=True)]
        url = environment.callback_url
        yield file, encode_request(parts, callback_url=callback_address(url, PLACEHOLDER_SECRET) if url else None)


def _name(batch: PackedBatch, of: Counter[MailingKey]) -> str:
    key = batch.mailing.key
    return batch_name(key.campaign, key.mailing, batch.number, of[key], PLACEHOLDER_TAG)


def _form(batch: PackedBatch, name: str, spool: Spool) -> bytes:
    """A request of the other methods: its fields by their names; of a picture the name and the SHA-256."""
    mailing = batch.mailing
    fields: dict[str, object] = dict(form_fields(batch, name, spool))
    if mailing.image:
        fields["image"] = {"file": mailing.image_name, "sha256": hashlib.sha256(mailing.image).hexdigest()}
    method = "sendQuickViberMessage" if mailing.method == QUICK else "sendViberMessageList"
    return json.dumps({"method": method, "form": fields}, ensure_ascii=False, separators=(",", ":")).encode()
