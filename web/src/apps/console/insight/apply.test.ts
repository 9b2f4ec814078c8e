import { describe, expect, it } from 'vitest'

import type { CloudEvent, Overview } from '../../../api/types'
import { applyEvents } from './apply'

const site = { site_id: 's1', code: 'S01', name: 'Elm', kind: 'store', sales: 3, units: 9, revenue: { amount: '10.10', currency: 'EUR' }, below_minimum: 0, below_zero: 0, last_sale_at: null }
const gap = { variant_id: 'v1', sku: 'TEA', name: 'Tea', unit: 'each', site_id: 's1', site_code: 'S01', available: '2', sellable: '2', minimum: '5' }
const overview: Overview = {
  at: '2026-11-21T10:00:00Z',
  today: { sales: 3, units: 9, revenue: { amount: '10.10', currency: 'EUR' } },
  minutes: [{ at: '2026-11-21T09:59:00Z', units: 2, revenue: '2.20' }],
  sites: [site],
  below_minimum: [gap],
  below_zero: [],
  stock_value: null,
  drift: 0,
  open_exceptions: 0,
  recent_sales: [],
}
const sale = (recordedtime: string, part: object = {}): CloudEvent =>
  ({
    type: 'sale.completed',
    recordedtime,
    data: { sale_id: 'x1', number: '1', register: 'R1', site_id: 's1', site_code: 'S01', happened_at: '2026-11-21T10:00:05Z', total: '0.20', currency: 'EUR', units: 2, lines: [], ...part },
  }) as unknown as CloudEvent
const level = (available: string): CloudEvent => ({ type: 'stock.level_changed', recordedtime: '2026-11-21T10:00:06Z', data: { variant_id: 'v1', site_id: 's1', sellable: available, available, reserved: '0', overdrawn: '0' } }) as unknown as CloudEvent

describe('the overview moves with the stream', () => {
  it('adds a sale everywhere it shows', () => {
    const after = applyEvents(overview, [sale('2026-11-21T10:00:06Z')])
    expect(after.today).toEqual({ sales: 4, units: 11, revenue: { amount: '10.30', currency: 'EUR' } })
    expect(after.sites[0]).toMatchObject({ sales: 4, units: 11, revenue: { amount: '10.30' } })
    expect(after.minutes.at(-1)).toEqual({ at: '2026-11-21T10:00:00Z', units: 2, revenue: '0.20' })
    expect(after.recent_sales[0]?.id).toBe('x1')
  })
  it('does not count what the last reading contained, nor one sale twice', () => {
    expect(applyEvents(overview, [sale('2026-11-21T09:59:59Z')])).toBe(overview)
    const once = applyEvents(overview, [sale('2026-11-21T10:00:06Z')])
    expect(applyEvents(once, [sale('2026-11-21T10:00:06Z')])).toEqual(once)
  })
  it('counts another currency as a sale, not as revenue', () => {
    expect(applyEvents(overview, [sale('2026-11-21T10:00:06Z', { currency: 'USD' })]).today).toEqual({ sales: 4, units: 11, revenue: { amount: '10.10', currency: 'EUR' } })
  })
  it('moves the gaps, and drops what was filled', () => {
    expect(applyEvents(overview, [level('1')]).below_minimum[0]?.available).toBe('1')
    expect(applyEvents(overview, [level('7')]).below_minimum).toEqual([])
  })
})
