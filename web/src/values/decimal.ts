/**
 * Decimal strings ("12.50", "-3") as exact numbers. Quantities and money never become floats for arithmetic:
 * 0.1 + 0.2 must stay 0.3 on every screen. A value is kept as an integer and a scale.
 */
type Parsed = { digits: bigint; scale: number }

const SHAPE = /^([+-]?)(\d+)(?:\.(\d+))?$/

function parse(text: string): Parsed {
  const match = SHAPE.exec(text.trim())
  if (!match) throw new RangeError(`not a decimal: ${text}`)
  const fraction = match[3] ?? ''
  const digits = BigInt((match[2] ?? '0') + fraction)
  return { digits: match[1] === '-' ? -digits : digits, scale: fraction.length }
}

function render({ digits, scale }: Parsed): string {
  const negative = digits < 0n
  const text = (negative ? -digits : digits).toString().padStart(scale + 1, '0')
  const whole = text.slice(0, text.length - scale)
  const fraction = scale ? `.${text.slice(text.length - scale)}` : ''
  return (negative ? '-' : '') + whole + fraction
}

function align(a: Parsed, b: Parsed): [bigint, bigint, number] {
  const scale = Math.max(a.scale, b.scale)
  return [a.digits * 10n ** BigInt(scale - a.scale), b.digits * 10n ** BigInt(scale - b.scale), scale]
}

export function isDecimal(text: string): boolean {
  return SHAPE.test(text.trim())
}

export function add(a: string, b: string): string {
  const [x, y, scale] = align(parse(a), parse(b))
  return render({ digits: x + y, scale })
}

export function negate(a: string): string {
  const value = parse(a)
  return render({ ...value, digits: -value.digits })
}

export function subtract(a: string, b: string): string {
  return add(a, negate(b))
}

export function sum(values: Iterable<string>): string {
  let total = '0'
  for (const value of values) total = add(total, value)
  return total
}

/** −1, 0 or 1. */
export function compare(a: string, b: string): -1 | 0 | 1 {
  const [x, y] = align(parse(a), parse(b))
  return x < y ? -1 : x > y ? 1 : 0
}

/** −1, 0 or 1: which side of zero. */
export function sign(a: string): -1 | 0 | 1 {
  return compare(a, '0')
}

/** "3.500" → "3.5", "3.000" → "3": for showing, never for sending back. */
export function trim(a: string): string {
  const text = render(parse(a))
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

/** Moves the decimal point: 19 by −2 is 0.19. */
export function shift(a: string, places: number): string {
  const value = parse(a)
  const scale = value.scale - places
  return trim(render(scale >= 0 ? { ...value, scale } : { digits: value.digits * 10n ** BigInt(-scale), scale: 0 }))
}

/** A float for drawing only (chart heights, colours): exactness is not needed there. */
export function toPixels(a: string | null | undefined): number {
  return a ? Number(a) : 0
}

/**
 * What a person typed, in his own notation, as a decimal string; null when it is no number.
 * "1.234,5" is German, "1,234.5" is English; a lone separator that is the locale's decimal mark is one.
 */
export function fromTyped(typed: string, decimalMark: string): string | null {
  const grouping = decimalMark === ',' ? '.' : ','
  const plain = typed
    .trim()
    .replace(/[\s\u00a0\u202f']/g, '')
    .replace('−', '-')
    .split(grouping)
    .join('')
    .replace(decimalMark, '.')
  return SHAPE.test(plain) ? render(parse(plain)) : null
}
