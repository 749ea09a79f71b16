"""Every table of every part, for migrations and tests."""

from swarm.accounts import models as accounts
from swarm.audit import models as audit
from swarm.modes import models as modes
from swarm.outbound import models as outbound
from swarm.people import models as people
from swarm.rooms import models as rooms
from swarm.routing import models as routing
from swarm.store.tables import Table
from swarm.tickets import models as tickets

__all__ = ["Table", "accounts", "audit", "modes", "outbound", "people", "rooms", "routing", "tickets"]
