"""Sample people and tickets, played through the real actions."""

from swarm.demo.loading import NotEmpty, load

__all__ = ["NotEmpty", "load"]
