"""A fitted model as it is saved: its rule, ``model.json``, and its use on new patients."""
