"""The chain: people, need, care settings, beds, care workers, money."""
