"""Keeping a desk safe: backups, restoring them, and what must be true of the data and of the installation."""
