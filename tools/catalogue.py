"""Collects the texts marked for translation into swarm/locale, where each language has a file of its own.

`--check` only compares; `--compile` makes what the program reads.
"""

import argparse
import ast
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "swarm" / "locale"
TEMPLATE = LOCALE / "messages.pot"
KEYWORDS = {**DEFAULT_KEYWORDS, "N_": None}
HEAD = """msgid ""
msgstr ""
"Language: {}\\n"
"Plural-Forms: {}\\n"
"Content-Type: text/plain; charset=utf-8\\n"

"""


def collected() -> Catalog:
    """Every marked text of the Python files and templates, in order of text so that changes read well."""
    catalog = Catalog(project="swarm", fuzzy=False)
    with (ROOT / "babel.cfg").open(encoding="utf-8") as mapping:
        methods, options = parse_mapping_cfg(mapping)
    for _, _, text, comments, context in extract_from_dir(
        ROOT, methods, options, KEYWORDS, comment_tags=("Translators:",), strip_comment_tags=True
    ):
        catalog.add(text, None, auto_comments=comments, context=context)
    return catalog


def as_text(catalog: Catalog) -> str:
    """The catalogue as a file, without dates and line numbers, which change when no text does."""
    out = io.BytesIO()
    write_po(
        out, catalog, omit_header=True, no_location=True, sort_output=True, ignore_obsolete=True, width=110
    )
    head = "" if catalog.locale is None else HEAD.format(catalog.locale, catalog.plural_forms)
    return head + out.getvalue().decode()


def translations() -> Iterator[tuple[Path, Catalog]]:
    """Each language's file and what stands in it."""
    for path in sorted(LOCALE.glob("*/LC_MESSAGES/swarm.po")):
        with path.open("rb") as file:
            yield path, read_po(file, locale=path.parts[-3])


def forms(message: Message) -> list[str]:
    """The translations of one text: one, or one for each plural form."""
    written = message.string
    return [str(form or "") for form in written] if isinstance(written, list | tuple) else [written or ""]


def unseen(catalog: Catalog) -> Iterator[str]:
    """Texts marked where the collector does not look, as inside an f-string: nobody would translate them."""
    known = {text for message in catalog for text in _ids(message)}
    for path in sorted((ROOT / "swarm").rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
                continue
            for argument in call.args[: {"_": 1, "N_": 1, "ngettext": 2}.get(call.func.id, 0)]:
                if isinstance(argument, ast.Constant) and argument.value not in known:
                    yield f"{path.relative_to(ROOT)}:{call.lineno}: not collected: {argument.value!s}"


def problems(catalog: Catalog) -> Iterator[str]:
    """What keeps a translation from being complete or safe to format."""
    if not TEMPLATE.exists() or TEMPLATE.read_text(encoding="utf-8") != as_text(catalog):
        yield f"{TEMPLATE.relative_to(ROOT)} is not what the texts say: run make texts"
    yield from unseen(catalog)
    for path, translated in translations():
        where = path.relative_to(ROOT)
        for message in catalog:
            if not message.id:
                continue
            found = translated.get(message.id, context=message.context)
            if found is None or found.fuzzy or not all(forms(found)):
                yield f"{where}: not translated: {message.id}"
            else:
                yield from (f"{where}: {error}: {message.id}" for error in found.check(translated))
        if len(translated) > len(catalog):
            yield f"{where} has texts that are no more: run make texts"


def update(catalog: Catalog) -> None:
    """Every file with the texts there are: new ones empty, old ones gone."""
    TEMPLATE.write_text(as_text(catalog), encoding="utf-8")
    print(f"{len(catalog)} texts in {TEMPLATE.relative_to(ROOT)}")
    for path, translated in translations():
        translated.update(catalog, no_fuzzy_matching=True)
        path.write_text(as_text(translated), encoding="utf-8")
        missing = sum(not all(forms(message)) for message in translated if message.id)
        print(f"{missing} missing in {path.relative_to(ROOT)}")


def compiled() -> None:
    """Beside each file of a language, what the program reads."""
    for path, translated in translations():
        with path.with_suffix(".mo").open("wb") as file:
            write_mo(file, translated)


def _ids(message: Message) -> list[str]:
    return list(message.id) if isinstance(message.id, list | tuple) else [message.id]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "--check", action="store_true", help="change nothing, fail when something is missing"
    )
    options.add_argument("--compile", action="store_true", help="only make what the program reads")
    wanted = options.parse_args()
    if wanted.compile:
        compiled()
        return
    catalog = collected()
    if wanted.check:
        found = list(problems(catalog))
        sys.exit("\n".join(found) if found else 0)
    update(catalog)


if __name__ == "__main__":
    main()
