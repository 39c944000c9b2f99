"""Files and folders: what may be written where, writing so that a reader never sees half a file, reading records.

- ``names``: names of files, and paths as they are given.
- ``folders``: what may be written where. ``writing`` writes whole files; ``temporary`` has the names of halves.
- ``reading``: files of users and records, whose ``fields`` are checked; ``limits``: how much of them is read.
- ``locks``, and ``interruption``: what happens on Ctrl-C.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
