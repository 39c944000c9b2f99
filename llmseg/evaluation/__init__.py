"""Evaluation: one evaluator scores the masks of everybody, of a run or from elsewhere.

The calls are :func:`llmseg.evaluate_run` and :func:`llmseg.evaluation.evaluate_masks` in ``evaluate.py``. ``cases.py``
says on which cases a run is scored, ``measures.py`` scores one case (with the distances of ``surface.py``),
``conventions.py`` takes the mean Dice by the rules of others, and ``evaluation.py`` writes and opens the folder.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
