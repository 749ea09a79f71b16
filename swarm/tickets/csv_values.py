"""What a cell of an imported file says: priority, language, status, category, date, tags."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

from babel import localedata

from swarm.text.clean import scrub
from swarm.text.language import _
from swarm.tickets.csv_columns import bare


class BadValue(Exception):
    """A cell can't be understood; the sentence says which and why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def _by_word(words: Mapping[str, str]) -> dict[str, str]:
    return {bare(word): value for value, listed in words.items() for word in listed.split()}


_PRIORITIES = _by_word(
    {
        "low": "low lowest minor trivial p4 niedrig gering faible basse bas baja bajo baixa baixo laag",
        "normal": (
            "normal medium moderate p3 mittel moyenne moyen normale media medio média médio normaal gemiddeld"
        ),
        "high": "high major important p2 hoch haute haut élevée élevé alta alto hoog wichtig",
        "urgent": (
            "urgent critical highest blocker emergency p1 dringend kritisch sehr_hoch critique "
            "urgente crítica crítico muy_alta muito_alta kritiek spoed"
        ),
    }
)

_STATUSES = _by_word(
    {
        "open": (
            "open new in_progress active reopened offen neu in_bearbeitung ouvert nouveau en_cours "
            "abierto nuevo en_curso en_progreso aberto novo em_andamento em_curso nieuw "
            "in_behandeling"
        ),
        "waiting": (
            "waiting waiting_for_customer pending awaiting_customer wartend warten_auf_kunde "
            "en_attente en_attente_du_client pendiente esperando_al_cliente pendente "
            "aguardando_cliente wachtend wacht_op_klant"
        ),
        "on_hold": (
            "on_hold hold paused angehalten zurückgestellt en_pause suspendu en_espera em_espera "
            "on_wacht in_de_wacht"
        ),
        "resolved": (
            "resolved solved done fixed answered gelöst erledigt résolu resuelto solucionado "
            "resolvido opgelost"
        ),
        "closed": "closed geschlossen fermé clos clôturé cerrado fechado encerrado gesloten afgesloten",
    }
)

_CATEGORIES = _by_word(
    {
        "Incident": "incident störung vorfall incidente storing",
        "Request": (
            "request service_request anfrage anforderung demande solicitud petición solicitação "
            "pedido verzoek aanvraag"
        ),
        "Problem": "problem bug problème problema probleem",
        "Change": "change change_request änderung changement cambio mudança alteração wijziging",
        "Question": "question frage pregunta pergunta vraag",
    }
)

_LANGUAGES = _by_word(
    {
        "en": "english englisch anglais inglés inglês engels eng",
        "de": "german deutsch allemand alemán alemão duits deu ger",
        "fr": "french französisch français francés francês frans fra fre",
        "es": "spanish spanisch espagnol español espanhol spaans spa",
        "pt": "portuguese portugiesisch portugais portugués português portugees por",
        "nl": "dutch niederländisch néerlandais neerlandés holandés holandês nederlands nld dut",
    }
)

_CLOCK = r"(?:[ ,T]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?"
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})" + _CLOCK)
_SLASHED = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})" + _CLOCK)
_YEAR_FIRST = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})" + _CLOCK)
MAX_TAGS = 20
MAX_TAG = 60


def priority(cell: str) -> str:
    return _word(cell, _PRIORITIES, _("“%(word)s” is not a priority. Use low, normal, high or urgent."))


def status(cell: str) -> str:
    return _word(
        cell,
        _STATUSES,
        _("“%(word)s” is not a status known here; --map status= leaves the column out."),
    )


def _word(cell: str, words: Mapping[str, str], sentence: str) -> str:
    if not cell:
        return ""
    found = words.get(bare(cell))
    if found is None:
        raise BadValue(sentence % {"word": shown(cell)})
    return found


def category(cell: str) -> str:
    """The trade's five words where they are recognised; any other word stays as it is."""
    return _CATEGORIES.get(bare(cell), cell)


def language(cell: str) -> str:
    """A two- or three-letter code, without its region: `de` for `de-AT` and `Deutsch`."""
    if not cell:
        return ""
    named = _LANGUAGES.get(bare(cell))
    if named:
        return named
    code = re.fullmatch(r"([a-z]{2,3})(?:[-_][a-z0-9]{2,8}){0,2}", cell.casefold())
    if code is None or not _is_language(code[1]):
        raise BadValue(_("“%(word)s” is not the code of a language, such as en or de.", word=shown(cell)))
    return code[1]


@lru_cache(maxsize=256)
def _is_language(code: str) -> bool:
    return localedata.exists(code)


def day_first(cells: Iterable[str]) -> bool | None:
    """Whether dates such as 03/04/2024 start with the day, if any of them shows it."""
    days = months = False
    for cell in cells:
        parts = _SLASHED.fullmatch(cell.strip())
        if parts:
            days = days or int(parts[1]) > 12
            months = months or int(parts[2]) > 12
    return None if days == months else days


def moment(
    cell: str, zone: tzinfo, days_first: bool | None, latest: datetime | None = None
) -> datetime | None:
    """Aware, in UTC; a date without a zone is in `zone`."""
    if not cell:
        return None
    unknown = BadValue(_("“%(word)s” is not a date, such as 2024-05-31 14:30.", word=shown(cell)))
    try:
        found = _moment(cell, zone, days_first)
        if found is None:
            raise unknown
        found = found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise unknown from None
    if found.year < 1980 or (latest is not None and found > latest):
        raise BadValue(_("The date “%(word)s” is in the future or too long ago.", word=shown(cell)))
    return found


def _moment(cell: str, zone: tzinfo, days_first: bool | None) -> datetime | None:
    for pattern, order in ((_DOTTED, (2, 1, 0)), (_YEAR_FIRST, (0, 1, 2)), (_SLASHED, ())):
        parts = pattern.fullmatch(cell)
        if parts is None:
            continue
        numbers = [int(part or 0) for part in parts.groups()]
        year, month, day = (numbers[place] for place in order or _order(cell, numbers, days_first))
        return datetime(year, month, day, numbers[3], numbers[4], numbers[5], tzinfo=zone)
    # A bare number is more often a row or a count than the basic form of a date.
    if cell.isdigit():
        return None
    found = datetime.fromisoformat(cell)
    return found if found.tzinfo else found.replace(tzinfo=zone)


def _order(cell: str, numbers: Sequence[int], days_first: bool | None) -> tuple[int, int, int]:
    first, second = numbers[:2]
    if days_first is None and first <= 12 and second <= 12 and first != second:
        raise BadValue(
            _(
                "“%(word)s” could be two different days; --dates day-first or month-first says which.",
                word=shown(cell),
            )
        )
    starts_with_day = days_first if days_first is not None else first > 12
    return (2, 1, 0) if starts_with_day else (2, 0, 1)


def tags(cells: Iterable[tuple[str, bool]]) -> tuple[str, ...]:
    """Each tag once, as first written; a cell marked True holds a list."""
    found: dict[str, str] = {}
    for cell, is_list in cells:
        for part in re.split(r"[,;|\n]", cell) if is_list else [cell]:
            tag = scrub(part)
            if not tag:
                continue
            if len(tag) > MAX_TAG:
                raise BadValue(_("The tag “%(word)s” is too long.", word=shown(tag)))
            found.setdefault(tag.casefold(), tag)
    if len(found) > MAX_TAGS:
        raise BadValue(_("There are more than %(limit)d tags.", limit=MAX_TAGS))
    return tuple(found.values())


def shown(cell: str) -> str:
    """A cell short enough to stand in a sentence."""
    flat = " ".join(cell.split())
    return flat if len(flat) <= 40 else flat[:39] + "…"
