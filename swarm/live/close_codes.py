"""Why a socket was closed, and whether to come back."""

from __future__ import annotations

RESTART = 1012
"""The server goes down: come back, with jitter."""
AGAIN_LATER = 1013
"""Too slow a reader, too many frames or too many sockets: come back, with jitter."""
BAD_FRAME = 4400
"""What was sent cannot be understood: do not come back."""
SIGNED_OUT = 4401
"""The session is over: do not come back."""
NOT_ALLOWED = 4403
"""This viewer may not open a socket: do not come back."""
GONE = 4404
"""What the socket was for is gone: do not come back."""
