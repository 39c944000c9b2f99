"""Running scripts that nobody has read: what they may see and use, and what came of them.

- ``command.py`` says what is to run, ``ladder.py`` runs it on the best rung of ``rungs.py`` that this computer has.
- ``bubblewrap.py`` and ``landlock.py`` start commands on their rungs, ``cgroups.py`` has control groups of the kernel.
- ``run.py`` lends folders, watches with ``watch.py``, ends a command and takes the folders back with ``files.py``.
- ``keeper.py`` is the process above the command. It needs only the standard library.
- ``outcome.py`` says who ended the command, ``results.py`` what is there.
- ``conformance.py`` proves what a rung promises.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
