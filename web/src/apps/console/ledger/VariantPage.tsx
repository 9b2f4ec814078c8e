export function VariantPage() { return <h1>VariantPage</h1> }
