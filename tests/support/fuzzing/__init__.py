"""Random input for Guidepost: requests from the proto files, bytes made of them, policies with swapped words and lines.

A case is a number: the same number gives the same case, so that what was found is found again.
"""
