"""How datasets are laid out where they are published. A module for each dataset finds its cases among the files.

* ``finders`` tells which module is for which dataset, and what is tried if nothing has the official layout.
* ``case_files`` has what the modules share.
* ``pictures`` finds images and masks in folders called so, ``volumes`` cuts NIfTI volumes into slices.
"""
