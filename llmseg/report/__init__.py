"""The report: a folder of static pages about scores and runs.

``site`` writes a report from beginning to end; the others are its steps, in this order:

- ``source`` reads folders and files, ``question`` says what is asked of them;
- ``datasets`` says where the datasets come from;
- ``analysis`` computes what is said of scores: ``standings`` (means and ranks), ``families`` (claims); ``cases`` finds
  the best, the worst and the hardest cases;
- ``profiles`` has what is known about contenders besides their scores, ``costs`` what their trainings took;
- ``headline`` writes the first sentence, ``learning`` says who has learnt nothing, ``leaderboard`` what stands beside
  ranks;
- ``overlays`` predicts masks, ``pictures`` writes them and the drawings of networks, ``plots`` describes interactive
  plots, ``methods`` explains the numbers, ``downloads`` writes the tables;
- ``pages`` fills the templates, with ``texts`` for values and ``names`` for files;
- ``folder`` moves the finished report to its place.

The files in ``templates`` and ``assets`` compute nothing.
"""

import sys
import types
from typing import Any

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


class _CallableModule(types.ModuleType):
    """A namespace that is called like the command: ``llmseg.report(runs, out)`` is ``llmseg.write_report(runs, out)``.

    Type checkers know modules only that are not called; they read ``llmseg.write_report``.
    """

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self.write_report(*arguments, **options)


sys.modules[__name__].__class__ = _CallableModule
