"""A difference between two versions, written for those who read it.

One module a form, all over the same nouns (:mod:`engine.diff.nouns`) and words (:mod:`engine.diff.words`)::

    report      a difference, its matrices and what it does beyond its budget -> Report
    plain       Report -> plain data (JSON)
    terminal    Report -> tables and coloured matrices
    markdown    Report -> the summary of a pull request
    html        Report -> one page that needs nothing else
"""
