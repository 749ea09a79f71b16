"""What everybody is told at once, whatever they watch: for now, that nothing can be saved."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from swarm.live.frames import Batch, encode
from swarm.live.socket import Socket

Notice = Callable[[str], str]
"""The sentence that stands on every screen in this language; empty when there is none."""


def no_notice(language: str) -> str:
    """All is well."""
    return ""


def tell_everybody(sockets: Iterable[Socket], push: Callable[[Socket, Batch], None], notice: Notice) -> None:
    """Push the notice, made once for each language, to every socket; an empty one takes it away."""
    made: dict[str, Batch] = {}
    for socket in sockets:
        language = socket.viewer.language
        if language not in made:
            made[language] = Batch([encode({"t": "readonly", "why": notice(language)})])
        push(socket, made[language])
