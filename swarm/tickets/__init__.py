"""The case: its lanes, its one owner, its life from open to closed."""
