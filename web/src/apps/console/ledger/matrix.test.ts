import { describe, expect, it } from 'vitest'

import type { LevelChanged, MatrixRow, Page } from '../../../api/types'
import { applyLevels } from './matrix'

const row = (id: string): MatrixRow => ({
  variant_id: id,
  sku: id,
  name: id,
  unit: 'kg',
  category_name: null,
  totals: { on_hand: '10.5', available: '9.5', reserved: '1', on_order: '0', in_transit: '0' },
  sites: { s1: { on_hand: '4.5', available: '3.5', reserved: '1' } },
})
const data = { pages: [{ data: [row('a'), row('b')], next_cursor: 'x', has_more: true }, { data: [row('c')], next_cursor: null, has_more: false }] as Page<MatrixRow>[], pageParams: [null, 'x'] }
const level = (part: Partial<LevelChanged>): LevelChanged => ({ variant_id: 'a', sku: 'a', site_id: 's1', site_code: 'S01', sellable: '4', reserved: '1', available: '3', overdrawn: '0', delta: '-0.5', seq: '7', ...part })

describe('the matrix moves with the stream', () => {
  it('moves the cell and the totals by the same', () => {
    const after = applyLevels(data, [level({})]).pages[0]!.data[0]!
    expect(after.sites.s1).toEqual({ on_hand: '4.0', available: '3', reserved: '1' })
    expect(after.totals).toMatchObject({ on_hand: '10.0', available: '9.0', reserved: '1' })
  })
  it('is the same twice, and leaves other rows and pages untouched', () => {
    const once = applyLevels(data, [level({})])
    expect(applyLevels(once, [level({})])).toEqual(once)
    expect(once.pages[1]).toBe(data.pages[1])
    expect(once.pages[0]!.data[1]).toBe(data.pages[0]!.data[1])
    expect(applyLevels(data, [level({ variant_id: 'z' })])).toBe(data)
  })
  it('opens a cell for a site that had none', () => {
    expect(applyLevels(data, [level({ site_id: 's9', sellable: '2', reserved: '0', available: '2' })]).pages[0]!.data[0]!.sites.s9).toEqual({ on_hand: '2', available: '2', reserved: '0' })
  })
})
