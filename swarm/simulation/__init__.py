"""Simulated people who come, ask, help and answer, through the real doors only."""

from swarm.simulation.colleagues import Account
from swarm.simulation.figures import Figures
from swarm.simulation.running import NotSwarm, simulate

__all__ = ["Account", "Figures", "NotSwarm", "simulate"]
