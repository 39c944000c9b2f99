"""Studies: variants of recipes, trained with several seeds and scored on the same held-out cases.

- ``study.py`` is a study on disk, ``design.py`` what it trains and scores, ``grid.py`` begins it and trains its cells.
- ``variants.py`` makes the variants: other values of fields, repairs, parts of another recipe, several pipelines.
- ``plan.py`` says what a study will cost before it begins.
- ``gap.py`` says which parts make one recipe better than another, ``cohort_gap.py`` averages that over cohorts.
- ``results.py`` reads folders of studies, runs and evaluations, for figures and reports.
- ``conventions.py`` has the scoring rules of the nineteen scripts.
- The folders: ``launching`` (cells and who works on them), ``file`` (a study as a file), ``collected`` (results without
  weights), ``prices`` (what quirks cost), ``published`` (beside the published figures).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
