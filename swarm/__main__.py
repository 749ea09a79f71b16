"""`python -m swarm` is the command `swarm`."""

from swarm.cli import app

app()
