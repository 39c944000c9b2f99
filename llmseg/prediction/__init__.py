"""Prediction: a trained network becomes masks, or a file that others can load. The call is :func:`llmseg.predict`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
