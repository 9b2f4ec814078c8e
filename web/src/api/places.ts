import { queryOptions, useQuery } from '@tanstack/react-query'

import { api, type Query } from './client'
import type { Location, Page } from './types'

/** All pages of a list that is known to be short. `most` is a fence, not a promise. */
export async function readAll<T>(path: string, query: Query = {}, most = 2000): Promise<T[]> {
  const rows: T[] = []
  let cursor: string | null = null
  do {
    const page: Page<T> = await api.get<Page<T>>(path, { query: { ...query, limit: 200, cursor } })
    rows.push(...page.data)
    cursor = page.has_more ? page.next_cursor : null
  } while (cursor && rows.length < most)
  return rows
}

/** Stores and warehouses, in the order of their codes. */
export const sitesQuery = queryOptions({
  queryKey: ['sites'],
  queryFn: async () => {
    const [stores, warehouses] = await Promise.all([readAll<Location>('/v1/locations', { kind: 'store' }), readAll<Location>('/v1/locations', { kind: 'warehouse' })])
    const sites = new Map([...warehouses, ...stores].filter((place) => place.site_id === null || place.site_id === place.id).map((place) => [place.id, place]))
    return [...sites.values()].sort((a, b) => a.code.localeCompare(b.code, undefined, { numeric: true }))
  },
  staleTime: 300_000,
})

export function useSites(): Location[] {
  return useQuery(sitesQuery).data ?? []
}
