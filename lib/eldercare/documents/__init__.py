"""What a policy document says, held against itself and against the counts."""
