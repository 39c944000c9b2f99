"""The price list of quirks.

``contrasts.py`` makes the recipes, ``price_list.py`` trains and compares them, ``page.py`` shows the list as a page.
"""
