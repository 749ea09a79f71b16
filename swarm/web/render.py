"""Templates to HTML."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from swarm.text import language, times
from swarm.text.markdown import plain, to_html
from swarm.web.static import Static

OWN_ICONS = {"brand", "file", "hive", "ladder", "paperclip", "split"}


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Render:
    """The one Jinja environment: everything escaped, nothing undefined; safe to use from any thread."""

    def __init__(
        self,
        templates: Path,
        static: Static,
        clock: Callable[[], datetime] = _utc_now,
        globals: Mapping[str, Any] | None = None,
    ) -> None:
        """`clock` gives aware moments; `globals` are known to every template."""
        self.clock = clock
        self.environment = Environment(
            loader=FileSystemLoader(templates),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=1000,
            extensions=["jinja2.ext.i18n"],
        )
        # Jinja fills in the values after escaping them, so ours must be called without.
        install: Any = self.environment
        install.install_gettext_callables(language.plain_gettext, language.plain_ngettext, newstyle=True)
        self._static = static
        self._icons: dict[tuple[str, str], Markup] = {}
        self.environment.globals.update(
            static=static.url,
            icon=self._icon,
            now=clock,
            language=language.current,
            all_languages=language.LANGUAGES,
            own_name=language.own_name,
            notice=lambda: "",
        )
        self.environment.globals.update(globals or {})
        self.environment.filters.update(
            when=self._when, initials=initials, number=number, markdown=to_html, plain=plain, size=size
        )

    def page(
        self,
        request: Request,
        name: str,
        context: Mapping[str, Any],
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> HTMLResponse:
        """A page, or a piece of one, as a response nobody keeps.

        Blocks while rendering: large pages are rendered inside `store.read`, as `html`.
        """
        content = self.html(request, name, context)
        return self.response(content, status, headers)

    def html(self, request: Request, name: str, context: Mapping[str, Any]) -> Markup:
        """The HTML of a page, with what a page knows of its request: `path` and `request_id`."""
        known = {"path": request.url.path, "request_id": getattr(request.state, "request_id", "")}
        return self.piece(name, {**known, **context})

    def piece(self, name: str, context: Mapping[str, Any]) -> Markup:
        """The HTML of one template in the current language."""
        return Markup(self.environment.get_template(name).render(context))  # noqa: S704 (escaped by Jinja)

    def macro(self, template: str, name: str) -> Callable[..., Markup]:
        """One macro of a template: calling it costs a fraction of rendering a template."""
        made: Callable[..., Markup] = getattr(self.environment.get_template(template).module, name)
        return made

    @staticmethod
    def response(
        content: Markup, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> HTMLResponse:
        """Rendered HTML as a response nobody keeps."""
        ours = {"Cache-Control": "no-store", "Vary": "HX-Request"}
        return HTMLResponse(content, status, {**ours, **(headers or {})})

    def _icon(self, name: str) -> Markup:
        """A drawing from the sprite, ours or the vendor's."""
        key = (self._static.hash, name)
        drawn = self._icons.get(key)
        if drawn is None:
            sheet = self._static.url("icons/own.svg" if name in OWN_ICONS else "vendor/icons.svg")
            drawn = self._icons[key] = Markup(
                '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>'
            ).format(sheet, name)
        return drawn

    def _when(self, at: datetime) -> Markup:
        """A `<time>` the page may keep fresh; without script it tells its moment well enough.

        What is drawn once for readers everywhere holds the moment alone.
        """
        if not times.reader_is_known():
            return Markup('<time datetime="{}"></time>').format(times.stamp(at))
        return Markup('<time datetime="{}" title="{}">{}</time>').format(
            times.stamp(at), times.exact(at), times.short(at, self.clock())
        )


def initials(name: str) -> str:
    """Two letters for a face: “Ana Duarte” is AD, “Mira” is MI."""
    words = [letters for word in name.split() if (letters := [char for char in word if char.isalnum()])]
    if not words:
        return "?"
    return (words[0][0] + words[-1][0] if len(words) > 1 else "".join(words[0][:2])).upper()


def number(value: int | float) -> str:
    """A number in the reader's way of writing."""
    return format_decimal(value, locale=language.current())


def size(count: int) -> str:
    """Bytes as people say them."""
    if count < 1000:
        return f"{number(count)} B"
    if count < 1_000_000:
        return f"{number(round(count / 1000))} kB"
    return f"{number(round(count / 1_000_000, 1))} MB"
