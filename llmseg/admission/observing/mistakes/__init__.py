"""Silent mistakes that show while a script runs. Each rule is a function that takes an observation."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
