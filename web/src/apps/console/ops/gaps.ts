import type { EventFeed } from '../../../api/types'

export type GapResult =
  | { ok: true; pages: number; after: string; through: string; seen: number }
  | { ok: false; kind: 'gap'; after: string; through: string }
  | { ok: false; kind: 'order'; at: string }

/** Reads from `after` to the head: each page begins where the one before ended, and numbers only grow. */
export async function checkGaps(read: (after: string) => Promise<EventFeed>, after: string, most = 200): Promise<GapResult> {
  let at = after
  let last = BigInt(after)
  let seen = 0
  let pages = 0
  while (pages < most) {
    const page = await read(at)
    pages += 1
    if (page.after !== at) return { ok: false, kind: 'gap', after: page.after, through: at }
    for (const event of page.data) {
      const sequence = BigInt(event.sequence)
      if (sequence <= last || sequence > BigInt(page.through)) return { ok: false, kind: 'order', at: event.sequence }
      last = sequence
      seen += 1
    }
    if (page.through === at) break
    at = page.through
    if (BigInt(at) >= BigInt(page.head)) break
  }
  return { ok: true, pages, after, through: at, seen }
}
