"""What follows from results: promises compared, causes, what moves them, definitions."""
