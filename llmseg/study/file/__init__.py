"""A study as a file: what it may say, the studies that it asks for, and running them.

- ``study_file.py`` reads the file, ``datasets.py`` its datasets; ``keys.py`` checks the kinds of values.
- ``designs.py`` makes the studies that it asks for, ``run.py`` plans and runs them.
"""
