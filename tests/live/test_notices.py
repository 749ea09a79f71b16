"""What everybody is told at once: in each one's language, whatever they watch, also who comes later."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.live.house import Doors, MemoryLog, Page, worker

pytestmark = pytest.mark.anyio
SAID = {"en": "Only reading.", "fr": "Lecture seule."}


async def hears(page: Page, frame: dict[str, str]) -> None:
    await page.until(lambda: frame in page.frames)


async def hears_hello(page: Page) -> None:
    await page.until(lambda: page.of("hello"))


async def test_each_reads_it_in_their_language_and_it_goes() -> None:
    doors = Doors()
    for key, language in (("ann", "en"), ("zoe", "fr"), ("quiet", "fr")):
        doors.let_in(key, f"person:{key}", ["room:1"])
        doors.viewers[key] = replace(doors.viewers[key], language=language)
    async with worker(MemoryLog(), doors) as w, w.page("ann") as ann, w.page("zoe") as zoe:
        for page in (ann, zoe):
            await hears_hello(page)
            assert "readonly" not in page.of("hello")[0]
        w.hub.notice = lambda language: SAID[language]
        w.hub.tell_notice()
        await hears(ann, {"t": "readonly", "why": "Only reading."})
        await hears(zoe, {"t": "readonly", "why": "Lecture seule."})
        async with w.page("quiet") as late:
            await hears_hello(late)
            assert late.of("hello")[0]["readonly"] == "Lecture seule."
            w.hub.notice = lambda language: ""
            w.hub.tell_notice()
            for page in (ann, zoe, late):
                await hears(page, {"t": "readonly", "why": ""})
