"""The checks of the requirements, a function for each; ``source`` has what they share."""
