import type { SaleLine } from '../../../api/types'
import { compare, isDecimal, subtract, trim } from '../../../values/decimal'

/** How much of a line can still come back. Unknown items were never in stock and have nothing to return. */
export function returnable(line: SaleLine): string {
  if (!isDecimal(line.quantity) || compare(line.quantity, '0') <= 0) return '0'
  return trim(subtract(line.quantity, line.refunded))
}

/** The share of a line's total that belongs to `quantity` of it, rounded half up to the total's own digits. */
export function shareOf(line: Pick<SaleLine, 'quantity' | 'total'>, quantity: string): string {
  const whole = digits(line.quantity)
  const part = digits(quantity)
  const scale = line.total.split('.')[1]?.length ?? 0
  const total = digits(line.total).value
  // total × part ÷ whole, with both quantities on one scale
  const above = total * part.value * 10n ** BigInt(whole.scale)
  const below = whole.value * 10n ** BigInt(part.scale)
  if (below === 0n) return '0'
  const rounded = (2n * above + below) / (2n * below)
  const text = rounded.toString().padStart(scale + 1, '0')
  return scale ? `${text.slice(0, -scale)}.${text.slice(-scale)}` : text
}

function digits(text: string): { value: bigint; scale: number } {
  const [whole = '0', fraction = ''] = text.split('.')
  return { value: BigInt(whole + fraction), scale: fraction.length }
}
