"""Proof of a replay: a pipeline against a record of the original script."""
