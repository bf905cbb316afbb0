"""What is read: the tables, their rules and faults, the rows in force and their draws."""
