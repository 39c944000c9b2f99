"""One evaluator for all: measures per case, and the same masks by the rules of others."""
