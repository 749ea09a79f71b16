"""What statuses, priorities and languages are called, in one place."""

from __future__ import annotations

from babel import Locale, UnknownLocaleError

from swarm.text.language import _, current

STATUSES = ("open", "waiting", "on_hold", "resolved", "closed")
LANGUAGES = ("en", "fr", "nl", "pt", "es", "de")
"""Languages a ticket is offered in; an import may bring others."""


def status_word(status: str) -> str:
    """A status as staff read it."""
    return {
        "open": _("Open"),
        "waiting": _("Waiting for the customer"),
        "on_hold": _("On hold"),
        "resolved": _("Resolved"),
        "closed": _("Closed"),
    }[status]


def customer_status_word(status: str) -> str:
    """A status as the customer reads it, who is “you”."""
    return _("Waiting for your answer") if status == "waiting" else status_word(status)


def priority_word(priority: int) -> str:
    """A priority as staff read it."""
    return (_("Low"), _("Normal"), _("High"), _("Urgent"))[priority]


def availability_word(availability: str) -> str:
    """Whether a person can be asked."""
    words = {"available": _("Available"), "busy": _("Busy"), "away": _("Away")}
    return words.get(availability, availability)


def channel_word(channel: str) -> str:
    """By which way a ticket came."""
    return {"page": _("Web page"), "import": _("Import"), "api": _("API")}.get(channel, channel)


def language_word(code: str) -> str:
    """A language in the reader's own; the code where nobody knows it."""
    try:
        return Locale.parse(code).get_display_name(current()) or code
    except (UnknownLocaleError, ValueError):
        return code


def how_word(how: str) -> str:
    """How somebody came to own a ticket."""
    return {
        "opened": _("as duty lead, when it was opened"),
        "taken": _("took it"),
        "taken_over": _("took it over as a manager"),
        "handed_over": _("was handed it"),
        "returned": _("got it back"),
        "fell_to_duty_lead": _("as duty lead"),
    }[how]
