"""Results beside the published figures.

- ``comparison.py`` compares them, ``texts.py`` has the words and columns of the table.
- ``defects.py`` says what is wrong with published numbers, ``limits.py`` what cannot be compared.
"""
