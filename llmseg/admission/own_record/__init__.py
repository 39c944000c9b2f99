"""The record of an observed run, in the format of the records of the study, and the recipe's replay of it.

- ``recording.py`` writes what was seen: network, data, split, and each step of the training, with the cases.
- ``verifying.py`` lets a recipe do the same and compares.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
