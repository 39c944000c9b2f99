"""Studies: variants of recipes, datasets and seeds, and what is read from their folders."""
