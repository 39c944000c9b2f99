"""Training: a recipe and a store become a run in a folder. The call is :func:`llmseg.train`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
