/**
 * Tells a hardware scanner from a person. A scanner is a very fast keyboard that ends in Enter or Tab:
 * no person types a whole code with at most 50 ms between every two keys.
 */
export type Key = { key: string; at: number; ctrl?: boolean }
export type Scan = { code: string; symbology: string | null }

export const MAX_GAP_MS = 50
export const MIN_LENGTH = 4
const GS = '\u001d'

/** Strips the AIM symbology identifier ("]C1", "]d2", "]E0") that many scanners send first. */
export function readScan(raw: string): Scan {
  const aim = /^\](\w\w)/.exec(raw)
  return aim ? { code: raw.slice(3), symbology: aim[0] } : { code: raw, symbology: null }
}

/** Keeps the keys of the present burst. `feed` answers a scan when a burst ends in Enter or Tab, else null. */
export class ScanBuffer {
  private text = ''
  private last = 0

  feed({ key, at, ctrl }: Key): Scan | null {
    const gap = at - this.last
    this.last = at
    if (key === 'Enter' || key === 'Tab') {
      const code = this.text
      const fast = gap <= MAX_GAP_MS * 2
      this.reset()
      return fast && code.length >= MIN_LENGTH ? readScan(code) : null
    }
    // Function-separator inside GS1 codes: scanners send Ctrl-] or F8 for it.
    const char = ctrl && key === ']' ? GS : key
    if (char.length !== 1 || (ctrl && char !== GS)) return null
    if (this.text && gap > MAX_GAP_MS) this.reset()
    this.text += char
    return null
  }

  /** True while keys arrive too fast for a person: single-key shortcuts must stay silent then. */
  get bursting(): boolean {
    return this.text.length > 1
  }

  reset(): void {
    this.text = ''
  }
}
