"""What swarm costs, each figure beside its reference in the same run: `python -m bench`."""
