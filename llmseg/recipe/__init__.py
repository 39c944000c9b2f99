"""The recipe: seven parts that decide a result, as values; and quirks, the questions one can ask of them.

=============================  =======================================================================================
``recipe``, ``part``           the recipe of seven parts; what every part is: a frozen record with checked fields
``annotations``                what the annotation of a field allows
``paths``                      dotted paths: how a field inside a part is read, changed and compared
``typed``, ``fields``          values as somebody types them; the list of all fields, with their meaning
``images``, ``transforms``     how an image and its mask become tensors; the transforms that do it
``splits``                     how cases are divided into training, validation and test
``nets/``                      the networks: records in ``nets/``, the torch modules they build in ``nets/modules/``
``losses``, ``scores``         losses and scores of a batch
``dice``                       the Dice formula that losses and scores share
``fit``, ``augment``           optimizer, schedule, epochs; random changes of the training images
``quirks/``                    questions one can ask a recipe, each with the change of one field that repairs it
=============================  =======================================================================================

Only ``transforms`` and ``nets/modules/`` import torch at their top. All other modules import it, and MONAI and
scikit-learn, inside the methods that compute, so that a recipe can be read, changed and compared without them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
