"""Reported-number audit: arithmetic checks on the numbers that a paper prints. No data are needed.

A paper's numbers and what is to be checked are in a YAML file (``workflow/audits/*.yaml``, described in
``docs/audit.md``); each check gives a verdict with the arithmetic behind it in words.
"""
