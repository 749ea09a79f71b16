"""The customer's record: what is known of who asks, and of whom several records are."""
