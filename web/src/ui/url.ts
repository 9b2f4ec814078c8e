import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback } from 'react'

export type Search = Record<string, string>

/** The page's query string as plain words, and a way to change some of them. Empty words leave the address. */
export function useUrl(): [Search, (patch: Record<string, string | null | undefined>, push?: boolean) => void] {
  const search = useSearch({ strict: false }) as Search
  const navigate = useNavigate()
  const change = useCallback(
    (patch: Record<string, string | null | undefined>, push = false) => {
      const next = (before: Search): Search => {
        const merged: Search = {}
        for (const [name, value] of Object.entries({ ...before, ...patch })) if (value) merged[name] = value
        return merged
      }
      void navigate({ to: '.', search: next as never, replace: !push })
    },
    [navigate],
  )
  return [search, change]
}

/** Plain `a=b&c=d`: addresses people can read, type and share; no JSON in them. */
export function parseSearch(text: string): Search {
  return Object.fromEntries(new URLSearchParams(text))
}

export function stringifySearch(search: Record<string, unknown>): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(search)) if (value !== undefined && value !== null && value !== '') params.set(name, String(value))
  const text = params.toString()
  return text ? `?${text}` : ''
}
