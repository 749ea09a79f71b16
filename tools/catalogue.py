"""Collects the texts marked for translation into swarm/locale/messages.pot; `--check` only compares."""

import argparse
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "swarm" / "locale"
TEMPLATE = LOCALE / "messages.pot"
KEYWORDS = {**DEFAULT_KEYWORDS, "N_": None}


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
    write_po(out, catalog, omit_header=True, no_location=True, sort_output=True, width=110)
    return out.getvalue().decode()


def forms(message: Message) -> list[str]:
    """The translations of one text: one, or one for each plural form."""
    written = message.string
    return [str(form or "") for form in written] if isinstance(written, list | tuple) else [written or ""]


def problems(catalog: Catalog) -> Iterator[str]:
    """What keeps a translation from being complete or safe to format."""
    if not TEMPLATE.exists() or TEMPLATE.read_text(encoding="utf-8") != as_text(catalog):
        yield f"{TEMPLATE.relative_to(ROOT)} is not what the texts say: run make texts"
    for path in sorted(LOCALE.glob("*/LC_MESSAGES/*.po")):
        with path.open("rb") as file:
            translated = read_po(file)
        where = path.relative_to(ROOT)
        for message in catalog:
            if not message.id:
                continue
            found = translated.get(message.id, context=message.context)
            if found is None or found.fuzzy or not all(forms(found)):
                yield f"{where}: not translated: {message.id}"
            else:
                yield from (f"{where}: {error}: {message.id}" for error in found.check(translated))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "--check", action="store_true", help="change nothing, fail when something is missing"
    )
    catalog = collected()
    if options.parse_args().check:
        found = list(problems(catalog))
        sys.exit("\n".join(found) if found else 0)
    TEMPLATE.write_text(as_text(catalog), encoding="utf-8")
    print(f"{len(catalog)} texts in {TEMPLATE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
