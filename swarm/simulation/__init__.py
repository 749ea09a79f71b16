"""Simulated people who come, ask, help and answer, through the real doors only."""

from swarm.simulation.figures import Figures
from swarm.simulation.running import NotSwarm, simulate

__all__ = ["Figures", "NotSwarm", "simulate"]
