"""The ways out: mail."""
