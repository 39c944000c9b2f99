"""The recipe: seven parts that decide a result, as values; and quirks, the questions one can ask of them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
