import { describe, expect, it } from 'vitest'

import { begin, entryOf, scan, setLine, typed, undo, type Scanned } from './sheet'

const tea: Scanned = { variant_id: 'v1', barcode: null, lot_code: null, sku: 'TEA', name: 'Tea', unit: 'each', quantity: '1' }
const crate: Scanned = { ...tea, quantity: '12' }
const unknown: Scanned = { ...tea, variant_id: null, barcode: '4711', sku: '4711', name: '4711' }

describe('what was scanned in a bin', () => {
  it('adds up scans of one thing, times what was typed before', () => {
    let count = scan(begin('e', 'b'), tea, 1)
    count = scan(count, crate, 3)
    count = scan(count, unknown, 1)
    expect(count.lines.map((line) => [line.sku, line.quantity])).toEqual([['4711', '1'], ['TEA', '37']])
  })

  it('keeps lots apart', () => {
    const count = scan(scan(begin('e', 'b'), tea, 1), { ...tea, lot_code: 'L7' }, 2)
    expect(count.lines.map((line) => line.quantity)).toEqual(['2', '1'])
  })

  it('takes back scan by scan, to nothing', () => {
    let count = scan(scan(begin('e', 'b'), tea, 1), crate, 2)
    count = undo(count)
    expect(count.lines[0]?.quantity).toBe('1')
    count = undo(undo(count))
    expect(count.lines).toEqual([])
  })

  it('takes a quantity typed by hand, and takes it back', () => {
    const count = setLine(scan(begin('e', 'b'), tea, 1), 'v1/', '48')
    expect(count.lines[0]?.quantity).toBe('48')
    expect(undo(count).lines[0]?.quantity).toBe('1')
    expect(setLine(count, 'v1/', '-1')).toBe(count)
  })

  it('tells the server of lines, or that the bin is empty', () => {
    const at = new Date('2026-11-21T08:00:00Z')
    expect(entryOf(begin('e', 'b'), at)).toEqual({ id: 'e', bin_count_id: 'b', happened_at: '2026-11-21T08:00:00.000Z', empty: true, lines: [] })
    expect(entryOf(scan(begin('e', 'b'), unknown, 2), at).lines).toEqual([{ barcode: '4711', quantity: '2' }])
  })

  it('reads "3*" and nothing else as three times', () => {
    expect(typed('3', '')).toEqual({ digits: '3', times: null })
    expect(typed('*', '3')).toEqual({ digits: '', times: 3 })
    expect(typed('*', '')).toEqual({ digits: '', times: null })
    expect(typed('0', '1')).toEqual({ digits: '10', times: null })
    expect(typed('a', '1')).toEqual({ digits: '', times: null })
  })
})
