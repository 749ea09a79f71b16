"""Sockets: streams, the hub, presence, doorbells. Knows bytes and streams, nothing of tickets."""
