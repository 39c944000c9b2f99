"""Evaluation: one evaluator scores the masks of everybody. The calls are :func:`llmseg.evaluate_run` and
:func:`llmseg.evaluate_masks`.

``evaluate.py`` finds the cases and their masks, ``measures.py`` scores a case (distances: ``surface.py``),
``conventions.py`` takes the mean Dice by the rules of others, ``evaluation.py`` writes and opens the folder.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
