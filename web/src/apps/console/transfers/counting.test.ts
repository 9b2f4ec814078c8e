import { describe, expect, it } from 'vitest'

import type { TransferLine } from '../../../api/types'
import { countedTotal, fillUp, lineOf, plus, readEntry, times } from './counting'

const line = (id: string, sku: string, barcodes: { code: string; quantity: string }[] = [], inTransit = '10') => ({ id, sku, barcodes, in_transit: inTransit }) as TransferLine
const most = (one: TransferLine) => one.in_transit

describe('scanning a transfer', () => {
  it('multiplies by what stands before the star', () => {
    expect(readEntry('4006381333931')).toEqual({ times: '1', code: '4006381333931' })
    expect(readEntry('3*4006381333931')).toEqual({ times: '3', code: '4006381333931' })
    expect(readEntry(' 12 x TEA-100 ')).toEqual({ times: '12', code: 'TEA-100' })
    expect(readEntry('3*')).toEqual({ times: '1', code: '3*' })
    expect(readEntry('0*TEA')).toBeNull()
    expect(readEntry('  ')).toBeNull()
  })

  it('knows barcodes with and without leading zeros, and SKUs', () => {
    const lines = [line('a', 'TEA', [{ code: '04006381333931', quantity: '12' }]), line('b', 'MILK')]
    expect(lineOf(lines, '4006381333931', {}, most)).toMatchObject({ line: { id: 'a' }, each: '12' })
    expect(lineOf(lines, 'milk', {}, most)).toMatchObject({ line: { id: 'b' }, each: '1' })
    expect(lineOf(lines, 'NONE', {}, most)).toBeNull()
  })

  it('goes on with the next line of the same item when the first is full', () => {
    const lines = [line('a', 'TEA', [], '1'), line('b', 'TEA', [], '5')]
    expect(lineOf(lines, 'TEA', { a: { good: '1', damaged: '0' } }, most)?.line.id).toBe('b')
  })

  it('counts good and damaged, never below zero', () => {
    let counted = plus({}, 'a', 'good', '3')
    counted = plus(counted, 'a', 'damaged', '1')
    counted = plus(counted, 'b', 'good', '-1')
    expect(counted).toEqual({ a: { good: '3', damaged: '1' }, b: { good: '0', damaged: '0' } })
    expect(fillUp(counted, 'a', '10').a).toEqual({ good: '9', damaged: '1' })
    expect(countedTotal(counted)).toBe('4')
    expect(times('3', '0.250')).toBe('0.750')
    expect(times('12', '3')).toBe('36')
  })
})
