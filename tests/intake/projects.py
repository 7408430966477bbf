"""Small projects in a folder, and the talk with the real child about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from campaignkit.diagnostics import Diagnostic
from campaignkit.intake.talk import Front, Word
from campaignkit.model.mailings import Mailing
from campaignkit.protocol.messages import Chunk, Done, MailingEnd

PROJECT = """\
version: 1
senders: {shop: {alphaname_id: 444}}
environments: {sandbox: {base_url: sandbox, state: state/sandbox.db}}
"""
SETTINGS = PROJECT.replace("{alphaname_id: 444}", "{alphaname_id: 444, vibername_id: 12}")  # quick messages and lists go by a Viber name
PEOPLE = "phone,name\n375291111111,Анна\n+375 29 222-22-22,Пётр\n"
PERSONAL = """\
campaign: {id}
sender: shop
mailings:
  - name: one
    message_type: personal
    audience: {{file: audiences/people.csv}}
    content: {{type: text, text: "Hi {{{{ name }}}}"}}
"""
BULK = """\
campaign: {id}
sender: shop
mailings:
  - name: one
    message_type: bulk
    audience: {{phones: [375291111111, "+375 29 222-22-22"]}}
    content: {{type: text, text: {text}}}
"""


def personal(name: str = "spring") -> str:
    return PERSONAL.format(id=name)


def bulk(text: str = "Hi", name: str = "spring") -> str:
    return BULK.format(id=name, text=text)


def quick(content: str = "{type: image, image: images/a.png}", more: str = "") -> str:
    text = personal().replace("message_type: personal", "method: quick")
    return text.replace('{type: text, text: "Hi {{ name }}"}', content) + more


def listed(content: str = "{type: text, text: Hi}", name: str = "news") -> str:
    return f"campaign: {name}\nsender: shop\nmailings:\n  - name: one\n    method: list\n    list_id: 77\n    content: {content}\n"


def project(root: Path, campaigns: dict[str, str] | None = None, *, people: str = PEOPLE, settings: str = PROJECT) -> Path:
    (root / "campaigns" / "audiences").mkdir(parents=True)
    (root / "campaignkit.yaml").write_text(settings, "utf-8")
    (root / "campaigns" / "audiences" / "people.csv").write_text(people, "utf-8")
    for name, text in (campaigns if campaigns is not None else {"a.yaml": personal()}).items():
        (root / "campaigns" / name).write_text(text, "utf-8")
    return root


@dataclass
class Talk:
    """A talk that was held."""

    words: list[Word] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)

    @property
    def codes(self) -> list[str]:
        return [problem.code for problem in self.problems]

    @property
    def done(self) -> bool:
        return any(isinstance(word, Done) for word in self.words)

    @property
    def mailings(self) -> list[Mailing]:
        return [word for word in self.words if isinstance(word, Mailing)]

    @property
    def ends(self) -> list[MailingEnd]:
        return [word for word in self.words if isinstance(word, MailingEnd)]

    @property
    def bytes(self) -> list[bytes]:
        return [word.pack() for word in self.words if isinstance(word, Chunk)]


def talk(root: Path, *, audiences: Path | None = None, check: bool = False) -> Talk:
    with Front(root, audiences=audiences) as front:
        front.project()
        paths = [head.path for head in front.index().campaigns]
        words = list(front.run(paths, environment="sandbox", elements=True, check=check))
        return Talk(words, front.diagnostics)
