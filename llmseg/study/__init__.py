"""Studies: variants of recipes, datasets and seeds, and what is read from their folders."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
