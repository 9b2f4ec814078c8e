export function StockPage() { return <h1>StockPage</h1> }
