"""Policy folders: where versions come from, how they are formatted, released and tested.

Modules::

    format          one layout for policy files
    format_matrix   matrices in columns
    holiday_drafts  holiday lists drafted anew
    merge_base      what a change is compared with
    release         freezing the working version
    run_cases       policy tests of several versions: read, select, run, and what they cover
    sources         where versions come from: a name in, the files of one version out
    unpack          bundles in, a policies folder out
"""
