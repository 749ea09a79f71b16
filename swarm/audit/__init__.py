"""Who changed what about people, rights and rules, readable and searchable."""
