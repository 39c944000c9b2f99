"""From a download to one store. Downloads are read as they are published, archives included.

* ``prepare_dataset`` is what ``llmseg data prepare`` runs: find the cases, read them, write one HDF5 store.
* ``tree`` gives the files of a download by path, whether they lie in folders or in archives; ``archives`` opens these.
* ``layouts`` knows how each dataset is laid out, and finds its cases among the files.
* ``selection`` tells which of them the study took.
"""
