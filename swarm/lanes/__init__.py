"""How a lane reads: events as messages, cards and quiet lines, alike for everybody who may see it."""
