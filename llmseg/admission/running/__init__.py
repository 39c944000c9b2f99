"""Running a folder of scripts in the sandbox, unchanged, on cases of ours.

- ``layout.py`` reads how the scripts want files to be named, and lays cases out like that.
- ``mapping.py`` decides where in the sandbox the paths lie that scripts have written into themselves.
- ``epochs.py`` tells a copy of the scripts another number of epochs.
- ``files.py`` lists, copies and digests the files of a folder of scripts.
- ``run.py`` runs them, ``salvage.py`` helps those that miss a name or a folder, and counts the help.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
