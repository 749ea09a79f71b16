"""The swarm: asks, who comes, who leaves, the answer."""
