import { useQueryClient, type QueryKey } from '@tanstack/react-query'
import { useEffect, useRef, useSyncExternalStore } from 'react'

import { stream, type StreamState } from './stream'
import type { CloudEvent } from './types'

export function useStreamState(): StreamState {
  return useSyncExternalStore(stream.watch, () => stream.state)
}

/** Runs `handler` with each batch of stream messages whose type is one of `types` ("sale.completed", …; none = all). */
export function useLive(types: readonly string[], handler: (events: CloudEvent[]) => void): void {
  const latest = useRef(handler)
  useEffect(() => {
    latest.current = handler
  })
  const wanted = types.join()
  useEffect(() => {
    const only = wanted ? new Set(wanted.split(',')) : null
    return stream.subscribe((batch) => {
      const events = only ? batch.filter((event) => only.has(event.type)) : batch
      if (events.length) latest.current(events)
    })
  }, [wanted])
}

/** Reads `key` again when one of `types` arrives, but at most once in `everyMs`. */
export function useLiveInvalidate(types: readonly string[], key: QueryKey, everyMs = 2000): void {
  const client = useQueryClient()
  const due = useRef<ReturnType<typeof setTimeout> | null>(null)
  useLive(types, () => {
    due.current ??= setTimeout(() => {
      due.current = null
      void client.invalidateQueries({ queryKey: key })
    }, everyMs)
  })
  useEffect(
    () => () => {
      if (due.current) clearTimeout(due.current)
    },
    [],
  )
}

/** After a gap nothing on the screen can be trusted: read all of it again. */
export function useResetOnGap(): void {
  const client = useQueryClient()
  useEffect(() => stream.onReset(() => void client.invalidateQueries()), [client])
}
