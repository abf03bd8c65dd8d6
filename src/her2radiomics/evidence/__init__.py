"""How much of a performance would survive: repetitions of a whole study, their summary and what they show.

An analysis is one class in ``analyses``, found by its decorator. A run's evidence is made by the target ``evidence``.
"""
