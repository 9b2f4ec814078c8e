import { queryOptions, useQuery } from '@tanstack/react-query'

import { api } from './client'
import type { Me } from './types'

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: () => api.get<Me>('/v1/me'),
  staleTime: 60_000,
  retry: false,
})

export const setupQuery = queryOptions({
  queryKey: ['setup'],
  queryFn: () => api.get<{ needed: boolean; demo: boolean }>('/v1/setup'),
  retry: false,
})

export function useMe(): Me | undefined {
  return useQuery({ ...meQuery, enabled: false }).data
}

/** May I do this — anywhere, or at this site? The server decides again; this only keeps useless buttons off the screen. */
export function may(me: Me | undefined, permission: string, siteId?: string | null): boolean {
  if (!me || !(permission in me.permissions)) return false
  const sites = me.permissions[permission]
  return sites === null || sites === undefined ? true : siteId ? sites.includes(siteId) : sites.length > 0
}

export function useMay(): (permission: string, siteId?: string | null) => boolean {
  const me = useMe()
  return (permission, siteId) => may(me, permission, siteId)
}
