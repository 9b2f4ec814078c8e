import { describe, expect, it } from 'vitest'

import type { CloudEvent, EventFeed } from '../../../api/types'
import { checkGaps } from './gaps'

const page = (after: string, through: string, head: string, ...numbers: number[]): EventFeed => ({ after, through, head, data: numbers.map((n) => ({ sequence: String(n) }) as CloudEvent) })

describe('the gap check', () => {
  it('follows through to the head; hidden events are covered by through', async () => {
    const pages: Record<string, EventFeed> = { '0': page('0', '5', '8', 1, 3, 5), '5': page('5', '8', '8', 8) }
    expect(await checkGaps((at) => Promise.resolve(pages[at]!), '0')).toEqual({ ok: true, pages: 2, after: '0', through: '8', seen: 4 })
  })
  it('sees a page that begins elsewhere', async () => {
    expect(await checkGaps(() => Promise.resolve(page('7', '9', '9')), '5')).toEqual({ ok: false, kind: 'gap', after: '7', through: '5' })
  })
  it('sees a number twice', async () => {
    expect(await checkGaps((at) => Promise.resolve(page(at, '4', '4', 2, 2)), '0')).toEqual({ ok: false, kind: 'order', at: '2' })
  })
})
