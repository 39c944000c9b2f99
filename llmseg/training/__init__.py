"""Training: a recipe and a store become a run in a folder. The call is :func:`llmseg.train`.

A training passes through these modules in this order:

1. ``train.py`` checks what the user gave, and ``resume.py`` whether the folder holds an earlier part of the same run.
2. ``job.py`` prepares the cases, draws split and weights, and places the network, as ``device.py``, ``numerics.py``,
   ``memory.py`` and ``processes.py`` say.
3. ``loop.py`` trains. ``case_order.py`` and ``random_streams.py`` decide what is random, ``state.py`` holds what
   changes, ``optimizer.py`` builds what changes the weights. What happens are the events of ``events.py``.
4. ``run_files.py`` writes what happens, and the checkpoints; ``hardware.py`` describes the machine for ``run.json``.
5. ``run.py`` opens the finished folder as a :class:`llmseg.Run`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
