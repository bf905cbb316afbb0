"""What a planner starts: commands, notebooks, the what-if desk, the site."""
