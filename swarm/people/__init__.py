"""Who works here and who asks: people, teams, tiers, skills, availability, customers."""
