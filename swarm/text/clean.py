"""What people type, before it is kept: one Unicode form, no control characters, no tricks of direction."""

import re
import unicodedata

from swarm.text.language import _

_BREAKS = re.compile("\r\n?|\x85|\u2028|\u2029")
# Form feed and vertical tab come with text pasted from other programs: they are white space.
_PASTED = str.maketrans({"\x0b": "\n", "\x0c": "\n", "\ufeff": None})
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Embeddings, overrides and isolates; the plain marks (LRM, RLM, ALM) belong to right-to-left writing.
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
_SPACES = re.compile(r"\s+")


class Unclean(ValueError):
    """Text that may not be kept; its words are for the person who typed it."""


def one_line(text: str) -> str:
    """`text` as one trimmed line; raises Unclean."""
    text = many_lines(text)
    if _DIRECTION.search(text):
        raise Unclean(_("This holds hidden characters that turn the direction of writing. Take them out."))
    return _SPACES.sub(" ", text).strip()


def many_lines(text: str) -> str:
    """`text` trimmed, with newlines as `\\n` and tabs kept; raises Unclean."""
    if text.isascii() and text.isprintable():
        return text.strip()
    if _SURROGATE.search(text):
        raise Unclean(_("This holds half of a character. Type it again."))
    text = _BREAKS.sub("\n", text).translate(_PASTED)
    if _CONTROL.search(text):
        raise Unclean(_("This holds control characters. Type it again without them."))
    return unicodedata.normalize("NFC", text).strip()


def scrub(text: str, lines: bool = False) -> str:
    """`text` without what may not be kept, never refused: for imports and mail; one line unless `lines`."""
    text = _SURROGATE.sub("\ufffd", text)
    text = _CONTROL.sub("", _BREAKS.sub("\n", text).translate(_PASTED))
    return many_lines(text) if lines else one_line(_DIRECTION.sub("", text))
