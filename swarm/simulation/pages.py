"""What a browser without script reads from a page: its forms, its choices, what it watches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

import msgspec


@dataclass(slots=True)
class Button:
    """A button that sends a value with its form."""

    name: str
    value: str
    text: str = ""
    author: str = ""
    """Who wrote the message it stands in."""


@dataclass(slots=True)
class Form:
    """A form that posts: what it would send untouched, and what one may choose."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """By field: value and words."""
    about: str = ""
    """The link that stands before it."""
    buttons: list[Button] = field(default_factory=list)

    def value_of(self, name: str, words: str) -> str | None:
        """The value of the choice that reads so."""
        return next((value for value, text in self.choices.get(name, ()) if text.strip() == words), None)


class Live(msgspec.Struct, frozen=True):
    """What a page watches, and where."""

    epoch: str
    streams: dict[str, int]
    at: str = "/live"


class Page(HTMLParser):
    """One page, read once."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.live: Live | None = None
        self.me = ""
        self._by_id: dict[str, Form] = {}
        self._form: Form | None = None
        self._select = ""
        self._author = ""
        self._texts: list[tuple[str, list[str]]] = []
        self._choice: tuple[Form, str, str] | None = None
        self.feed(html)

    def form(self, action: str) -> Form | None:
        """The form that posts there."""
        return next((form for form in self.forms if form.action == action), None)

    def forms_to(self, ending: str) -> list[Form]:
        """Every form whose address ends so."""
        return [form for form in self.forms if form.action.endswith(ending)]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what matters."""
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._begin_form(said)
        elif tag == "input":
            self._input(said)
        elif tag == "select":
            self._select = said.get("name", "")
        elif tag == "option" and self._form is not None:
            self._begin_choice(self._form, self._select, said.get("value", ""))
            if "selected" in said:
                self._form.fields[self._select] = said.get("value", "")
        elif tag == "button":
            self._button(said)
        elif tag == "a" and "href" in said:
            self.links.append(said["href"])
        elif tag == "article":
            self._author = said.get("data-author", "")
        elif tag == "body":
            self.me = said.get("data-me", "")
        elif tag == "meta" and said.get("name") == "swarm-live":
            watched = msgspec.json.decode(said["content"], type=Live)
            self.live = Live(watched.epoch, watched.streams, said.get("data-at", "") or "/live")

    def handle_endtag(self, tag: str) -> None:
        """Forget what ended."""
        if tag == "form":
            self._form = None
        elif tag == "article":
            self._author = ""
        elif tag in {"label", "option", "button"}:
            self._end_text()

    def handle_data(self, data: str) -> None:
        """Words of the choice or button that is open."""
        if self._texts:
            self._texts[-1][1].append(data)

    def _begin_form(self, said: Mapping[str, str]) -> None:
        self._form = Form(said.get("action", ""), about=self.links[-1] if self.links else "")
        if "id" in said:
            self._by_id[said["id"]] = self._form
        if said.get("method", "").lower() == "post":
            self.forms.append(self._form)

    def _input(self, said: Mapping[str, str]) -> None:
        name, kind = said.get("name", ""), said.get("type", "text")
        if self._form is None or not name or kind == "file":
            return
        if kind in {"checkbox", "radio"}:
            self._begin_choice(self._form, name, said.get("value", ""))
            if "checked" in said:
                self._form.fields[name] = said.get("value", "")
        else:
            self._form.fields[name] = said.get("value", "")

    def _button(self, said: Mapping[str, str]) -> None:
        form = self._by_id.get(said["form"]) if "form" in said else self._form
        if form is None or "name" not in said:
            return
        form.buttons.append(Button(said["name"], said.get("value", ""), author=self._author))
        self._texts.append(("button", []))
        self._choice = None
        self._pressed = form.buttons[-1]

    def _begin_choice(self, form: Form, name: str, value: str) -> None:
        self._end_text()
        self._choice = (form, name, value)
        self._texts.append(("choice", []))

    def _end_text(self) -> None:
        if not self._texts:
            return
        kind, parts = self._texts.pop()
        words = " ".join("".join(parts).split())
        if kind == "button":
            self._pressed.text = words
        elif self._choice is not None:
            form, name, value = self._choice
            form.choices.setdefault(name, []).append((value, words))
            self._choice = None
