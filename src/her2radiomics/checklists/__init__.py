"""Reporting checklists filled from a run's facts: CLEAR, METRICS, TRIPOD+AI, RQS and the IBSI's reporting list.

The lists are data (``workflow/checklists/*.yaml``, described in ``docs/checklists.md``). An item is *filled* only
where the run's facts hold and a declared file shows it; intent is never ticked.
"""
