"""The folder that is put on ``PYTHONPATH``: nothing else may lie in it, or scripts could import it."""
