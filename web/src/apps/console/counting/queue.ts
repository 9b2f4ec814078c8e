import { api } from '../../../api/client'
import { asProblem } from '../../../api/problem'
import type { CountEntry } from '../../../api/types'
import type { Counting, Entry } from './sheet'

/** What this phone has counted and not yet told, and the bin it is at: kept through a reload and a network that is gone. */
type Kept = { waiting: Entry[]; now: Counting | null }

function name(user: string): string {
  return `onhand.counting.${user}`
}

export function load(user: string): Kept {
  try {
    const kept = JSON.parse(localStorage.getItem(name(user)) ?? 'null') as Kept | null
    return kept && Array.isArray(kept.waiting) ? kept : { waiting: [], now: null }
  } catch {
    return { waiting: [], now: null }
  }
}

export function keep(user: string, kept: Kept): void {
  try {
    localStorage.setItem(name(user), JSON.stringify(kept))
  } catch {
    // A browser without storage still counts; it only forgets when it is closed.
  }
}

export type Sent = { entry: Entry; answer: CountEntry | null; refused: unknown }

/** Sends what waits, in order. What the network did not take stays; a refusal is final and is shown. */
export async function send(waiting: Entry[]): Promise<{ left: Entry[]; sent: Sent[] }> {
  const sent: Sent[] = []
  for (const [index, entry] of waiting.entries()) {
    try {
      sent.push({ entry, answer: await api.post<CountEntry>('/v1/count-entries', entry), refused: null })
    } catch (error) {
      const problem = asProblem(error)
      if (problem.status === 0 || problem.status === 401 || problem.status === 429 || problem.status >= 500) return { left: waiting.slice(index), sent }
      sent.push({ entry, answer: null, refused: error })
    }
  }
  return { left: [], sent }
}
