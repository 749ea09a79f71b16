"""A support desk in which tiered and tierless teams work side by side."""

__version__ = "0.1.0"
