"""The manuscript of a run: its text, with every number bound to the cell it comes from, and its Word and LaTeX files."""
