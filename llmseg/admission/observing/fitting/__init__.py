"""A recipe fitted to an observation: ``recipe.py`` puts it together, and each other module proves one part of it.

``fits.py`` is for the part ``fit`` of a recipe, with ``epochs.py`` (the loss of an epoch) and ``seeds.py``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
