"""Turns the order of folders' entries round, as another file system might; Python imports this at its start."""

import os

_listdir, _scandir = os.listdir, os.scandir


class _Backwards:
    """An ``os.scandir`` whose entries come last first."""

    def __init__(self, path="."):
        with _scandir(path) as found:
            self._entries = iter(list(found)[::-1])

    def __iter__(self):
        return self

    def __next__(self):
        return next(self._entries)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._entries = iter(())


os.listdir = lambda path=".": _listdir(path)[::-1]
os.scandir = _Backwards
