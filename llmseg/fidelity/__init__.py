"""Fidelity: a run with the files of the original script, and the proof that a pipeline computes what the script did."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
