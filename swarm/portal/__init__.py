"""What customers see, and how people get in."""
