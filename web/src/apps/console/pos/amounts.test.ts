import { describe, expect, it } from 'vitest'

import type { SaleLine } from '../../../api/types'
import { returnable, shareOf } from './amounts'

describe('what comes back', () => {
  it('is what was sold and is not back yet', () => {
    expect(returnable({ quantity: '3', refunded: '1' } as SaleLine)).toBe('2')
    expect(returnable({ quantity: '0.750', refunded: '0.25' } as SaleLine)).toBe('0.5')
    expect(returnable({ quantity: '-1', refunded: '0' } as SaleLine)).toBe('0')
  })
  it('is paid by its share of the line, rounded once', () => {
    expect(shareOf({ quantity: '3', total: '10.00' }, '1')).toBe('3.33')
    expect(shareOf({ quantity: '3', total: '10.00' }, '2')).toBe('6.67')
    expect(shareOf({ quantity: '0.750', total: '1.01' }, '0.375')).toBe('0.51')
    expect(shareOf({ quantity: '2', total: '500' }, '1')).toBe('250')
    expect(shareOf({ quantity: '2', total: '0.05' }, '2')).toBe('0.05')
  })
})
