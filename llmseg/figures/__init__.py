"""Figures: every drawing of the package, in one style.

``kinds`` lists the figures by the names that ``llmseg figure`` takes; their functions are in

- ``boxes`` (scores of cases), ``curves`` (losses), ``ranks`` (rankings and comparisons), ``places`` (on single cases),
  ``errors`` (errors in code), ``tiles`` (predicted masks, which ``predictions`` computes and ``overlay`` colours);
- ``network``: the network of a recipe, which ``llmseg show NAME --draw FILE`` draws;
- ``study``: differences of studies and contributions to gaps, which ``llmseg ablate`` and ``llmseg gap`` draw.

What they share: ``style`` has colours, sizes and fonts, ``canvas`` makes figures and writes them, ``contenders`` knows
labels and cohorts, ``scores`` and ``axes`` prepare scores and axes.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
