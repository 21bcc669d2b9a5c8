"""One version of the policies, loaded and tabulated, and the bundle of several."""
