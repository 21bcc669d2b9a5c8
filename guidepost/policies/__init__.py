"""Policy folders: the sources of versions, formatting, releases and tests.

Modules::

    format          the formatter of policy files
    format_matrix   matrices aligned in columns
    holiday_drafts  holiday lists drafted with the `holidays` package
    merge_base      the version at the merge base of a git revision
    release         freezes the working version
    run_cases       runs the cases of a version, with selection and coverage
    sources         the name of a version -> its files
    unpack          bundles -> a policies folder
"""
