"""Cases: stores of images and masks, held-out test cases, the catalogue of datasets, and what is wrong with one."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
