from .extracting import cases_in as cases_in
from .extracting import extract_manifest as extract_manifest
from .extracting import parameters_of as parameters_of
from .opening import open_images as open_images
from .running import command as command
from .running import start as start
from .status import status_of as status_of

__all__ = ["cases_in", "command", "extract_manifest", "open_images", "parameters_of", "start", "status_of"]
