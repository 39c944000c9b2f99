"""What the commands print as text: a module per group of commands."""
