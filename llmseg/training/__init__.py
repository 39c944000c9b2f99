"""Training: a recipe and a store become a run in a folder."""
