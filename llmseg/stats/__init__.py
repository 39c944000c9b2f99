"""Statistics of scores per case. Nothing here loads torch, monai or matplotlib.

Everything starts from a :class:`Table` (``table``, ``checks``, ``columns``), which ``blocks`` turns into arrays.

- Who is better than whom: ``comparisons`` of contenders and ``cohorts`` of LLMs make ``claims``; single tests are in
  ``paired``, ``rank_tests`` and ``mixed``; ``multiplicity`` corrects p values, ``effects`` has effect sizes.
- How good, and how sure: ``averages`` and ``intervals``, both by way of ``resampling``.
- Who is first: ``ranking``, by ``ranking_rules``; ``rank_agreement`` of two rankings.
- Where differences come from: ``variance`` (sources, and the size of the next study), ``shares`` (parts of a recipe).
- ``simulation`` makes scores whose truth is known; ``published`` holds the numbers of the study.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
