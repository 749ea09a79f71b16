"""Getting in: passwords, sessions, one-time links."""
