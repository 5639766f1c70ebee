"""The command line: one module a command, one rendering of errors, exit codes 0 well, 1 negative finding, 2 usage,
3 refused, 4 internal.

Here: arguments in, text or JSON out. Not here: business branches.
"""
