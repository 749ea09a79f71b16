"""swarm itself, on the core it is given: `python -m bench.swarm_server PORT CORE`."""

from __future__ import annotations

import sys

from msgspec.structs import replace

from bench.serving import stay_on
from swarm import logs
from swarm.main import serve
from swarm.settings import load

if __name__ == "__main__":
    stay_on(int(sys.argv[2]))
    settings = load()
    logs.set_up(settings.log)
    port = int(sys.argv[1])
    server = replace(settings.server, port=port, base_url=f"http://127.0.0.1:{port}")
    serve(replace(settings, server=server))
