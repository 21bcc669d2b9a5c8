"""Loading: the files of a version -> a policy, or every problem in them.

Most modules read one part of the files.

Modules::

    calendars       calendars and regions
    conditions      conditions of rules
    consistency     checks across the parts of a policy: names, references, producers, amounts
    deadlines       deadlines and elapsed times
    digest          the digest of a version: the same for the same content in any layout
    files           which files belong to a version
    holidays        holiday lists
    indentation     repairs parts that are indented too far or too little
    invariants      ``invariants.yaml``
    node_readers    small readers: a node -> a value
    policy          the files of a version -> a policy
    rosters         rosters
    schema          JSON Schemas (draft 2020-12) for every kind of policy file
    structure       validates a tree against the schema of its kind
    structure_help  the help for problems of shape
    table_order     the order in which tables can be evaluated
    tables          tables in their three forms
    vocabulary      facts and outcomes
    yaml_errors     explains text that is not YAML
    yaml_tree       YAML text -> a tree of plain texts with their places
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
