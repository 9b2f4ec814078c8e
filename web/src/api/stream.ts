import { FrameReader, type Frame } from '../values/sse'
import type { CloudEvent } from './types'

/**
 * One stream for all open screens. Where the browser allows it only one tab holds the connection and passes
 * messages on (browsers open at most six connections to a server over HTTP/1.1). Messages are handed out in
 * batches, a few times a second, so that a busy chain does not redraw the screen for every single sale.
 */
export type StreamState = { status: 'connecting' | 'live' | 'offline'; lastAt: number | null; sequence: string | null }
type Batch = (events: CloudEvent[]) => void
type Shared = { kind: 'frame'; frame: Frame } | { kind: 'state'; state: StreamState } | { kind: 'hello' }

const BATCH_MS = 250
const SILENCE_MS = 45_000
const LOCK = 'onhand-stream'

export class Stream {
  state: StreamState = { status: 'connecting', lastAt: null, sequence: null }
  private listeners = new Set<Batch>()
  private watchers = new Set<() => void>()
  private resets = new Set<() => void>()
  private pending: CloudEvent[] = []
  private timer: ReturnType<typeof setTimeout> | null = null
  private stopper: AbortController | null = null
  private channel: BroadcastChannel | null = null
  private leading = false
  private readonly url: string

  constructor(url = '/v1/stream') {
    this.url = url
  }

  subscribe(listener: Batch): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** Called when events were missed for good: everything shown must be read again. */
  onReset(handler: () => void): () => void {
    this.resets.add(handler)
    return () => this.resets.delete(handler)
  }

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher)
    return () => this.watchers.delete(watcher)
  }

  start(): void {
    if (this.stopper) return
    const stopper = (this.stopper = new AbortController())
    if (typeof BroadcastChannel !== 'undefined' && navigator.locks) {
      this.channel = new BroadcastChannel(LOCK)
      this.channel.onmessage = (message: MessageEvent<Shared>) => this.overheard(message.data)
      this.channel.postMessage({ kind: 'hello' } satisfies Shared)
      navigator.locks.request(LOCK, { signal: stopper.signal }, () => this.lead(stopper.signal)).catch(() => {})
    } else {
      void this.lead(stopper.signal)
    }
  }

  stop(): void {
    this.stopper?.abort()
    this.stopper = null
    this.channel?.close()
    this.channel = null
    this.leading = false
    this.set({ status: 'connecting', lastAt: null, sequence: null })
  }

  private overheard(message: Shared): void {
    if (message.kind === 'hello') {
      if (this.leading) this.channel?.postMessage({ kind: 'state', state: this.state } satisfies Shared)
    } else if (!this.leading) {
      if (message.kind === 'frame') this.take(message.frame)
      else this.set(message.state)
    }
  }

  private async lead(signal: AbortSignal): Promise<void> {
    this.leading = true
    let wait = 500
    while (!signal.aborted) {
      const began = Date.now()
      try {
        await this.read(signal)
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof SignedOut) {
          this.tell({ status: 'offline' })
          return
        }
      }
      if (signal.aborted) return
      this.tell({ status: 'offline' })
      wait = Date.now() - began > 10_000 ? 500 : Math.min(wait * 2, 15_000)
      await new Promise((done) => setTimeout(done, wait * (0.75 + Math.random() / 2)))
    }
  }

  private async read(signal: AbortSignal): Promise<void> {
    const silence = new AbortController()
    let alarm = setTimeout(() => silence.abort(), SILENCE_MS)
    const headers: Record<string, string> = { Accept: 'text/event-stream' }
    if (this.state.sequence) headers['Last-Event-ID'] = this.state.sequence
    try {
      const response = await fetch(this.url, { headers, signal: AbortSignal.any([signal, silence.signal]), cache: 'no-store' })
      if (response.status === 401 || response.status === 403) throw new SignedOut()
      if (!response.ok || !response.body) throw new Error(`stream answered ${response.status}`)
      this.tell({ status: 'live', lastAt: Date.now() })
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
      const frames = new FrameReader()
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return
        clearTimeout(alarm)
        alarm = setTimeout(() => silence.abort(), SILENCE_MS)
        for (const frame of frames.push(value)) {
          this.take(frame)
          this.channel?.postMessage({ kind: 'frame', frame } satisfies Shared)
        }
        this.tell({ status: 'live', lastAt: Date.now() })
      }
    } finally {
      clearTimeout(alarm)
    }
  }

  private take(frame: Frame): void {
    if (frame.id) this.state = { ...this.state, sequence: frame.id }
    if (frame.event === 'reset') {
      this.resets.forEach((handler) => handler())
      return
    }
    if (frame.event === 'through') return
    try {
      this.pending.push(JSON.parse(frame.data) as CloudEvent)
    } catch {
      return
    }
    this.timer ??= setTimeout(() => this.flush(), BATCH_MS)
  }

  private flush(): void {
    this.timer = null
    const batch = this.pending
    this.pending = []
    this.listeners.forEach((listener) => listener(batch))
  }

  private told = 0
  private tell(part: Partial<StreamState>): void {
    const changed = part.status !== undefined && part.status !== this.state.status
    this.state = { ...this.state, ...part }
    // The age is shown in seconds; telling every frame would redraw for nothing.
    if (!changed && Date.now() - this.told < 1000) return
    this.told = Date.now()
    this.channel?.postMessage({ kind: 'state', state: this.state } satisfies Shared)
    this.watchers.forEach((watcher) => watcher())
  }

  private set(state: StreamState): void {
    this.state = state
    this.watchers.forEach((watcher) => watcher())
  }
}

class SignedOut extends Error {}

export const stream = new Stream()
