"""`onhand stress`: the public proof that nothing is oversold, lost or doubled (docs/how/prove-it-yourself.md).

Clients that keep notes of every answer they got order from a system under test, while connections drop and processes are
killed; then the system's books are compared with the notes. A naive rival goes through the same, and must be caught.
"""
