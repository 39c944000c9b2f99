"""Data: cases, what holds them, and where they come from.

A *case* is an image and its mask. A *store* holds cases by id; recipes are trained on a store. What lies where:

* ``store`` says what a case and a store are. Stores are ``folder`` (image files), ``hdf5`` (one file), ``synthetic``
  (phantoms that are drawn) and ``subset`` (some cases of another store).
* ``groups`` says which files belong together, by a pattern or a table; ``group_names`` guesses a pattern from names.
* ``draw_holdout`` draws the test cases that ``llmseg data split`` writes down; ``holdout`` keeps them out of training.
* ``prepared_cases`` makes of a store what a recipe trains on; ``cache`` keeps that on disk.
* ``catalog`` has the facts of the study's datasets: layout, licence, citation, what the study took.
* ``download`` reads a dataset as it is published, archives included, into one HDF5 store (``llmseg data prepare``).
* ``doctor`` looks for what could spoil a training or a score (``llmseg data doctor``).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
