"""`onhand replay FILE`: takes a till's or shop's own export of sales and posts it as what happened."""
