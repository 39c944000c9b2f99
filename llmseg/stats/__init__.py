"""Statistics of scores per case. Nothing here loads torch, monai or matplotlib."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
