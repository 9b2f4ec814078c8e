// @vitest-environment node
import { afterEach, describe, expect, it, vi } from 'vitest'

import { downloadUrl, kept } from './client'
import { asProblem, problemOf } from './problem'
import { may } from './session'
import { Stream } from './stream'
import type { Me } from './types'

describe('requests', () => {
  it('leave empty filters out', () => {
    expect(kept({ q: '', site: null, cursor: undefined, limit: 0, below: 'zero' })).toEqual({ limit: 0, below: 'zero' })
    expect(downloadUrl('/v1/variants', { q: 'a b', category_id: '', format: 'csv' })).toBe('/v1/variants?q=a+b&format=csv')
  })
})

describe('refusals', () => {
  it('keep the code of problem+json', async () => {
    const problem = await problemOf(new Response('{"status":422,"code":"id_reused","detail":"x"}', { status: 422 }))
    expect([problem.code, problem.status]).toEqual(['id_reused', 422])
  })
  it('have a code even when a proxy answered', async () => {
    expect((await problemOf(new Response('<html>', { status: 502 }))).code).toBe('http_502')
    expect(asProblem(new TypeError('Failed to fetch')).code).toBe('unreachable')
  })
})

describe('permissions', () => {
  const me = { permissions: { 'stock:read': null, 'stock:adjust': ['s1'], 'pos:sell': [] } } as unknown as Me
  it('null is everywhere, a list is only there', () => {
    expect(may(me, 'stock:read', 's9')).toBe(true)
    expect(may(me, 'stock:adjust', 's1')).toBe(true)
    expect(may(me, 'stock:adjust', 's2')).toBe(false)
    expect(may(me, 'stock:adjust')).toBe(true)
    expect(may(me, 'pos:sell')).toBe(false)
    expect(may(me, 'users:read')).toBe(false)
    expect(may(undefined, 'stock:read')).toBe(false)
  })
})

describe('the stream', () => {
  afterEach(() => vi.unstubAllGlobals())
  const answer = (text: string) => new Response(text, { status: 200, headers: { 'content-type': 'text/event-stream' } })

  it('hands out batches, and goes on where it stopped', async () => {
    const asked: (string | undefined)[] = []
    let calls = 0
    vi.stubGlobal('BroadcastChannel', undefined)
    vi.stubGlobal('fetch', async (_: string, init: { headers: Record<string, string> }) => {
      asked.push(init.headers['Last-Event-ID'])
      return ++calls === 1 ? answer(': hi\n\nid: 4\nevent: sale.completed\ndata: {"type":"sale.completed"}\n\nid: 5\nevent: x.y\ndata: {"type":"x.y"}\n\n') : answer('event: reset\ndata: {}\n\n')
    })
    const stream = new Stream()
    const batches: string[][] = []
    let resets = 0
    stream.subscribe((events) => batches.push(events.map((event) => event.type)))
    stream.onReset(() => resets++)
    stream.start()
    await vi.waitFor(() => expect(resets).toBeGreaterThan(0), 5000)
    stream.stop()
    expect(batches).toEqual([['sale.completed', 'x.y']])
    expect(asked.slice(0, 2)).toEqual([undefined, '5'])
  })

  it('stops asking when nobody is logged in', async () => {
    let calls = 0
    vi.stubGlobal('BroadcastChannel', undefined)
    vi.stubGlobal('fetch', async () => (calls++, new Response('', { status: 401 })))
    const stream = new Stream()
    stream.start()
    await vi.waitFor(() => expect(stream.state.status).toBe('offline'))
    await new Promise((done) => setTimeout(done, 50))
    expect(calls).toBe(1)
    stream.stop()
  })
})
