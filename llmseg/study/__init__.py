"""Studies: variants of recipes, trained with several seeds and scored on the same held-out cases.

- ``grid.py`` trains and scores every variant with every seed; ``study.py`` compares them case by case.
- ``variants.py`` makes the variants: other values of fields, repairs, parts of another recipe, several pipelines.
- ``gap.py`` says which parts make one recipe better than another, ``cohort_gap.py`` averages that over cohorts.
- ``prices.py`` measures what every quirk costs, ``contrasts.py`` makes the recipes for it, and ``price_page.py`` shows
  the list as a page.
- ``results.py`` reads folders of studies, runs and evaluations, for figures and reports.
- ``conventions.py`` has the scoring rules of the nineteen scripts.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
