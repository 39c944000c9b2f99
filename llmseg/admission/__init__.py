"""Admission: what becomes of a folder of scripts that a language model wrote.

``prompt/`` asks for the scripts and checks whether they are what was asked for, ``sandbox/`` runs them, ``observing/``
sees what they do, and ``extraction/`` reads a recipe from it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
