"""Commands about tokens, by which programs act for people."""

from __future__ import annotations

from typing import Annotated

import typer

from swarm.accounts import tokens
from swarm.accounts.tokens import Scope
from swarm.cli.plain import OPERATOR, As, acting, colleague, group, name_of, opened, out, show
from swarm.events.refusals import No
from swarm.people.queries import actor_of
from swarm.store import Work
from swarm.text.language import _

Email = Annotated[str, typer.Argument(metavar="EMAIL", help=_("As whom the program acts."))]
USUAL_DAYS = 90

token = group(_("Tokens, by which programs act for people."))


@token.command("add", help=_("Make a token; it is printed once, and kept nowhere."))
def add(
    email: Email,
    name: Annotated[str, typer.Option(help=_("What it is for."))],
    scope: Annotated[list[str], typer.Option(help=_("What it may do besides reading; repeat it."))] = [],  # noqa: B006  # typer reads the default
    days: Annotated[int, typer.Option(help=_("How long it works: 7, 30, 90 or 365 days."))] = USUAL_DAYS,
    by: As = "",
) -> None:
    def do(work: Work) -> str:
        acting(work, by)
        person = actor_of(work.session, colleague(work, email))
        if len(name_of(name)) > tokens.LONGEST_NAME:
            raise No(_("A token's name has at most %(most)s characters.", most=tokens.LONGEST_NAME))
        return tokens.make_token(
            work, person, name=name_of(name), scopes=[_scope(one) for one in scope], days=days
        )

    with opened() as store:
        print(store.write_now(OPERATOR, do))
    # Apart, so that the token alone can be passed on.
    from_now = _("It works for %(days)s days and is not shown again.", days=days)
    typer.echo(from_now, err=True)


@token.command("list", help=_("Tokens of one person that work, with their numbers."))
def list_tokens(email: Email) -> None:
    def read(work: Work) -> list[list[str]]:
        person = colleague(work, email)
        return [
            [
                str(one.id),
                one.name,
                one.scopes,
                f"{one.expires_at:%Y-%m-%d}",
                f"{one.used_at:%Y-%m-%d %H:%M}" if one.used_at else "",
            ]
            for one in tokens.tokens_of(work.session, person.id, work.now)
        ]

    with opened() as store:
        found = store.read_now(OPERATOR, read)
    show(["", _("Name"), _("May"), _("Until"), _("Last used")], found)


@token.command("revoke", help=_("End one token of a person by its number, or all of them."))
def revoke(
    email: Email,
    number: Annotated[
        int | None, typer.Argument(metavar="NUMBER", help=_("As swarm token list shows it."))
    ] = None,
    all_of_them: Annotated[bool, typer.Option("--all", help=_("Every token of this person."))] = False,
    by: As = "",
) -> None:
    if (number is None) == (not all_of_them):
        raise No(_("Name one token by its number, or say --all."))

    def do(work: Work) -> None:
        acting(work, by)
        person = colleague(work, email)
        if number is None:
            tokens.end_tokens(work, person.id)
        else:
            tokens.end_token(work, number, person.id)

    with opened() as store:
        store.write_now(OPERATOR, do)
    out.print(_("Programs that use it get in no more."))


def _scope(text: str) -> Scope:
    found = next((scope for scope in tokens.SCOPES if scope == text), None)
    if found is None:
        raise No(
            _("There is no “%(scope)s”. There are: %(known)s.", scope=text, known=", ".join(tokens.SCOPES))
        )
    return found
