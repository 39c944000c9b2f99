"""Stores, layouts, preparation, splits and phantoms."""
