/** An amount in a currency; the amount is a decimal string. */
export type Money = { amount: string; currency: string }
