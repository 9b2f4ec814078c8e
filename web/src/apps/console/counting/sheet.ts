import { add, compare, sign } from '../../../values/decimal'

/** What was scanned in one bin, as the phone keeps it. Pure: the page only draws it and sends it. */
export type Line = { key: string; variant_id: string | null; barcode: string | null; lot_code: string | null; sku: string; name: string; unit: string; quantity: string }
export type Step = { key: string; quantity: string }
export type Counting = { id: string; bin_count_id: string; lines: Line[]; steps: Step[] }

export type Scanned = Omit<Line, 'key' | 'quantity'> & { quantity: string }

/** A whole bin's count begins: nothing lies in it until something is scanned. */
export function begin(id: string, bin_count_id: string): Counting {
  return { id, bin_count_id, lines: [], steps: [] }
}

/** The variant and its lot, or the code nobody knows. */
function keyOf(scanned: Scanned): string {
  return `${scanned.variant_id ?? scanned.barcode ?? ''}/${scanned.lot_code ?? ''}`
}

/** One more scan, times `times` ("3" after "3*"). The line it belongs to comes to the top. */
export function scan(counting: Counting, scanned: Scanned, times: number): Counting {
  const key = keyOf(scanned)
  const quantity = multiply(scanned.quantity, times)
  const before = counting.lines.find((line) => line.key === key)
  const line: Line = before ? { ...before, quantity: add(before.quantity, quantity) } : { ...scanned, key, quantity }
  return { ...counting, lines: [line, ...counting.lines.filter((other) => other.key !== key)], steps: [...counting.steps, { key, quantity }] }
}

/** The last scan is taken back; a line that falls to nothing goes. */
export function undo(counting: Counting): Counting {
  const last = counting.steps.at(-1)
  if (!last) return counting
  const lines = counting.lines.map((line) => (line.key === last.key ? { ...line, quantity: add(line.quantity, negated(last.quantity)) } : line))
  return { ...counting, lines: lines.filter((line) => sign(line.quantity) > 0), steps: counting.steps.slice(0, -1) }
}

/** A quantity typed by hand replaces what was scanned of a line, and can be undone like a scan. */
export function setLine(counting: Counting, key: string, quantity: string): Counting {
  const line = counting.lines.find((each) => each.key === key)
  if (!line || sign(quantity) < 0 || compare(line.quantity, quantity) === 0) return counting
  const change = add(quantity, negated(line.quantity))
  const lines = counting.lines.map((each) => (each.key === key ? { ...each, quantity } : each)).filter((each) => sign(each.quantity) > 0)
  return { ...counting, lines, steps: [...counting.steps, { key, quantity: change }] }
}

export type Entry = { id: string; bin_count_id: string; happened_at: string; empty: boolean; lines: { variant_id?: string; barcode?: string; lot_code?: string; quantity: string }[] }

/** What the server is told. The same id goes with it however often it is sent. */
export function entryOf(counting: Counting, at: Date): Entry {
  return {
    id: counting.id,
    bin_count_id: counting.bin_count_id,
    happened_at: at.toISOString(),
    empty: counting.lines.length === 0,
    lines: counting.lines.map((line) => ({
      ...(line.variant_id ? { variant_id: line.variant_id } : { barcode: line.barcode ?? '' }),
      ...(line.lot_code ? { lot_code: line.lot_code } : {}),
      quantity: line.quantity,
    })),
  }
}

/** Keys of a person between scans: "3" then "*" makes the next scan count three times. Answers [digits typed, times]. */
export function typed(key: string, digits: string): { digits: string; times: number | null } {
  if (/^\d$/.test(key)) return { digits: (digits + key).slice(-4), times: null }
  if (key === '*' && Number(digits) > 0) return { digits: '', times: Number(digits) }
  return { digits: '', times: null }
}

function multiply(quantity: string, times: number): string {
  let left = times
  let part = quantity
  let total = '0'
  for (; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) total = add(total, part)
    part = add(part, part)
  }
  return total
}

function negated(quantity: string): string {
  return quantity.startsWith('-') ? quantity.slice(1) : `-${quantity}`
}
