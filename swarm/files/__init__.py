"""Files people send: their names, their kinds, their safe copies, and where their bytes are kept."""
