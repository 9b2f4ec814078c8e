import { add, compare, isDecimal, sign, subtract, sum } from '../../../values/decimal'
import type { TransferLine } from '../../../api/types'

/** What was counted of each line so far: how much is good, how much is damaged. Decimal strings. */
export type Counted = Record<string, { good: string; damaged: string }>
export type Heap = 'good' | 'damaged'

export const NOTHING = { good: '0', damaged: '0' }

/** "3*4006381333931" is three of it; without a factor one. Null when nothing is named. */
export function readEntry(text: string): { times: string; code: string } | null {
  const match = /^\s*(?:(\d+(?:\.\d+)?)\s*[*x×]\s*)?(\S.*?)\s*$/i.exec(text)
  if (!match?.[2]) return null
  const times = match[1] ?? '1'
  return isDecimal(times) && sign(times) > 0 ? { times, code: match[2] } : null
}

const plain = (code: string) => (/^\d+$/.test(code) ? code.replace(/^0+/, '') : code.toLowerCase())

/** The line a code stands for, and how much one of it is; the first that still lacks some. GTINs match with or without leading zeros. */
export function lineOf(lines: TransferLine[], code: string, counted: Counted, most: (line: TransferLine) => string): { line: TransferLine; each: string } | null {
  const hits = lines.flatMap((line) => {
    const barcode = line.barcodes.find((each) => plain(each.code) === plain(code))
    return barcode ? [{ line, each: barcode.quantity }] : plain(line.sku) === plain(code) ? [{ line, each: '1' }] : []
  })
  return hits.find(({ line }) => compare(totalOf(counted[line.id]), most(line)) < 0) ?? hits[0] ?? null
}

export const totalOf = (one: Counted[string] | undefined) => (one ? add(one.good, one.damaged) : '0')

export function plus(counted: Counted, id: string, heap: Heap, by: string): Counted {
  const before = counted[id] ?? NOTHING
  const next = add(before[heap], by)
  return { ...counted, [id]: { ...before, [heap]: sign(next) < 0 ? '0' : next } }
}

/** The rest of a line is good. */
export function fillUp(counted: Counted, id: string, most: string): Counted {
  const before = counted[id] ?? NOTHING
  const rest = subtract(most, before.damaged)
  return { ...counted, [id]: { ...before, good: sign(rest) < 0 ? '0' : rest } }
}

export const countedTotal = (counted: Counted) => sum(Object.values(counted).map(totalOf))

/** "3.000" times "2": both exact. */
export function times(a: string, b: string): string {
  const scale = (text: string) => text.split('.')[1]?.length ?? 0
  const digits = (text: string) => BigInt(text.replace('.', ''))
  const places = scale(a) + scale(b)
  const text = (digits(a) * digits(b)).toString().padStart(places + 1, '0')
  return places ? `${text.slice(0, -places)}.${text.slice(-places)}` : text
}
