"""Loading: the files of a version in, a policy out, or every problem that they have.

Modules::

    calendars       the calendars and regions of a policy file: trees in, calendars as written out
    conditions      conditions as policies write them
    deadlines       the deadlines and elapsed times of a policy file
    digest          the digest of a policy version: the same for the same content, however it is laid out
    files           which files belong to a version
    fit             whether the parts of a policy fit together
    holidays        the holiday list of a region
    indentation     parts of a file that are indented too far or too little
    invariants      the tree of ``invariants.yaml`` in, invariants out
    nodes           small readers that the loader is made of
    order           the order in which tables can be worked out: each behind those that it reads from
    policy          files in, a policy out
    rosters         the rosters of a policy file: trees in, places that take turns out
    schema          JSON Schemas (draft 2020-12) for every kind of policy file
    structure       holding a tree against the schema of its kind
    structure_help  the help of problems of shape
    tables          the tables of a policy file, in their three forms: trees in, rules out
    vocabulary      the vocabulary file: tree in, facts and outcomes out
    yaml_errors     what is wrong with a text that is not YAML
    yaml_tree       YAML text in, a tree of plain texts out, in which every key and value knows its file, line and
                    column
"""

from __future__ import annotations

from engine.load.policy import (
    HOLIDAYS,
    MANIFEST,
    VOCABULARY,
    list_place,
    load,
    load_with_trees,
    policy_files,
    read_trees,
)

__all__ = ["HOLIDAYS", "MANIFEST", "VOCABULARY", "list_place", "load", "load_with_trees", "policy_files", "read_trees"]
