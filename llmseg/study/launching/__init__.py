"""Cells and who works on them: processes that share a study by nothing but its folder.

- ``cells.py`` is a cell on disk, ``launcher.py`` takes one after the other, within the hours of ``allowance.py``.
- ``slurm.py`` lets a cluster start launchers.
- ``failures.py`` keeps what failed, ``diagnosis.py`` tells which errors are of which kind.
- ``opening.py`` opens a study that another process began.
- ``status.py`` says how far studies are, ``outlook.py`` how long it takes.
"""
