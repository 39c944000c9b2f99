"""Prediction: a trained network becomes masks, or a file that others can load. The call is :func:`llmseg.predict`.

``load.py`` loads a network with its weights, ``predict.py`` applies it to images, ``export.py`` writes it as a file
that runs without this library; which sizes of images the file takes is found by ``export_sizes.py``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
