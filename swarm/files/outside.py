"""Programs that look at a file: the one that draws pictures anew, and the one that searches for viruses."""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from swarm.files.kinds import HEAD, PICTURES, kind_of

MEMORY = 1024 * 1024 * 1024
CPU_SECONDS = 10
PICTURE_SECONDS = 20.0
LONGEST_SAID = 4096
LONGEST_VERDICT = 120
_REDRAW = Path(__file__).with_name("redraw.py")


class Broken(Exception):
    """The scanner could not say anything."""


@dataclass(frozen=True, slots=True)
class Safe:
    """A picture drawn anew."""

    kind: str
    width: int
    height: int


async def redraw(file: Path, copy: Path, *, side: int, pixels: int) -> Safe | None:
    """Make a safe copy of a picture; none where it is not one, is broken, or is too large to unpack."""
    argv = [sys.executable, "-I", str(_REDRAW), *map(str, (side, pixels, MEMORY, CPU_SECONDS))]
    with file.open("rb") as source, copy.open("wb") as drawn:
        code, said = await _run(argv, PICTURE_SECONDS, source.fileno(), drawn.fileno())
    with copy.open("rb") as made:
        kind = kind_of(made.read(HEAD))
    words = said.split()
    if code != 0 or kind not in PICTURES or len(words) != 2:
        await asyncio.to_thread(copy.unlink)
        return None
    return Safe(kind, int(words[0]), int(words[1]))


async def verdict(command: str, file: Path, seconds: float) -> str | None:
    """What the scanner says against a file, none where it is clean: 0 says clean, 1 infected.

    Raises `Broken` for anything else.
    """
    try:
        code, said = await _run([*shlex.split(command), str(file)], seconds, stdout=None)
    except (OSError, ValueError) as error:
        raise Broken(str(error)) from error
    if code not in (0, 1):
        raise Broken(f"exit code {code}")
    if code == 0:
        return None
    lines = [line for line in said.decode("utf-8", "replace").splitlines() if str(file) in line]
    words = "".join(one for one in "".join(lines[-1:]).replace(str(file), "") if one.isprintable())
    return " ".join(words.strip(" :").split())[:LONGEST_VERDICT] or "infected"


async def _run(
    argv: Sequence[str],
    seconds: float,
    stdin: int = asyncio.subprocess.DEVNULL,
    stdout: int | None = asyncio.subprocess.DEVNULL,
) -> tuple[int | None, bytes]:
    """Exit code, none where it took too long; and the last it said: on standard error, for none on both."""
    # Without our environment, which holds passwords.
    program = await asyncio.create_subprocess_exec(
        *argv,
        stdin=stdin,
        stdout=asyncio.subprocess.PIPE if stdout is None else stdout,
        stderr=asyncio.subprocess.STDOUT if stdout is None else asyncio.subprocess.PIPE,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
    )
    speaks = program.stdout if stdout is None else program.stderr
    assert speaks is not None
    try:
        async with asyncio.timeout(seconds):
            said = b""
            while more := await speaks.read(4096):
                said = (said + more)[-LONGEST_SAID:]
            return await program.wait(), said
    except TimeoutError:
        return None, b""
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
