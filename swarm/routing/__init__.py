"""Who gets it: escalation between tiers, and which experts an ask should reach."""
