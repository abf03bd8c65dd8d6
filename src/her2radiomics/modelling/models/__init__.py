"""The kinds of models a protocol may ask for."""
