"""The demo: a real grocery chain's year, sold live in twenty stores. Real receipts, invented names and places."""
