"""One version of the policies, loaded and tabulated, and the bundle of several.

Modules::

    agreement         A version's tables put before durable-rules, and what it says turned into problems of the policy
    bundle            several versions of a policy side by side, and the one that a request means
    release_register  the register of frozen versions, and what does not agree with it
    version           files in, a version out: loaded, checked and tabulated
"""
