"""Which column of a CSV file is which part of a ticket."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from swarm.text.language import _
from swarm.tickets.csv_text import ImportRefused

# The names a column may have, the surest first, as `bare` leaves them.
NAMES: Mapping[str, tuple[str, ...]] = {
    field: tuple(names.split())
    for field, names in {
        "external_id": (
            "id ticketid ticketnumber ticketno number externalid caseid casenumber key issuekey "
            "ticketnummer nummer vorgangsnummer numero numerodeticket numeroticket zaaknummer"
        ),
        "subject": "subject title summary betreff titel objet sujet titre asunto titulo assunto onderwerp",
        "body": (
            "body description message text content question details beschreibung nachricht anfrage "
            "inhalt corps contenu descripcion mensaje cuerpo contenido descricao mensagem corpo "
            "conteudo omschrijving beschrijving bericht inhoud"
        ),
        "answer": (
            "answer reply response resolution solution antwort losung reponse respuesta solucion "
            "resposta solucao antwoord oplossing"
        ),
        "team": (
            "team queue group department assignedteam assignedgroup abteilung gruppe warteschlange "
            "equipe fileattente filedattente service groupe equipo cola grupo departamento fila "
            "wachtrij afdeling groep"
        ),
        "priority": (
            "priority urgency severity prioritat dringlichkeit priorite urgence prioridad urgencia "
            "prioridade prioriteit urgentie"
        ),
        "language": "language lang locale sprache langue idioma lengua lingua taal",
        "category": "category type tickettype issuetype kategorie typ art categorie categoria tipo soort",
        "tags": (
            "tags tag labels label keywords schlagworte schlagworter stichworte etiquettes motscles "
            "etiquetas marcadores trefwoorden"
        ),
        "customer_name": (
            "customername customer requestername requester contactname contact name fullname from "
            "kunde kundenname ansprechpartner client nomduclient nomclient nom cliente "
            "nombredelcliente nombre nomedocliente nome klant klantnaam naam"
        ),
        "customer_email": (
            "customeremail requesteremail contactemail email mail emailaddress fromemail "
            "emailadresse mailadresse courriel adresseemail correo correoelectronico emaildocliente "
            "emailadres"
        ),
        "company": (
            "company organization organisation account customercompany firma unternehmen entreprise "
            "societe empresa compania bedrijf organisatie"
        ),
        "opened_at": (
            "openedat createdat created opened creationdate createddate createdon createdtime date "
            "erstelltam erstellt eroffnetam eroffnet datum datedecreation creele creeele ouvertle "
            "fechadecreacion creadoel creado fecha datadecriacao criadoem criado data aangemaaktop "
            "aangemaakt geopendop"
        ),
        "status": "status state zustand statut etat estado situacao toestand",
    }.items()
}
FIELDS = tuple(NAMES)

_TAG = re.compile(r"(?:tag|label|schlagwort|stichwort|etiquette|etiqueta|marcador|trefwoord)\d{1,2}")


def bare(word: str) -> str:
    """Without case, accents, spaces, underscores, hyphens: what is left to compare names by."""
    flat = unicodedata.normalize("NFKD", word).casefold()
    return "".join(letter for letter in flat if letter.isalnum())


def parse_map(pairs: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """`["subject=Betreff"]` as pairs of field and column. Raises ImportRefused."""
    found = []
    for pair in pairs:
        name, equals, column = pair.partition("=")
        if not equals:
            raise ImportRefused(_("Write a mapping as FIELD=COLUMN, not “%(pair)s”.", pair=pair))
        found.append((name.strip(), column.strip()))
    return tuple(found)


def find_columns(header: Sequence[str], named: Sequence[tuple[str, str]] = ()) -> dict[str, tuple[int, ...]]:
    """Field to the indexes of its columns: one, but for tags. `named` wins over the names known here; an
    empty column leaves the field out. Raises ImportRefused.
    """
    chosen: dict[str, tuple[int, ...]] = {}
    for name, column in named:
        field = name if name in NAMES else name.replace("-", "_").casefold()
        if field not in NAMES:
            raise ImportRefused(
                _(
                    "A ticket has no field “%(name)s”. The fields are: %(fields)s.",
                    name=name,
                    fields=", ".join(FIELDS),
                )
            )
        before = chosen.get(field, ())
        if before and field != "tags":
            raise ImportRefused(_("The field “%(name)s” is mapped twice.", name=field))
        chosen[field] = (*before, _index(header, column)) if column else ()
    taken = {index for indexes in chosen.values() for index in indexes}
    free = {index: bare(name) for index, name in enumerate(header) if index not in taken}
    for field, names in NAMES.items():
        if field in chosen:
            continue
        if field == "tags":
            found = tuple(index for index, name in free.items() if name in names or _TAG.fullmatch(name))
        else:
            ranked = ((names.index(name), index) for index, name in free.items() if name in names)
            found = tuple(index for _rank, index in sorted(ranked)[:1])
        if found:
            chosen[field] = found
            for index in found:
                del free[index]
    if not chosen.get("subject") and not chosen.get("body"):
        raise ImportRefused(
            _(
                "No column is known as the subject or the body of a ticket. Name one with "
                "--map subject=COLUMN. The columns are: %(columns)s.",
                columns=_listed(header),
            )
        )
    return {field: indexes for field, indexes in chosen.items() if indexes}


def _index(header: Sequence[str], column: str) -> int:
    exact = [index for index, name in enumerate(header) if name == column]
    close = exact or [index for index, name in enumerate(header) if bare(name) == bare(column)]
    if not close:
        raise ImportRefused(
            _(
                "There is no column “%(column)s”. The columns are: %(columns)s.",
                column=column,
                columns=_listed(header),
            )
        )
    if len(close) > 1:
        raise ImportRefused(_("More than one column is called “%(column)s”.", column=column))
    return close[0]


def _listed(header: Sequence[str]) -> str:
    shown = [name[:60] or "“”" for name in header[:50]]
    return ", ".join(shown) + (", …" if len(header) > 50 else "")
