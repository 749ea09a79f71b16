"""The kinds of field a form may have, and how each is read from text or JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import inspect

from swarm.text.clean import many_lines, one_line
from swarm.text.language import _, ngettext

BIGGEST = 2**53 - 1
"""Every reader of JSON, and a database's bigint, can hold it."""
_DEFAULT_LONGEST = 1000
_SURROGATE = re.compile("[\ud800-\udfff]")
_NO_SECRET = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_WHOLE = re.compile(r"-?[0-9]{1,16}", re.ASCII)
_TRUE = frozenset({"on", "true", "yes", "1"})
_FALSE = frozenset({"", "off", "false", "no", "0"})


def OneLine(longest: int, min: int = 1) -> msgspec.Meta:
    """One trimmed line of `min` to `longest` characters."""
    return _text("line", min, longest)


def ManyLines(longest: int, min: int = 1) -> msgspec.Meta:
    """Lines of text, `min` to `longest` characters together."""
    return _text("lines", min, longest)


def Secret(longest: int, min: int = 1) -> msgspec.Meta:
    """A password or token: taken exactly as typed, never shown again."""
    return _text("secret", min, longest)


def _text(kind: str, least: int, longest: int) -> msgspec.Meta:
    # msgspec would count before we have trimmed; what is served to programs says the same bounds.
    said = {"minLength": least, "maxLength": longest} if least else {"maxLength": longest}
    return msgspec.Meta(extra={"text": kind, "min": least, "max": longest}, extra_json_schema=said)


def Number(least: int = -BIGGEST, most: int = BIGGEST) -> msgspec.Meta:
    """A whole number, both ends included."""
    return msgspec.Meta(ge=least, le=most)


def Many(most: int, least: int = 0) -> msgspec.Meta:
    """A repeated field, `least` to `most` times."""
    return msgspec.Meta(min_length=least, max_length=most)


def needed() -> str:
    return _("This is needed.")


def showable(value: str) -> str:
    """A typed value that can be put into a page again, whatever was in it."""
    return _SURROGATE.sub("\ufffd", value).replace("\0", "")


@dataclass(frozen=True)
class Kind:
    """The type of one value."""

    type: inspect.Type
    optional: bool
    extra: dict[str, Any]

    def from_text(self, value: str) -> Any:
        """The value typed as `value`; raises ValueError with a sentence."""
        kind = self.type
        if isinstance(kind, inspect.StrType):
            return self._text(value)
        if self.optional and not value.strip():
            return None
        if isinstance(kind, inspect.BoolType):
            if value.lower() in _TRUE | _FALSE:
                return value.lower() in _TRUE
            raise ValueError(_("This is neither yes nor no."))
        if isinstance(kind, inspect.IntType):
            if not _WHOLE.fullmatch(value.strip()):
                raise ValueError(_("This must be a whole number.") if value.strip() else needed())
            return self._number(int(value))
        return self._chosen(value, str)

    def from_json(self, value: Any) -> Any:
        """The value sent as JSON; raises ValueError with a sentence."""
        kind = self.type
        if value is None and self.optional:
            return None
        if isinstance(kind, inspect.StrType):
            if not isinstance(value, str):
                raise ValueError(_("This must be text."))
            return self._text(value)
        if isinstance(kind, inspect.BoolType):
            if not isinstance(value, bool):
                raise ValueError(_("This must be true or false."))
            return value
        if isinstance(kind, inspect.IntType):
            if isinstance(value, bool) or not isinstance(value, int):
                raise ValueError(_("This must be a whole number."))
            return self._number(value)
        return self._chosen(value, lambda choice: choice)

    def _text(self, value: str) -> str | None:
        least, longest = self.extra.get("min", 0), self.extra.get("max", _DEFAULT_LONGEST)
        kind = self.extra.get("text", "line")
        if kind == "secret":
            if _NO_SECRET.search(value):
                raise ValueError(_("This holds characters that cannot be used here."))
        else:
            value = one_line(value) if kind == "line" else many_lines(value)
        if not value and self.optional:
            return None
        if len(value) > longest:
            raise ValueError(
                _("At most %(most)s characters, this has %(now)s.", most=longest, now=len(value))
            )
        if not value and least:
            raise ValueError(needed())
        if len(value) < least:
            raise ValueError(ngettext("At least %(num)s character.", "At least %(num)s characters.", least))
        return value

    def _number(self, value: int) -> int:
        assert isinstance(self.type, inspect.IntType)
        least = -BIGGEST if self.type.ge is None else self.type.ge
        most = BIGGEST if self.type.le is None else self.type.le
        if value < least:
            raise ValueError(_("This must be %(least)s or more.", least=least))
        if value > most:
            raise ValueError(_("This must be %(most)s or less.", most=most))
        return value

    def _chosen(self, value: Any, told: Callable[[Any], Any]) -> Any:
        """The choice that is `told` as `value`."""
        if isinstance(self.type, inspect.EnumType):
            choices: dict[Any, Any] = {member: member.value for member in self.type.cls}
        else:
            assert isinstance(self.type, inspect.LiteralType)
            choices = {choice: choice for choice in self.type.values}
        for choice, meant in choices.items():
            if type(told(meant)) is type(value) and told(meant) == value:
                return choice
        raise ValueError(needed() if value in ("", None) else _("Choose one of the offered."))


@dataclass(frozen=True)
class Field:
    """One field of a form."""

    name: str
    kind: Kind
    make: type[list[Any]] | type[tuple[Any, ...]] | None
    """What collects a repeated field; None for a single one."""
    required: bool
    least: int
    most: int

    @property
    def repeated(self) -> bool:
        return self.make is not None

    @property
    def secret(self) -> bool:
        return self.kind.extra.get("text") == "secret"

    def from_form(self, given: list[str]) -> Any:
        """The value sent under this name, UNSET for the default; raises ValueError with a sentence."""
        if self.repeated:
            return self._many([self.kind.from_text(value) for value in given[: self.most + 1]])
        if given:
            return self.kind.from_text(given[0])
        if isinstance(self.kind.type, inspect.BoolType) and not self.kind.optional:
            # An unticked box is not sent at all.
            return False
        if self.required:
            raise ValueError(needed())
        return msgspec.UNSET

    def from_json(self, value: Any) -> Any:
        """The value of what was sent as JSON; raises ValueError with a sentence."""
        if not self.repeated:
            return self.kind.from_json(value)
        if not isinstance(value, list):
            raise ValueError(_("This must be a list."))
        return self._many([self.kind.from_json(item) for item in value[: self.most + 1]])

    def _many(self, values: list[Any]) -> list[Any] | tuple[Any, ...]:
        assert self.make is not None
        if len(values) > self.most:
            raise ValueError(ngettext("At most %(num)s.", "At most %(num)s.", self.most))
        if len(values) < self.least:
            raise ValueError(ngettext("Choose at least %(num)s.", "Choose at least %(num)s.", self.least))
        return self.make(values)


def of(form: type[msgspec.Struct]) -> Iterator[Field]:
    """The fields of a form; raises TypeError for a kind that cannot be read safely."""
    described = inspect.type_info(form)
    assert isinstance(described, inspect.StructType)
    if not described.forbid_unknown_fields:
        raise TypeError(f"{form.__name__} takes unknown fields")
    for field in described.fields:
        outer, _extra = _unwrap(field.type)
        many = outer if isinstance(outer, (inspect.ListType, inspect.VarTupleType)) else None
        kind = _kind(many.item_type if many else field.type)
        if not isinstance(
            kind.type,
            (inspect.StrType, inspect.IntType, inspect.BoolType, inspect.EnumType, inspect.LiteralType),
        ):
            raise TypeError(f"{form.__name__}.{field.name} has a kind that no form can carry")
        if many is None:
            yield Field(field.name, kind, None, field.required, 0, 1)
        else:
            make = tuple if isinstance(many, inspect.VarTupleType) else list
            most = 100 if many.max_length is None else many.max_length
            yield Field(field.name, kind, make, field.required, many.min_length or 0, most)


def _unwrap(kind: inspect.Type) -> tuple[inspect.Type, dict[str, Any]]:
    if isinstance(kind, inspect.Metadata):
        return kind.type, dict(kind.extra or {})
    return kind, {}


def _kind(described: inspect.Type) -> Kind:
    inner, extra = _unwrap(described)
    if not isinstance(inner, inspect.UnionType):
        return Kind(inner, False, extra)
    others = [member for member in inner.types if not isinstance(member, inspect.NoneType)]
    if len(others) != 1 or len(others) == len(inner.types):
        raise TypeError("a field has one kind, or that kind and None")
    single, inner_extra = _unwrap(others[0])
    return Kind(single, True, {**extra, **inner_extra})
