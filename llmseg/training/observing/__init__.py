"""Watching a training: where its time goes.

- ``marks.py`` names what the steps of a training do in traces of torch's profiler.
- ``trace.py`` reads such a trace: which part of the time went where.
- ``profile.py`` records steps, and says in a page what the trace of them shows.
"""
