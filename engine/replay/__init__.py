"""Replaying past tickets: what a version makes of them, beside what was made of them before.

``nouns`` has the values that go in and come out.
"""
