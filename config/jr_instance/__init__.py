"""Sets up and runs one instance of the service; used by instance.py beside this folder."""
