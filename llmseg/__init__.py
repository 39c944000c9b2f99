"""Segmentation pipelines written by large language models, as values one can replay, ablate and compare.

Example:
    >>> import llmseg
    >>> pipeline = llmseg.zoo.get("gemini-2.5-pro")
    >>> pipeline.recipe.fit.batch_size
    8
"""

import lazy_loader

__version__ = "0.2.0"

# The public names stand in ``__init__.pyi``, here and in every folder: each is imported when it is first used, so
# that ``import llmseg`` loads no torch, and editors and type checkers read the same list.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
