"""What runs in the process of a foreign script and writes down what the script does.

Python loads ``start/sitecustomize.py`` before any script, and that loads the other modules from their files: the
package llmseg need not be there. No module here changes what a script computes. None draws a random number, and
each passes on what it was given.
"""
