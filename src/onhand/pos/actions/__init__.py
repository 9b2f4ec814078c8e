"""The verbs of the point of sale: sell, refund, void, open a register."""
