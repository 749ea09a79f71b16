"""The command `swarm`: each command reads its options, calls one action and says what happened."""

from swarm.cli.checking import config, ownership
from swarm.cli.importing import import_files
from swarm.cli.keeping import backup, doctor, restore
from swarm.cli.mailing import mail
from swarm.cli.people import person, team
from swarm.cli.plain import group
from swarm.cli.rooming import room
from swarm.cli.running import migrate, serve, set_up
from swarm.cli.simulating import simulate_people
from swarm.cli.tokens import token
from swarm.text.language import _

app = group(_("A support desk in which tiered and tierless teams work side by side."))
app.command("serve", help=_("Serve the desk until told to stop."))(serve)
app.command("room", help=_("Sit in a ticket's room from this terminal."))(room)
app.command("migrate", help=_("Bring the database to the tables of this version."))(migrate)
app.command("set-up", help=_("Make the first administrator, with teams from the configuration."))(set_up)
app.command(
    "import",
    help=_("Bring in tickets from CSV files. Safe to repeat: what is there already stays as it is."),
)(import_files)
app.command("backup", help=_("Copy everything into one file while the desk is in use."))(backup)
app.command("restore", help=_("Fill an empty database with a backup: all of it, or nothing."))(restore)
app.command("doctor", help=_("Examine the installation; exit code 1 where something is broken."))(doctor)
app.command("simulate", help=_("Simulated people come to a demo through its doors; prints what happened."))(
    simulate_people
)
app.add_typer(person, name="person", help=_("Accounts of the people who work here."))
app.add_typer(team, name="team", help=_("Who leads and who works in a team."))
app.add_typer(token, name="token", help=_("Tokens, by which programs act for people."))
app.add_typer(mail, name="mail", help=_("Letters that go out, and those that could not."))
app.add_typer(config, name="config", help=_("Teams, skills and people from a file."))
app.add_typer(ownership, name="ownership", help=_("The promise that a ticket has exactly one owner."))

__all__ = ["app"]
