"""Admission: what becomes of a folder of scripts that a language model wrote.

``prompt/`` asks for the scripts and checks whether they are what was asked for, ``sandbox/`` and ``running/`` run them,
``observing/`` sees what they do, and ``stages/`` decides how far they get.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
