"""How the token is read, and where it is gone from afterwards."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from campaignkit.cli.secrets import read_token
from campaignkit.engine.applier import ApplyJob
from campaignkit.errors import RefusedError
from campaignkit.model.secret import Secret, SecretBytes
from campaignkit.model.settings import Environment, ProviderBehaviour
from campaignkit.provider.send import BulkSender
from campaignkit.wire.bulk import encode_request
from tests.canary import HOLDER, TOKEN, assert_hidden, shown

LIVE = Environment(name="live", base_url="https://app.example.by", state="s.db")
SOMEBODY = 54_321


@pytest.fixture
def holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A token file of an ordinary user, also where the tests are run by root."""
    path = tmp_path / HOLDER
    path.write_text(f"{TOKEN}\n", "utf-8")
    path.chmod(0o600)
    if os.geteuid() == 0:
        os.chown(path, SOMEBODY, -1)
        monkeypatch.setattr(os, "geteuid", lambda: SOMEBODY)
    monkeypatch.setenv("CAMPAIGNKIT_TOKEN_LIVE_FILE", str(path))
    return path


def refusal() -> str:
    with pytest.raises(RefusedError) as caught:
        read_token(LIVE)
    assert_hidden(shown(caught.value))
    return f"{caught.value.message} {caught.value.next_command}"


def test_the_token_is_gone_from_the_environment_once_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMPAIGNKIT_TOKEN_LIVE", TOKEN)
    monkeypatch.setenv("CAMPAIGNKIT_TOKEN", f"other-{TOKEN}")
    assert read_token(LIVE) == TOKEN
    child = subprocess.run([sys.executable, "-c", "import os; print(dict(os.environ))"], capture_output=True, text=True, check=True)
    assert_hidden(child.stdout, repr(dict(os.environ)))


def test_whoever_holds_the_token_leaves_no_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMPAIGNKIT_TOKEN_LIVE", TOKEN)
    read_token(LIVE)
    assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)


@pytest.mark.parametrize("value", ["", " ", f"Bearer {TOKEN}", f'"{TOKEN}"', f"'{TOKEN}", f"{TOKEN}\nx", f"{TOKEN}é", TOKEN * 200])
def test_what_is_no_token_is_refused_unseen(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CAMPAIGNKIT_TOKEN_LIVE", value)
    assert "CAMPAIGNKIT_TOKEN_LIVE" in refusal()


def test_a_token_file_of_its_owner_alone_is_read(holder: Path) -> None:
    assert read_token(LIVE) == TOKEN


def test_a_link_leads_to_the_file_that_counts(holder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Orchestrators mount secrets as links; a mode that is wrong is wrong behind a link, too."""
    link = holder.with_name("link")
    link.symlink_to(holder)
    monkeypatch.setenv("CAMPAIGNKIT_TOKEN_LIVE_FILE", str(link))
    assert read_token(LIVE) == TOKEN
    holder.chmod(0o640)
    assert "can be read by others" in refusal()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602])
def test_a_token_file_open_to_others_is_refused_with_the_way_out(holder: Path, mode: int) -> None:
    holder.chmod(mode)
    said = refusal()
    assert "by others" in said
    assert said.endswith('chmod 600 "$CAMPAIGNKIT_TOKEN_LIVE_FILE"')


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_whose_file_it_is_counts(holder: Path) -> None:
    os.chown(holder, SOMEBODY + 1, -1)
    assert "belongs to somebody else" in refusal()
    os.chown(holder, 0, -1)
    holder.chmod(0o444)  # as an orchestrator mounts it: nobody can choose its mode
    assert read_token(LIVE) == TOKEN
    holder.chmod(0o666)
    assert "can be changed by others" in refusal()


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.write_bytes(b"x" * 5000), lambda _: None])
def test_what_is_no_small_file_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], object]) -> None:
    make(tmp_path / "odd")
    monkeypatch.setenv("CAMPAIGNKIT_TOKEN_FILE", str(tmp_path / "odd"))
    assert "CAMPAIGNKIT_TOKEN_FILE" in refusal()


def test_what_holds_the_token_does_not_show_it() -> None:
    nothing = dict.fromkeys(("plan", "batches", "spool", "store", "sender", "clock", "entropy", "chance", "stop", "tell", "spill"))
    job = ApplyJob(**nothing, token=Secret(TOKEN))  # type: ignore[arg-type]  # only its words are asked for
    assert_hidden(repr(job), repr(Secret(TOKEN)), repr([SecretBytes(TOKEN.encode())]), f"{Secret(TOKEN)!r}")
    body = encode_request([], token=Secret(TOKEN))
    assert TOKEN.encode() in body
    assert_hidden(repr(body))


def test_a_traceback_with_variables_shows_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """As debuggers and prettier tracebacks print them: every frame of ours between the intent and the caller."""

    def intent() -> bool:
        raise LookupError

    sender = BulkSender("http://127.0.0.1:1", Secret(TOKEN), connect_timeout=1, deadline=1, policy=ProviderBehaviour())
    body = encode_request([b"{}"], token=Secret(TOKEN))
    monkeypatch.setattr("campaignkit.provider.connection.Connection.open", lambda _: None)
    with pytest.raises(LookupError) as caught:
        sender.send_bulk(body, intent=intent)
    assert_hidden(shown(caught.value))
