"""What programs may do: the same as people, through the same actions, as JSON under /api/v1."""
