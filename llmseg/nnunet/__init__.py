"""nnU-Net v2 as the baseline: the same cases, an equal budget, the same evaluator.

The package ``nnunetv2`` is imported by :mod:`llmseg.nnunet.process` and the trainer only, in processes of their own. It
reads the names of its folders from the environment when it is imported, and environment, device and number of threads
belong to a process: those of the user's own process stay as they are.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
