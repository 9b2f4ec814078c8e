import { keepPreviousData, useInfiniteQuery, useQueryClient, type QueryKey } from '@tanstack/react-query'
import { useEffect, useMemo, useRef, useState } from 'react'

import { api } from '../../api/client'
import { useLive } from '../../api/live'
import type { Page } from '../../api/types'
import type { Search } from '../url'

const PAGE_SIZE = 100
const REFRESH_MS = 2000

export function listKey(path: string, query?: Search): QueryKey {
  return query ? ['list', path, query] : ['list', path]
}

/** All pages read so far, in order; `more()` reads the next by its cursor. */
export function useListData<R>(path: string, query: Search, live: readonly string[] | undefined) {
  const key = listKey(path, query)
  const client = useQueryClient()
  const found = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => api.get<Page<R>>(path, { query: { ...query, cursor: pageParam, limit: PAGE_SIZE }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => (last.has_more ? last.next_cursor : null),
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  })
  const rows = useMemo(() => found.data?.pages.flatMap((page) => page.data) ?? [], [found.data])

  // Reading dozens of pages again for each message would be silly: with more than two, the reader decides when.
  const [newer, setNewer] = useState(false)
  const due = useRef<ReturnType<typeof setTimeout> | null>(null)
  const few = (found.data?.pages.length ?? 0) <= 2
  useLive(live ?? ['-'], () => {
    if (!few) return setNewer(true)
    due.current ??= setTimeout(() => {
      due.current = null
      void client.invalidateQueries({ queryKey: key })
    }, REFRESH_MS)
  })
  useEffect(() => () => clearTimeout(due.current ?? undefined), [])

  const refresh = () => {
    setNewer(false)
    void client.resetQueries({ queryKey: key })
  }
  return { rows, newer, refresh, ...pick(found) }
}

function pick(found: { error: Error | null; isPending: boolean; isPlaceholderData: boolean; hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown; refetch: () => unknown }) {
  const { error, isPending, isPlaceholderData, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = found
  return { error, isPending, isPlaceholderData, hasNextPage, isFetchingNextPage, fetchNextPage, refetch }
}
