"""Prediction: a trained network becomes masks, or a file that others can load."""
