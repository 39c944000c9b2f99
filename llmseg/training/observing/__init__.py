"""Watching a training: observers, who are told what happens, and where the time goes.

- ``observer.py`` tells observers what happens; ``tensorboard.py`` and ``profiler.py`` are two of them.
- ``marks.py`` names what the steps of a training do in traces of torch's profiler.
- ``trace.py`` reads such a trace: which part of the time went where.
- ``profile.py`` records steps and holds what the trace of them shows; ``page.py`` writes a page about it.
"""
