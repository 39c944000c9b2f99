"""Seeing what a foreign script does while it runs, without editing it.

- ``phantoms.py`` draws images that can be recognised wherever they arrive, ``matching.py`` recognises them.
- ``watching/`` runs in the process of the script and writes a record, ``watch.py`` says how it gets there.
- ``record.py`` reads the record, ``reading.py`` and ``parts.py`` make an ``observation.py`` of it.
- ``mistakes/`` finds silent mistakes in an observation. ``functions.py`` and ``terms.py`` read its losses, ``facts.py``
  what a recipe says. ``fitting/`` makes a recipe of it, and proves each part.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
