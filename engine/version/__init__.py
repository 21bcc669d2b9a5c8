"""One version of a policy, checked and drawn as diagrams, and the bundle of several.

Modules::

    agreement         the tables of a version -> what durable-rules checks; its report -> problems
    build             files -> a version
    bundle            several versions of a policy, and the one that a request selects
    release_register  the register of frozen versions, and what differs from it
    version           one version, checked and drawn as diagrams: data only
"""
