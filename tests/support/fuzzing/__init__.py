"""Chance against Guidepost: requests made from the proto files and bytes made of them, policies with words and lines exchanged.

A case is a number: the same number gives the same case, so that what was found is found again.
"""
