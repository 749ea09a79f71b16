"""Who works here, in which teams, knowing what; and who changed that."""
