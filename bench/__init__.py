"""clearprop measured against its peers: ``python -m bench``."""
