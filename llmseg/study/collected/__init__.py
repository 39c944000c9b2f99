"""Results of studies without their weights: one small folder that grows, is merged and is read as a study is.

- ``collect.py`` writes it from studies, ``merge.py`` joins several by the digests of their cells.
- ``cell.py`` says what is known of a cell, ``record.py`` and ``tables.py`` write and read it.
- ``files.py`` writes and reads the whole folder.
- ``folder.py`` is the folder as a value, ``results.py`` what figures and reports read from it.
"""
